"""The series of a forecast: how it is split, what is predicted, how a free run is scored."""

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from hrsnn_brian.errors import InputError

VPT_THRESHOLD = 0.4  # training standard deviations [our choice]


@dataclass(frozen=True)
class VptProtocol:
    """How valid prediction time is measured in closed loop (our choice).

    Before each of `starts` points, spread evenly over the test block, `warmup` true samples are
    shown; then the model runs freely for `max_steps` samples. Time is counted in `unit`,
    `steps_per_unit` samples long (a Lyapunov time for a chaotic system), up to `cap` of them.
    `threshold` is compared with the root mean square over the z-scored variables.
    """

    starts: int
    warmup: int
    max_steps: int
    threshold: float
    steps_per_unit: float
    unit: str
    cap: float

    def __post_init__(self) -> None:
        for name in ("starts", "warmup", "max_steps"):
            if getattr(self, name) < 1:
                raise InputError(name, getattr(self, name), "must be at least 1")
        for name in ("threshold", "steps_per_unit", "cap"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise InputError(name, value, "must be a positive number")


@dataclass(frozen=True, eq=False)
class SplitSeries:
    """A series of T samples of D variables and the protocol around it.

    In time order the series holds `washout` samples, the training block of `train` samples
    (the last `validation` of which choose the ridge penalty and the order of the linear model)
    and the test block of `test` samples. Nothing is ever fitted to the test block. Row t of
    any state matrix is the state after sample t was shown; the target of horizon h in row t is
    sample t + h, or its difference to sample t when `predict_increment`.

    `unit` is the series' own unit, `step` says what one sample is. `vpt` is None for tasks
    without a closed loop; with one, the horizons must include 1. `remarks` say what a reader of
    the scores must know about the series.

    Raises InputError if the counts do not add up to T, the series is not finite, a variable is
    constant over the training, validation or test block, or the horizons or closed loop do not
    fit the blocks.
    """

    name: str
    description: str
    unit: str
    step: str
    series: np.ndarray
    horizons: tuple[int, ...]
    washout: int
    train: int
    validation: int
    test: int
    predict_increment: bool
    vpt: VptProtocol | None = None
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        series = np.array(self.series, dtype=float)
        if series.ndim != 2:
            raise InputError("series", series.shape, "must have shape (samples, variables)")
        series.setflags(write=False)
        object.__setattr__(self, "series", series)
        _check_blocks(self)
        _check_values(self)

    @property
    def n_samples(self) -> int:
        """T, the length of the series."""
        return len(self.series)

    @property
    def n_variables(self) -> int:
        """D, the number of variables shown and predicted."""
        return self.series.shape[1]

    @property
    def closed_loop(self) -> bool:
        """Whether the task is also run freely, on its own predictions."""
        return self.vpt is not None

    @property
    def train_block(self) -> slice:
        """Samples of the training block, validation included."""
        return slice(self.washout, self.washout + self.train)

    @property
    def test_block(self) -> slice:
        """Samples of the test block."""
        return slice(self.washout + self.train, self.n_samples)

    @property
    def train_rows(self) -> slice:
        """Rows whose targets, for every horizon, lie inside the training block."""
        return slice(self.washout, self.washout + self.train - max(self.horizons))

    @property
    def test_rows(self) -> slice:
        """Rows of the test block whose targets exist for every horizon: one set for all."""
        return slice(self.washout + self.train, self.n_samples - max(self.horizons))

    @cached_property
    def mean(self) -> np.ndarray:
        """Mean over the training block, (D,), in `unit`."""
        return _read_only(self.series[self.train_block].mean(axis=0))

    @cached_property
    def std(self) -> np.ndarray:
        """Standard deviation over the training block, (D,), in `unit`."""
        return _read_only(self.series[self.train_block].std(axis=0))

    @cached_property
    def z(self) -> np.ndarray:
        """The series z-scored by the training block, (T, D): what the network is shown."""
        return _read_only((self.series - self.mean) / self.std)

    def target(self, rows: slice, horizon: int) -> np.ndarray:
        """z-scored targets of the given rows, (rows, D): values, or increments if so declared."""
        ahead = self.z[rows.start + horizon : rows.stop + horizon]
        return ahead - self.z[rows] if self.predict_increment else ahead

    def in_units(self, z: np.ndarray) -> np.ndarray:
        """z-scored values (..., D) in the series' own unit."""
        return z * self.std + self.mean

    def protocol(self) -> dict[str, Any]:
        """Everything but the samples, as plain values for a run's configuration."""
        return {
            "name": self.name,
            "unit": self.unit,
            "step": self.step,
            "variables": self.n_variables,
            "horizons": list(self.horizons),
            "washout": self.washout,
            "train": self.train,
            "validation": self.validation,
            "test": self.test,
            "predict_increment": self.predict_increment,
            "vpt": None if self.vpt is None else asdict(self.vpt),
        }


def _read_only(values: np.ndarray) -> np.ndarray:
    values.setflags(write=False)
    return values


def _check_blocks(task: SplitSeries) -> None:
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
    if task.vpt is None:
        return
    if 1 not in task.horizons:
        raise InputError("horizons", task.horizons, "a closed loop needs horizon 1 among them")
    if task.vpt.warmup > task.washout + task.train:
        raise InputError("warmup", task.vpt.warmup, "must not be longer than washout and train")
    if task.vpt.max_steps + task.vpt.starts - 1 > task.test:
        allowed = f"starts and free run must fit the {task.test} samples of the test block"
        raise InputError("max_steps", task.vpt.max_steps, allowed)


def _check_values(task: SplitSeries) -> None:
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
