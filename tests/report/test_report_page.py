"""`hrsnn report`: one page that is whole, asks nobody and says what is missing."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from test_figures import synthetic_rows
from test_verdicts import table

from hrsnn_brian.cli.main import main
from hrsnn_brian.files.atomic import write_json, write_text
from hrsnn_brian.files.tables import write_table

CONFIG = """[run]
study = "pruning_methods"
preset = "quick"
seed = 0
device = "numpy"

[options]
seeds = 10
"""
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--hide-scrollbars",
)


def finished(path: Path, rows=None) -> Path:
    (path / "tables").mkdir(parents=True)
    (path / "points").mkdir()
    write_text(path / "config.toml", CONFIG)
    facts = {"command": ["/somewhere/hrsnn", "study", "pruning_methods", "--set", "seeds=10 or so"]}
    libraries = {"brian2": "2.9.0"}
    write_json(path / "provenance.json", facts | {"points": 3, "libraries": libraries})
    write_table(path / "tables" / "pruning_methods.csv", rows or table())
    write_table(path / "tables" / "pruning_curve.csv", synthetic_rows())
    write_text(path / "DONE", "done\n")
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return finished(tmp_path_factory.mktemp("report") / "my-run")


@pytest.fixture(scope="module")
def page(run) -> Path:
    assert main(["report", str(run)]) == 0
    return run / "report.html"


def test_it_has_verdicts_figures_tables_and_where_they_come_from(run, page):
    text = page.read_text(encoding="utf-8")
    assert "✓ holds" in text
    assert text.count('<img src="data:image/svg+xml;base64,') == 1
    assert text.count("<figure>") == 3  # the study's own two lack a column here, and it is said
    assert "<strong>No figure:</strong>" in text
    assert "hrsnn study pruning_methods --set &#39;seeds=10 or so&#39;" in text
    assert "/somewhere" not in text
    assert "brian2 2.9.0" in text
    assert "preset = &#34;quick&#34;" in text
    held = re.findall(r'<script type="application/json">(.*?)</script>', text, re.DOTALL)
    assert json.loads(held[1]) == (run / "tables" / "pruning_methods.csv").read_text()


def test_it_asks_nobody(page):
    text = re.sub(r"data:[^\"]*", "", page.read_text(encoding="utf-8"))
    assert not re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?\s*(?:https?:)?//""", text)
    assert "@import" not in text


def test_images_have_alt_texts_and_headers_a_scope(page):
    text = page.read_text(encoding="utf-8")
    assert all(re.findall(r'<img [^>]*alt="([^"]*)"', text))
    assert text.count("<img ") == len(re.findall(r'<img [^>]*alt="[^"]+"', text))
    assert not re.findall(r"<th(?![^>]*scope)[ >]", text)


def test_the_same_run_gives_the_same_bytes(run, page, tmp_path):
    assert main(["report", str(run), "--out", str(tmp_path / "again.html")]) == 0
    assert (tmp_path / "again.html").read_bytes() == page.read_bytes()


def test_what_a_page_holds_is_no_markup(tmp_path):
    rows = table()
    rows[0]["note"] = "</script><b>&"
    path = finished(tmp_path / "odd", rows)
    assert main(["report", str(path), "--title", "a < b"]) == 0
    text = (path / "report.html").read_text(encoding="utf-8")
    assert "<title>a &lt; b</title>" in text
    assert "</script><b>" not in text


def test_a_run_without_its_table_says_so(tmp_path, capsys):
    path = finished(tmp_path / "begun")
    for file in (path / "tables").iterdir():
        file.unlink()
    (path / "DONE").unlink()
    assert main(["report", str(path)]) == 0
    text = (path / "report.html").read_text(encoding="utf-8")
    assert "<strong>Not whole:</strong> unfinished, and its points cannot be read here" in text
    assert "the run has no table pruning_methods yet" in text


STUDY = """
def points(options, seed):
    return [{"seed": seed + k} for k in range(4)]


def run(point, engine):
    if point["seed"] == 3:
        raise KeyboardInterrupt
    return {"seed": point["seed"], "x": 10.0 * point["seed"]}


import hrsnn_brian as hb

STUDY = hb.Study("tens", "tens", points, run, presets={"quick": {}}, uses_engine=False)
"""


