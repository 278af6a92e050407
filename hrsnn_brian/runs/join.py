"""One run from several: shards of it, or repeats of it with other seeds.

Points are named by what they are, so the table of the joined run is, byte for byte, that of one run
which computed all of them. Repeats with --seed 0 and --seed 5 of five seeds each make the run with
--seed 0 of ten.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.atomic import write_bytes
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.runs.options import NETWORK
from hrsnn_brian.runs.plan import Plan, described
from hrsnn_brian.runs.points import exact_text, points_of
from hrsnn_brian.runs.records import Records
from hrsnn_brian.runs.run_directory import RunDirectory, difference
from hrsnn_brian.runs.runner import StudyRun, run_study
from hrsnn_brian.runs.status import read_config
from hrsnn_brian.runs.study import load_study

_SEEDS = "seeds"


def join_runs(
    runs: Sequence[Path], out: Path, draw: Callable[[str, Path], list[Path]] = lambda n, r: []
) -> tuple[StudyRun | None, int]:
    """Copies the finished points of `runs` to `out` and, if none is missing, writes the results.

    Returns the run (None if points are missing, which `hrsnn study` with --out computes) and the
    number of missing points.
    Raises InputError if the runs are not of one study with the same settings, code and libraries
    as here, are repeats of seeds that leave a gap, or disagree about a point; before `out` is made.
    """
    plans = [plan_of(run) for run in runs]
    plan = _joined(runs, plans)
    found = _points(runs, plan)
    missing = len(plan.points) - len(found)
    with RunDirectory.claim(out, plan.config()) as directory:
        for point_file in found.values():
            write_bytes(directory.points / point_file.name, point_file.read_bytes(), False)
        if plan.study.files:
            directory.keep_code(Path(plan.study.source).parent, plan.study.files)
    return (None if missing else run_study(plan, out=out, draw=draw)), missing


def plan_of(run: Path) -> Plan:
    """What the run directory `run` is to do, by its config.toml.

    Raises InputError if it is no run of a study, or one of other code or libraries than these.
    """
    config = read_config(run)
    told = config.get("run", {})
    if "study" not in told:
        raise InputError("RUN", str(run), "is not the run of a study")
    kept = run / "code" / str(told.get("file", ""))
    study = load_study(str(kept) if "file" in told else str(told["study"]))
    preset = study.presets.get(told["preset"])
    if preset is None:
        raise InputError("RUN", str(run), f"study {study.name} has no preset {told['preset']!r}")
    options = dict(config["options"])
    if study.options is not None:
        options = study.options.from_dict(options).to_dict()
    else:
        options = {**dict.fromkeys(preset), **options}  # None has no TOML form
        if NETWORK in options:
            options[NETWORK] = HRSNNParams.from_dict(options[NETWORK]).to_dict()
    names = [name for name in config.get("files", {}) if name not in study.files]
    inputs = {name: config["files"][name] for name in names}
    points = points_of(study, options, told["seed"])
    study = described(study, options)
    plan = Plan(study, told["preset"], told["seed"], told["device"], options, points, inputs)
    if what := difference(run, plan.config()):
        raise InputError("RUN", str(run), f"cannot be joined here: {what}")
    return plan


def _joined(runs: Sequence[Path], plans: Sequence[Plan]) -> Plan:
    """The plan of the whole: that of all shards, or of consecutive repeats."""
    first = plans[0]
    for run, plan in zip(runs, plans, strict=True):
        if what := difference(run, _with_seeds_of(plan, first).config()):
            raise InputError("RUN", str(run), f"cannot be joined with {runs[0]}: {what}")
    spans = sorted({(plan.seed, plan.options.get(_SEEDS, 0)) for plan in plans})
    if len(spans) == 1:
        return first
    start = end = spans[0][0]
    for seed, count in spans:
        if seed > end:
            what = f"no run has seed {end}: repeats must follow each other, these begin at {seed}"
            raise InputError("RUN", ", ".join(map(str, runs)), what)
        end = max(end, seed + count)
    options = {**first.options, _SEEDS: end - start}
    points = points_of(first.study, options, start)
    return replace(first, seed=start, options=options, points=points)


def _with_seeds_of(plan: Plan, other: Plan) -> Plan:
    """`other` with the seeds of `plan`: what it must be to be joined with it."""
    seeds = {_SEEDS: plan.options[_SEEDS]} if _SEEDS in plan.options else {}
    return replace(other, seed=plan.seed, options={**other.options, **seeds})


def _points(runs: Sequence[Path], plan: Plan) -> dict[str, Path]:
    """Name -> file of every point of `plan` that a run has finished."""
    found: dict[str, tuple[Path, Any]] = {}
    for run in runs:
        records = Records(plan.study, plan.points, run)
        for point in plan.points:
            if (record := records.finished(point)) is None:
                continue
            name, rows = records.name(point), exact_text(record["rows"])
            first, same = found.setdefault(name, (records.path(point), rows))
            if same != rows:
                raise InputError(
                    "RUN", str(run), f"disagrees with {first}: other rows of one point"
                )
    return {name: file for name, (file, _) in found.items()}
