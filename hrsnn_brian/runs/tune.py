"""A search for settings of the network by what they score on a task's validation block.

No test block is ever made: tasks are those of `tasks.validation_task`. The first trial is the
network one starts from, and only a trial that beats it is chosen. A run lies in a directory of its
own (see `runs.run_directory`), with the log of the search in points/trials.jsonl; a run that was
killed continues from there to the very trials an uninterrupted one would have made.
"""

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.atomic import write_text
from hrsnn_brian.files.columns import Column
from hrsnn_brian.files.identity import code_identity, files_named
from hrsnn_brian.files.schema import schema_of
from hrsnn_brian.files.tables import Table, write_table
from hrsnn_brian.files.toml import dump_toml
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.runs.provenance import Session
from hrsnn_brian.runs.run_directory import RunDirectory, free_directory
from hrsnn_brian.runs.search_run import SearchRun
from hrsnn_brian.runs.trial_scores import TrialScores, named_validation_task
from hrsnn_brian.runs.tune_options import SEARCHED, TuneOptions, tune_options
from hrsnn_brian.settings.fields import Whole
from hrsnn_brian.settings.reader import Settings
from hrsnn_brian.statistics.search import OBJECTIVE, Evaluation, Search, best_evaluation

TABLE, PRESET = "tuning.csv", "preset.toml"
_UNITS = {"tau_m": "s", "tau_syn": "s", "sample": "s"}
COLUMNS = (
    Column("trial", "number of the trial; 0 is the network one starts from", "1", role="identity"),
    *(Column(name, meaning, _UNITS.get(name, "1")) for name, meaning in SEARCHED.items()),
    Column("score", "what the task is judged by, on its validation block, mean over networks"),
    Column("score_sd", "standard deviation of the score over networks"),
    Column(OBJECTIVE, "what is maximised: mean over tasks of the log of the score, errors negated"),
    Column("best_so_far", "largest objective up to this trial"),
)


@dataclass(frozen=True)
class Tuned:
    """What a search found.

    path: its run directory. params: of the best trial. preset: the text of a preset file of them.
    rows: a row per trial and task. best, trials: number of the best trial, and of all.
    gain: its objective less that of trial 0, the mean log ratio of scores; 0 if nothing was better.
    """

    path: Path
    params: HRSNNParams
    preset: str
    rows: Table
    best: int
    trials: int
    gain: float

    def save(self, file: Path | str) -> None:
        """Writes the preset file, which `load_preset` and `hrsnn build --preset` read."""
        write_text(Path(file), self.preset)


def tune(
    tasks: str | Sequence[str],
    trials: int,
    settings: Settings = (),
    *,
    seed: int = 0,
    jobs: int = 1,
    device: str = "standalone",
    run: Path | str | None = None,
) -> Tuned:
    """Search settings of the network that score best on the validation blocks of `tasks`.

    trials: networks settings tried, the start's own among them. settings: see `TuneOptions`, such
    as "J=0.05,0.15" (a range), "seeds=3" or "network.N=1000". seed: of the search, and the first
    of the networks and series. jobs: processes, for several networks or tasks per trial; they
    change no number. run: the run directory, by default `runs/tune-<tasks>-seed<seed>`
    under the current folder, or the next free number of it; an unfinished run is resumed.

    Raises InputError, before any work, for a task without a validation block, a setting or a
    directory that cannot be used; and if no trial gave a number.
    """
    names = (tasks,) if isinstance(tasks, str) else tuple(tasks)
    options = tune_options(settings)
    _check(names, trials, seed, options)
    config = _config(names, trials, seed, device, options)
    if device == "standalone":
        from hrsnn_brian.simulation.toolchain import find_compiler

        find_compiler()  # before anything is written
    base = Path("runs") / f"tune-{'-'.join(names)}-seed{seed}" if run is None else Path(run)
    if run is None:
        base = free_directory(base, config, say=partial(print, file=sys.stderr, flush=True))
    with RunDirectory.claim(base, config) as directory:
        return _Tuning(names, trials, seed, jobs, device, options, directory).found()


