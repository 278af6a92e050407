"""Training of a network on a task: its training block, shown without a readout."""

from dataclasses import replace
from functools import partial

from hrsnn_brian.evaluation.present import as_shown, drive_of, runs
from hrsnn_brian.network.network import Network
from hrsnn_brian.settings.reader import Settings
from hrsnn_brian.simulation import Engine
from hrsnn_brian.tasks.registry import as_task
from hrsnn_brian.tasks.task import Task, TrialsTask
from hrsnn_brian.training.stdp import Stdp
from hrsnn_brian.training.train import OnRun, Trained, mode_settings, train_on


def train(
    network: Network,
    task: Task | str,
    mode: str = "stdp",
    settings: Settings | Stdp = (),
    *,
    engine: Engine,
    seed: int = 0,
    on_run: OnRun = lambda done, total: None,
) -> Trained:
    """The network trained on the training input of a task, of which it sees no target.

    It is shown as the task asks (`Task.shown_with`) and has its own parameters again afterwards.

    task: a task, or the name of one, drawn from `seed` then. mode: of `training.train.MODES`.
    settings: of the mode, as `--set` takes them, a table or the section itself. The others as in
    `train_on`. Raises InputError for what is unknown or does not fit.
    """
    how, task = mode_settings(mode, settings), as_task(task, seed)
    shown = as_shown(network, task)
    own = task.currents if isinstance(task, TrialsTask) else None
    currents = None if own is None else partial(own, shown)
    inputs = [drive_of(x, currents, seed, False) for x in runs(task.training_trials())]
    found = train_on(shown, inputs, how, engine=engine, seed=seed, name=task.name, on_run=on_run)
    return replace(found, network=replace(found.network, params=network.params))
