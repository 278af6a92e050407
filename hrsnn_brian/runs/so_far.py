"""An unfinished run as if it ended now: the table of the points that are there."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.tables import write_csv
from hrsnn_brian.runs.join import plan_of
from hrsnn_brian.runs.records import Records


@contextmanager
def so_far(run: Path) -> Iterator[tuple[Path, str]]:
    """A run directory to read, and what is missing in it, "" if nothing is.

    A finished run is itself. Of an unfinished one the table is made of its finished points, in a
    folder that is gone afterwards; the run stays as it is. Where that cannot be (other code, a
    search, no point yet) it is itself, too, and the reason is told.
    """
    if (run / "DONE").exists() or not (run / "config.toml").is_file():
        yield run, ""
        return
    try:
        plan = plan_of(run)
    except InputError as problem:
        yield run, f"unfinished, and its points cannot be read here: {problem}"
        return
    records = Records(plan.study, plan.points, run)
    tables = records.tables()
    done = sum(records.finished(point) is not None for point in plan.points)
    told = f"unfinished: {done} of {len(plan.points)} points"
    if not any(tables.values()):
        yield run, told
        return
    with tempfile.TemporaryDirectory(prefix="hrsnn-so-far-") as folder:
        view = Path(folder) / run.resolve().name
        (view / "tables").mkdir(parents=True)
        for name in ("config.toml", "provenance.json"):
            if (run / name).exists():
                shutil.copyfile(run / name, view / name)
        for name, table in tables.items():
            if table:
                write_csv(view / "tables" / f"{name}.csv", table, table.schema)
        yield view, told
