"""`hrsnn report`: one HTML file of runs: verdicts, figures, tables and where they come from."""

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from hrsnn_brian.cli.options import add_common, user_path
from hrsnn_brian.cli.output import Output, check_output_file, note
from hrsnn_brian.errors import InputError

if TYPE_CHECKING:
    from hrsnn_brian.report.html import Figure, Part
    from hrsnn_brian.report.run_facts import RunFacts
    from hrsnn_brian.report.verdict import Verdict
    from hrsnn_brian.runs.study import Study

FILE = "report.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", type=user_path, help="run directories, finished or not"
    )
    parser.add_argument("--title", help="of the page (default: names of the runs)")
    parser.add_argument(
        "--recipe",
        default="",
        metavar="NAME,...",
        help="recipes the paper's claims are judged for (default: those of lnp in the tables)",
    )
    add_common(parser, f"the HTML file (default: RUN/{FILE} of the first run)")


def run(args: argparse.Namespace, output: Output) -> int:
    path = Path(args.out) if args.out else Path(args.runs[0]) / FILE
    files = write_report(args.runs, path, args.title, args.recipe)
    output.say(str(files))
    output.result({"command": "report", "runs": args.runs, "file": files})
    return 0


def write_report(
    runs: Sequence[str], path: Path, title: str | None = None, recipes: str = ""
) -> Path:
    """Writes the page of `runs` to `path`.

    Raises InputError for what is no run directory, a table without a schema, and a path that
    cannot be written.
    """
    from hrsnn_brian.files.atomic import write_text
    from hrsnn_brian.report.html import Page, render
    from hrsnn_brian.report.run_facts import read_run
    from hrsnn_brian.runs.so_far import so_far

    with ExitStack() as stack:
        views = [stack.enter_context(so_far(Path(name))) for name in runs]
        facts = [read_run(view, missing) for view, missing in views]
        check_output_file(str(path), [".html"])
        parts = [_part(each) for each in facts]
        found, warnings = verdicts_of(facts, [r.strip() for r in recipes.split(",") if r.strip()])
    page = Page(title or ", ".join(each.name for each in facts), parts, found, warnings)
    write_text(path, render(page))
    return path


def _part(facts: "RunFacts") -> "Part":
    from hrsnn_brian.files.schema import read_schema
    from hrsnn_brian.files.tables import Table, read_table
    from hrsnn_brian.report.html import Part

    study = _study(facts)
    figures = _figures(facts, study)
    if study is None:
        return Part(facts, "", figures)
    missing = []
    main = study.main_table
    if not any(table.name == main for table in facts.tables):
        missing.append(f"table {main}: the study writes it when all its points are there")
    summary = ""
    file = facts.path / "tables" / f"{main}.csv"
    if study.summary is not None and file.is_file():
        frame = read_table(file)
        rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
        named = [{str(key): value for key, value in row.items()} for row in rows]
        summary = study.summary(Table(named, read_schema(file)))
    return Part(facts, f"{study.name}: {study.description}", figures, summary, missing)


def _study(facts: "RunFacts") -> "Study | None":
    """The study of the package that a run is of; None for a user's own, and a tune run."""
    from hrsnn_brian.runs.study import list_studies, load_study

    known = "file" not in facts.asked and facts.study in list_studies()
    return load_study(facts.study) if known else None


def _figures(facts: "RunFacts", study: "Study | None") -> "list[Figure]":
    from hrsnn_brian.figures.registry import FIGURES, drawable, drawn
    from hrsnn_brian.figures.style import svg_of
    from hrsnn_brian.report.html import Figure

    there = drawable(facts.path)
    wanted = list(dict.fromkeys([*(study.figures if study else ()), *there]))
    figures = []
    for number, name in enumerate(wanted, 1):
        entry = FIGURES[name]
        said = f"{entry.description}. {entry.caption}".rstrip(" .") + "."
        svg, missing = b"", f"the run has no table {entry.table} yet"
        if name in there:
            try:
                svg = svg_of(drawn(name, facts.path, facts.missing))
            except InputError as problem:
                missing = str(problem)
        figures.append(Figure(name, entry.description, said, svg, missing))
        note(f"report: {facts.name}, figure {number}/{len(wanted)}: {name}")
    return figures


def verdicts_of(
    facts: "Sequence[RunFacts]", recipes: Sequence[str]
) -> "tuple[dict[str, list[Verdict]], list[str]]":
    """Recipe -> verdicts, if a finished run speaks of the claims; and what does not go together."""
    from hrsnn_brian.report.claims import CLAIMS
    from hrsnn_brian.report.judge import Settings
    from hrsnn_brian.report.records import mixed_origins, read_rows
    from hrsnn_brian.report.verdict import verdicts

    wanted = {claim.table for claim in CLAIMS}
    whole = [each for each in facts if not each.missing]
    runs = [each.path for each in whole if wanted & {table.name for table in each.tables}]
    if not runs:
        return {}, []
    try:
        tables = read_rows(runs, wanted)
    except InputError as problem:
        return {}, [f"no verdicts: {problem}"]
    held = {str(row["recipe"]) for rows in tables.values() for row in rows if row.get("recipe")}
    chosen = list(recipes) or sorted(name for name in held if name.split()[0] == "lnp")
    found = {name: verdicts(tables, settings=Settings(method=name)) for name in chosen}
    return found, mixed_origins(runs)
