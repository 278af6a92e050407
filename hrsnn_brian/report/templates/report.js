"use strict";
// Tables: sort by a column, filter by words, look page by page, download. Without it the first rows
// of each table stand there.
const PAGE = 50;

function cells(text) {
  const rows = [[]];
  let cell = "", quoted = false;
  for (let k = 0; k < text.length; k++) {
    const c = text[k];
    if (quoted) {
      if (c === '"' && text[k + 1] === '"') { cell += '"'; k++; }
      else if (c === '"') quoted = false;
      else cell += c;
    } else if (c === '"') quoted = true;
    else if (c === ",") { rows[rows.length - 1].push(cell); cell = ""; }
    else if (c === "\n") { rows[rows.length - 1].push(cell); cell = ""; rows.push([]); }
    else if (c !== "\r") cell += c;
  }
  if (cell || rows[rows.length - 1].length) rows[rows.length - 1].push(cell);
  return rows.filter((row) => row.length > 1 || row[0]);
}

function make(tag, values, text) {
  const element = document.createElement(tag);
  Object.entries(values || {}).forEach(([name, value]) => element.setAttribute(name, value));
  if (text !== undefined) element.textContent = text;
  return element;
}

function order(a, b) {
  const x = Number(a), y = Number(b);
  if (a === "" || b === "") return (a === "") - (b === "");
  return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y;
}

function setUp(box) {
  const text = JSON.parse(box.querySelector("script").textContent);
  const [header, ...rows] = cells(text);
  const table = box.querySelector("table"), body = table.querySelector("tbody");
  const caption = table.querySelector("caption"), heads = [...table.querySelectorAll("th")];
  let words = "", column = -1, down = false, page = 0;

  const tools = make("div", { class: "tools" });
  const search = make("input", { type: "search", placeholder: "Filter rows",
    "aria-label": `Filter rows of table ${box.dataset.name}` });
  const before = make("button", { type: "button" }, "Previous");
  const after = make("button", { type: "button" }, "Next");
  const file = make("a", { download: `${box.dataset.name}.csv`, href: "#" }, "Download CSV");
  file.addEventListener("click", () => {
    file.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  });
  const said = make("span", { role: "status" });
  tools.append(search, before, after, file, said);
  box.prepend(tools);
  caption.textContent = `${rows.length} rows`;

  function draw() {
    const asked = words.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = rows.filter((row) => {
      const line = row.join(" ").toLowerCase();
      return asked.every((word) => line.includes(word));
    });
    if (column >= 0) {
      shown = [...shown].sort((a, b) => order(a[column], b[column]) * (down ? -1 : 1));
    }
    const pages = Math.max(1, Math.ceil(shown.length / PAGE));
    page = Math.min(page, pages - 1);
    body.replaceChildren(...shown.slice(page * PAGE, (page + 1) * PAGE).map((row) => {
      const line = make("tr");
      line.append(...row.map((value) => make("td", {}, value)));
      return line;
    }));
    before.disabled = page === 0;
    after.disabled = page === pages - 1;
    said.textContent = `${shown.length} of ${rows.length} rows, page ${page + 1} of ${pages}`;
    heads.forEach((head, k) => {
      if (k === column) head.setAttribute("aria-sort", down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  }

  heads.forEach((head, k) => {
    const button = make("button", { type: "button" }, header[k]);
    button.addEventListener("click", () => {
      down = column === k ? !down : false;
      column = k;
      draw();
    });
    head.replaceChildren(button);
  });
  search.addEventListener("input", () => { words = search.value; page = 0; draw(); });
  before.addEventListener("click", () => { page--; draw(); });
  after.addEventListener("click", () => { page++; draw(); });
  draw();
}

document.querySelectorAll(".table").forEach(setUp);
window.addEventListener("beforeprint", () => {
  document.querySelectorAll("details").forEach((element) => { element.open = true; });
});
