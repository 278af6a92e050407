"""Any settings against any others: what `hrsnn sweep` and `hb.sweep` run.

Networks, recipes, sizes and tasks with whatever is declared of them, each setting a value, a list
or a range (see `runs.sweep_options`). One row per seed, settings, recipe, task and readout; what is
varied has a column of its own.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrsnn_brian.files.columns import Column
from hrsnn_brian.files.tables import Row
from hrsnn_brian.runs.options import Options
from hrsnn_brian.runs.runner import run_study
from hrsnn_brian.runs.study import Point, Study
from hrsnn_brian.runs.sweep import sweep_of
from hrsnn_brian.runs.sweep_options import SweepOptions
from hrsnn_brian.runs.sweep_points import sweep_points, sweep_rows
from hrsnn_brian.studies.sweep_summary import sweep_summary

if TYPE_CHECKING:
    import pandas as pd

    from hrsnn_brian.simulation import Engine


def points(options: Options, seed: int) -> list[Point]:
    """See `sweep_points`."""
    return sweep_points(SweepOptions.from_dict(options), seed)


def run(point: Point, engine: "Engine") -> list[Row]:
    """See `sweep_rows`."""
    return sweep_rows(point, engine)


def columns(options: Options) -> tuple[Column, ...]:
    """The columns of what is varied."""
    return SweepOptions.from_dict(options).columns()


STUDY = Study(
    name="sweep",
    description="any declared settings against any others (hrsnn sweep)",
    points=points,
    run=run,
    options=SweepOptions,
    presets={"quick": {}},
    figures=("sweep",),
    summary=sweep_summary,
    varied=columns,
)


def sweep(
    *tables: Mapping[str, Any] | str,
    seed: int = 0,
    jobs: int = 1,
    device: str = "standalone",
    out: Path | str | None = None,
    **options: Any,
) -> "pd.DataFrame":
    """The table of a sweep, one row per seed, settings, recipe, task and readout.

    options: those of `SweepOptions`, as in `network={"J": "0.05:0.3:6"}, recipe=["frugal",
    "none"], size={"keep": 0.05}, task="wind", seeds=5`, and `search={"trials": 40}` for the trials
    of a search. tables: the same as tables or paths of TOML files. seed: the first of the seeds.
    out: the run directory, with table and figure, by default the next free of runs/sweep-...; it
    stands in `attrs["run"]` of the table. A killed run is resumed by the same words.

    Raises InputError, before any work, for what is unknown or cannot be.
    """
    made = sweep_of(*tables, options)
    if made.search is not None:
        searched = made.searching(seed, jobs, device).found(out)
        frame, path = searched.rows.frame(), searched.path
    else:
        from hrsnn_brian.figures.registry import draw_figure

        done = run_study(made.plan(seed, device), jobs=jobs, out=out, draw=draw_figure)
        frame, path = done.rows.frame(), done.path
    frame.attrs["run"] = str(path)
    return frame