def _check(names: tuple[str, ...], trials: int, seed: int, options: TuneOptions) -> None:
    check = Whole(1, low=1)
    check.argument = "trials"
    check.convert(trials)
    if not names or len(set(names)) < len(names):
        raise InputError("tasks", list(names), "must be names of tasks, each once")
    for name in names:
        named_validation_task(name, seed, options.quick, options.starts)
    options.params((0.0,) * len(options.vary))  # what has no effect is refused


def _config(
    names: tuple[str, ...], trials: int, seed: int, device: str, options: TuneOptions
) -> dict[str, Any]:
    """What decides the numbers of a run."""
    code = code_identity()
    libraries = code.pop("libraries")
    table = options.to_dict()
    told = {"tasks": list(names), "trials": trials, "seed": seed, "device": device, **code}
    return {"run": told, "libraries": libraries, "files": files_named(table), "options": table}


@dataclass(frozen=True)
class _Tuning:
    """A search and the directory of its run."""

    names: tuple[str, ...]
    trials: int
    seed: int
    jobs: int
    device: str
    options: TuneOptions
    run: RunDirectory

    def found(self) -> Tuned:
        """The search from its log on, with its provenance."""
        scores = TrialScores(self.names, self.options, self.seed, self.device, self.run.path)
        search = SearchRun(
            name="tune",
            run=self.run,
            search=Search(
                self.trials,
                self.seed,
                self.options.method,
                settings={"tasks": list(self.names), "options": self.options.to_dict()},
            ),
            dimensions=len(self.options.vary),
            measured=lambda point: scores.measured(point, self.jobs),
            rows=self._rows,
            table=TABLE,
            what=", ".join(self.names),
            start=self.options.start,
        )
        return search.finished(self._session(), self._filed)

    def _session(self) -> Session:
        return Session(self.run, self.seed, self.jobs, self.device, self.trials)

    def _filed(self, history: Sequence[Evaluation]) -> Tuned:
        tuned = self._tuned(history)
        write_table(self.run.tables / TABLE, tuned.rows, tuned.rows.schema)
        tuned.save(self.run.path / PRESET)
        return tuned

    def _rows(self, history: Sequence[Evaluation]) -> Table:
        """A row per trial and task."""
        rows: list[dict[str, Any]] = []
        best = -math.inf
        for number, trial in enumerate(history):
            best = max(best, trial.objective)
            tried = {"trial": number, **self.options.values(trial.point)}
            judged = {OBJECTIVE: trial.measures[OBJECTIVE], "best_so_far": best}
            for name in self.names:
                start = f"{name}/"
                of_task = {
                    key.removeprefix(start): value
                    for key, value in trial.measures.items()
                    if key.startswith(start)
                }
                rows.append({"task": name, "seed": self.seed, **tried, **of_task, **judged})
        return Table(rows, schema_of(rows, COLUMNS))

    def _tuned(self, history: Sequence[Evaluation]) -> Tuned:
        best = best_evaluation(history)
        assert best is not None
        number = list(history).index(best)
        params = self.options.params(best.point)
        first = history[0].objective
        return Tuned(
            path=self.run.path,
            params=params,
            preset=self._preset(params, history, number),
            rows=self._rows(history),
            best=number,
            trials=len(history),
            gain=best.objective - first if first > -math.inf else math.inf,
        )

    def _preset(self, params: HRSNNParams, history: Sequence[Evaluation], number: int) -> str:
        """The text of a preset file, with where it comes from."""
        tasks = ", ".join(self.names)
        told = f"{self.options.preset} tuned on {tasks}: trial {number} of {len(history)}"
        lines = [f"description = {json.dumps(told, ensure_ascii=False)}", ""]
        lines.append(
            f"# Found by hrsnn tune, {self.options.method} search, run {self.run.path.name}:"
        )
        lines.append(f"# scores on validation blocks, which chose it; seed {self.seed}, networks")
        lines.append(f"# per trial: {self.options.seeds}.")
        for name in self.names:
            first, best = (history[k].measures[f"{name}/score"] for k in (0, number))
            lines.append(f"# {name}: {best:.4g}, before {first:.4g}")
        return "\n".join([*lines, "", dump_toml(params.to_dict())])
