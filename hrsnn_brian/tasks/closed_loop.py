"""Closed-loop runs: what to show the network when, and how the free stretches are scored."""

import math
from dataclasses import dataclass

import numpy as np

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.score import HIGHER, Score
from hrsnn_brian.readout.products import BLOCK, Products
from hrsnn_brian.simulation.drive import LinearReadout
from hrsnn_brian.tasks.scores import unit_word, valid_prediction_time
from hrsnn_brian.tasks.split_series import SplitSeries, VptProtocol

# Training standard deviations: a model outside the simulation that has run away as far ended long
# before, and is taken no further, so that its numbers stay finite. [choice]
BOUND = 1e3


@dataclass(frozen=True, eq=False)
class Schedule:
    """One simulation holding every free run, S segments of warmup + max_steps samples.

    `teacher` (K, D) are z-scored inputs, true samples in the warm-ups and zeros in the free
    stretches; `free` (K,) marks the latter. At a free sample k the network is shown
        u_k = [u_{k-1} if increments are predicted] + intercept
              + coef_u . u_{k-1} + sum over blocks of coef_block . (state after sample k-1).
    `starts` (S,) is the index in the task's series of the first sample of each free stretch.
    """

    teacher: np.ndarray
    free: np.ndarray
    starts: np.ndarray
    warmup: int
    max_steps: int


def closed_loop_schedule(task: SplitSeries) -> Schedule:
    """The schedule of the task's VPT protocol, its starts spread evenly over the test block.

    The first start is the first test sample, the last one leaves room for `max_steps`; none crosses
    a cut. Warm-ups show inputs only, so that the first may reach back into the training block.

    Raises InputError if the task has no closed loop.
    """
    vpt = _protocol(task)
    possible = task.free_starts(vpt)
    first = int(possible[0])
    spread = np.linspace(first, first + len(possible) - 1, vpt.starts).round().astype(int)
    starts = possible[spread - first]
    teacher = np.zeros((vpt.starts, vpt.warmup + vpt.max_steps, len(task.inputs)))
    free = np.zeros(teacher.shape[:2], dtype=bool)
    free[:, vpt.warmup :] = True
    for segment, start in zip(teacher, starts, strict=True):
        segment[: vpt.warmup] = task.tested[start - vpt.warmup : start]
    return Schedule(
        teacher=teacher.reshape(-1, len(task.inputs)),
        free=free.reshape(-1),
        starts=starts,
        warmup=vpt.warmup,
        max_steps=vpt.max_steps,
    )


def squared(readout: LinearReadout, products: Products) -> LinearReadout:
    """A readout of states and of the block of products as the program has it, with squares."""
    weights = dict(readout.from_states)
    squares = products.as_squares(weights.pop(BLOCK))
    return LinearReadout(
        readout.intercept + squares.constant,
        readout.from_u,
        {name: weights[name] + squares.linear[name] for name in weights},
        squares.sums,
        squares.factors,
    )


def closed_loop_scores(
    task: SplitSeries, schedule: Schedule, predicted: np.ndarray
) -> tuple[Score, ...]:
    """Scores of a closed-loop run from the inputs `predicted` (K, D) that were shown in it.

    The mean valid prediction time (VPT) over starts is what the task is judged by; beside it are
    its standard error (0 for a single start), median, capped fraction, starts and threshold.

    Raises InputError if the task has no closed loop or `predicted` has another shape.
    """
    vpt = _protocol(task)
    times, unit = valid_prediction_times(task, schedule, predicted), unit_word(vpt.unit)
    spread = float(times.std(ddof=1)) if len(times) > 1 else 0.0
    sem, capped = spread / math.sqrt(len(times)), float(np.mean(times >= vpt.cap))
    return (
        Score(f"vpt_{unit}", float(times.mean()), vpt.unit, HIGHER, "VPT", primary=True),
        Score(f"vpt_sem_{unit}", sem, vpt.unit, label="standard error of VPT over starts"),
        Score(
            f"vpt_median_{unit}",
            float(np.median(times)),
            vpt.unit,
            HIGHER,
            "median VPT",
            minor=True,
        ),
        Score("vpt_capped_fraction", capped, label="free runs valid up to the cap"),
        Score("vpt_starts", len(times), label="free runs"),
        Score("vpt_threshold_sd", vpt.threshold, "training s.d.", label="error that ends a VPT"),
    )


def valid_prediction_times(
    task: SplitSeries, schedule: Schedule, predicted: np.ndarray
) -> np.ndarray:
    """VPT of each start, (S,), in the protocol's unit; arguments as in `closed_loop_scores`."""
    vpt = _protocol(task)
    if predicted.shape != schedule.teacher.shape:
        raise InputError("predicted", predicted.shape, f"must be {schedule.teacher.shape}")
    runs = predicted[schedule.free].reshape(len(schedule.starts), schedule.max_steps, -1)
    return np.array(
        [
            valid_prediction_time(
                run,
                task.truth[start : start + schedule.max_steps],
                vpt.threshold,
                vpt.steps_per_unit,
                vpt.cap,
            )
            for run, start in zip(runs, schedule.starts, strict=True)
        ]
    )


def _protocol(task: SplitSeries) -> VptProtocol:
    if task.vpt is None:
        raise InputError("task", task.name, "has no closed loop")
    return task.vpt