def test_of_an_unfinished_run_stands_there_what_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("tens.py").write_text(STUDY)
    assert main(["study", "tens.py", "--jobs", "1", "--out", "r"]) == 130
    before = sorted(map(str, Path("r").rglob("*")))
    assert main(["report", "r", "--out", "page.html"]) == 0
    text = Path("page.html").read_text(encoding="utf-8")
    assert "unfinished: 3 of 4 points" in text
    held = re.search(r'<script type="application/json">(.*?)</script>', text, re.DOTALL)
    assert json.loads(held[1]) == "seed,x\n0,0.0\n1,10.0\n2,20.0\n"
    assert sorted(map(str, Path("r").rglob("*"))) == before


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda path: (path / "config.toml").unlink(), "is not a run directory"),
        (
            lambda path: (path / "tables" / "pruning_methods.schema.json").unlink(),
            "has no pruning_methods.schema.json",
        ),
        (
            lambda path: (path / "tables" / "pruning_methods.schema.json").write_text("{}"),
            "must be of format",
        ),
    ],
)
def test_what_cannot_be_read_is_one_line(tmp_path, capsys, spoil, told):
    path = finished(tmp_path / "spoilt")
    spoil(path)
    assert main(["report", str(path)]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1
    assert not (path / "report.html").exists()


# ---- in a browser, where there is one ----

WATCH = """<script>
window.problems = [];
window.addEventListener("error", (event) => window.problems.push(event.message));
</script>"""
MEASURE = """<script>
window.addEventListener("load", () => {
  document.querySelectorAll("details").forEach((element) => { element.open = true; });
  const box = document.querySelector("[data-name=pruning_methods]");
  const shown = () => box.querySelector("[role=status]").textContent;
  const found = { problems: window.problems, before: shown() };
  found.wide = [document.documentElement.scrollWidth, window.innerWidth];
  found.background = getComputedStyle(document.body).backgroundColor;
  const search = box.querySelector("input");
  search.value = "activity lorenz";
  search.dispatchEvent(new Event("input"));
  found.after = shown();
  search.value = "";
  search.dispatchEvent(new Event("input"));
  const head = [...box.querySelectorAll("th")].findIndex((th) => th.textContent === "seed");
  const seed = () => box.querySelectorAll("tbody tr")[0].children[head].textContent;
  box.querySelectorAll("th button")[head].click();
  found.lowest = seed();
  box.querySelectorAll("th button")[head].click();
  found.highest = seed();
  found.sorted = box.querySelectorAll("th")[head].getAttribute("aria-sort");
  found.asked = performance.getEntriesByType("resource").map((entry) => entry.name)
    .filter((name) => !name.startsWith("data:"));
  found.images = [...document.images].map((image) => image.complete && image.naturalWidth > 0);
  document.documentElement.setAttribute("data-found", JSON.stringify(found));
});
</script>"""


def chromium(profile: Path, *words: str) -> str:
    assert CHROMIUM is not None
    done = subprocess.run(
        [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", *words],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize(("width", "dark"), [(390, False), (1280, True)])
def test_a_browser_shows_it_whole(run, page, tmp_path, width, dark):
    text = page.read_text(encoding="utf-8")
    text = text.replace("<head>", f"<head>{WATCH}").replace("</body>", f"{MEASURE}</body>")
    probe = tmp_path / "probe.html"
    probe.write_text(text, encoding="utf-8")
    mode = ["--blink-settings=preferredColorScheme=0"] if dark else []
    said = chromium(
        tmp_path / "profile", *mode, f"--window-size={width},900", "--dump-dom", probe.as_uri()
    )
    held = re.search(r'data-found="([^"]*)"', said)
    found = json.loads(held[1].replace("&quot;", '"'))
    rows = (run / "tables" / "pruning_methods.csv").read_text().splitlines()[1:]
    chosen = [row for row in rows if "activity" in row and "lorenz" in row]
    assert found["problems"] == []
    assert found["wide"][0] <= found["wide"][1]
    assert found["asked"] == []
    assert found["images"] == [True]
    assert found["before"].startswith(f"{len(rows)} of {len(rows)} rows")
    assert found["after"].startswith(f"{len(chosen)} of {len(rows)} rows")
    assert (found["lowest"], found["highest"], found["sorted"]) == ("0", "9", "descending")
    assert found["background"] == ("rgb(22, 24, 26)" if dark else "rgb(255, 255, 255)")


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_it_prints(page, tmp_path):
    pdf = tmp_path / "page.pdf"
    chromium(tmp_path / "profile", f"--print-to-pdf={pdf}", page.as_uri())
    assert pdf.read_bytes().startswith(b"%PDF")
    assert pdf.stat().st_size > 20_000
