"""What must hold of a split series before anything is shown; one clear line where it does not."""

from typing import TYPE_CHECKING

import numpy as np

from hrsnn_brian.errors import InputError
from hrsnn_brian.tasks.segments import segments

if TYPE_CHECKING:
    from hrsnn_brian.tasks.split_series import SplitSeries


def check_variables(task: "SplitSeries") -> None:
    """Raises InputError if what is shown and predicted does not fit the variables or each other."""
    d = task.n_variables
    for name, columns in (("inputs", task.inputs), ("outputs", task.outputs)):
        known = all(_is_whole(k) and 0 <= k < d for k in columns)
        if not known or len(set(columns)) < len(columns):
            allowed = f"must be different numbers of variables from 0 to {d - 1}"
            raise InputError(name, list(columns), allowed)
    if task.names and len(task.names) != len(task.outputs):
        raise InputError("names", list(task.names), f"must be {len(task.outputs)}")
    if task.predict_increment and not set(task.outputs) <= set(task.inputs):
        raise InputError("outputs", task.outputs, "must be shown to be predicted by an increment")
    if task.vpt is not None and task.outputs != task.inputs:
        raise InputError("outputs", task.outputs, "must be the inputs in a closed loop")
    for name, noise in (("input_noise", task.input_noise), ("test_noise", task.test_noise)):
        if not (np.isfinite(noise) and noise >= 0):
            raise InputError(name, noise, "must be a number >= 0")


def check_blocks(task: "SplitSeries") -> None:
    """Raises InputError if blocks, horizons, cuts or the closed loop do not fit the series."""
    if not task.horizons or not all(_is_whole(h) and h >= 1 for h in task.horizons):
        raise InputError("horizons", task.horizons, "must be whole numbers of samples >= 1")
    if len(set(task.horizons)) < len(task.horizons):
        raise InputError("horizons", task.horizons, "must differ from each other")
    longest = max(task.horizons)
    if task.washout < 0:
        raise InputError("washout", task.washout, "must not be negative")
    if not 2 <= task.validation < task.train - longest:
        allowed = f"must lie between 2 and the training block less the horizon {longest}"
        raise InputError("validation", task.validation, allowed)
    if task.test <= longest:
        raise InputError("test", task.test, f"must be longer than the horizon {longest}")
    if task.washout + task.train + task.test != len(task.series):
        allowed = f"washout, train and test must add up to the series' {len(task.series)} samples"
        raise InputError("test", task.test, allowed)
    _check_cuts(task, longest)
    if task.vpt is None:
        return
    if 1 not in task.horizons:
        raise InputError("horizons", task.horizons, "a closed loop needs horizon 1 among them")
    if task.vpt.warmup > task.washout + task.train:
        raise InputError("warmup", task.vpt.warmup, "must not be longer than washout and train")
    if task.vpt.max_steps + task.vpt.starts - 1 > task.test:
        allowed = f"starts and free run must fit the {task.test} samples of the test block"
        raise InputError("max_steps", task.vpt.max_steps, allowed)
    possible = len(task.free_starts(task.vpt))
    if possible < task.vpt.starts:
        allowed = f"between its cuts the test block has room for {possible} free runs"
        raise InputError("starts", task.vpt.starts, allowed)


def _check_cuts(task: "SplitSeries", longest: int) -> None:
    if not task.cuts:
        return
    if min(part.stop - part.start for part in segments(task.n_samples, task.cuts)) < 1:
        allowed = f"must rise between 1 and {task.n_samples - 1}"
        raise InputError("cuts", list(task.cuts), allowed)
    train, test = len(task.train_rows), len(task.test_rows)  # type: ignore[arg-type]
    if not 2 <= task.validation_rows < train - 1 or not test:
        allowed = f"leave {train} rows to train, {task.validation_rows} of them to validate, and "
        allowed += f"{test} to test; a segment must be longer than washout and horizon {longest}"
        raise InputError("cuts", f"{len(task.cuts)} of them", allowed)


def check_values(task: "SplitSeries") -> None:
    """Raises InputError for a value that is not finite, and for a block that is constant."""
    bad = np.argwhere(~np.isfinite(task.series))
    if len(bad):
        row, column = (int(k) for k in bad[0])
        value = float(task.series[row, column])
        raise InputError("series", value, f"sample {row} of variable {column} must be finite")
    stop = task.train_block.stop
    blocks = {
        "training": task.train_block,
        "validation": slice(stop - task.validation, stop),
        "test": task.test_block,
    }
    for name, block in blocks.items():
        stuck = np.flatnonzero(np.ptp(task.series[block], axis=0) == 0.0)
        if len(stuck):
            which = f"variable {stuck[0]} " if task.n_variables > 1 else ""
            what = f"{which}is constant over the {name} block, samples {block.start} to "
            what += f"{block.stop - 1}, at {task.series[block.start, stuck[0]]:g} (a stuck sensor?)"
            raise InputError("series", task.name, what)


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
