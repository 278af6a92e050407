"""The series of a forecast: how it is split, what is predicted, how a free run is scored."""

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from hrsnn_brian.errors import InputError
from hrsnn_brian.seeds import rng
from hrsnn_brian.tasks.segments import Rows, shifted, uncut
from hrsnn_brian.tasks.split_checks import check_blocks, check_values, check_variables

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

    inputs, outputs: which of the D variables are shown, and which are predicted; all of them if
        empty. A closed loop needs the same ones in both, an increment those predicted among those
        shown. names: of the outputs, if their units differ: they are scored one by one then.
    variables: names of the D variables, such as columns of a file, where they have any.
    cuts: samples that do not follow the one before them (a gap was cut out there). The model is
        reset at each, and `washout` rows after it are left out; so is every row with a target,
        and every free run, that would reach across one.
    input_noise, seed: standard deviation of the Gaussian noise, in those of the training block, on
        what is shown before the test block (targets stay clean), and its root. test_noise: the same
        on what is shown of the test block, and before free runs.

    Raises InputError if the counts do not add up to T, the series is not finite, a variable is
    constant over the training, validation or test block, or the horizons, variables, cuts or
    closed loop do not fit the blocks.
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
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    cuts: tuple[int, ...] = ()
    input_noise: float = 0.0
    test_noise: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        series = np.array(self.series, dtype=float)
        if series.ndim != 2:
            raise InputError("series", series.shape, "must have shape (samples, variables)")
        series.setflags(write=False)
        object.__setattr__(self, "series", series)
        every = tuple(range(series.shape[1]))
        object.__setattr__(self, "inputs", tuple(self.inputs) or every)
        object.__setattr__(self, "outputs", tuple(self.outputs) or every)
        check_variables(self)
        check_blocks(self)
        check_values(self)

    @property
    def n_samples(self) -> int:
        """T, the length of the series."""
        return len(self.series)

    @property
    def n_variables(self) -> int:
        """D, the number of variables of the series."""
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
    def train_rows(self) -> Rows:
        """Rows whose targets, for every horizon, lie inside the training block."""
        return self._rows(self.train_block)

    @property
    def validation_rows(self) -> int:
        """How many of them, the last ones, choose penalties and orders."""
        rows = self.train_rows
        if isinstance(rows, slice):
            return self.validation
        last = self.train_block.stop - max(self.horizons)
        return int(np.sum(rows >= last - self.validation))

    @property
    def history(self) -> int:
        """Samples, the present one included, that are known before every row."""
        return self.washout + 1

    @property
    def test_rows(self) -> Rows:
        """Rows of the test block whose targets exist for every horizon: one set for all."""
        return self._rows(self.test_block)

    def _rows(self, block: slice) -> Rows:
        longest = max(self.horizons)
        inside = slice(block.start, block.stop - longest)
        return uncut(inside, self.n_samples, self.cuts, self.washout, longest)

    def free_starts(self, vpt: VptProtocol) -> np.ndarray:
        """Samples of the test block at which a free run of that protocol may begin.

        `warmup` samples, and as many as any lag may reach back, come before it without a cut.
        """
        inside = slice(self.test_block.start, self.n_samples - vpt.max_steps + 1)
        before = max(vpt.warmup, self.history)
        found = uncut(inside, self.n_samples, self.cuts, before, vpt.max_steps - 1)
        return np.arange(found.start, found.stop) if isinstance(found, slice) else found

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
        """The series z-scored by the training block, (T, D)."""
        return _read_only((self.series - self.mean) / self.std)

    @cached_property
    def tested(self) -> np.ndarray:
        """What a test shows, (T, inputs): z-scored, with `test_noise`."""
        tested = self.z[:, list(self.inputs)]
        if self.test_noise:
            noise = rng(self.seed, "noise", "test input").normal(size=tested.shape)
            tested += self.test_noise * noise
        return _read_only(tested)

    @cached_property
    def shown(self) -> np.ndarray:
        """What is shown, (T, inputs): z-scored, with the noise of the block."""
        shown = self.z[:, list(self.inputs)]
        shown[self.test_block] = self.tested[self.test_block]
        if self.input_noise:
            noisy = shown[: self.test_block.start]
            noisy += self.input_noise * rng(self.seed, "noise", "input").normal(size=noisy.shape)
        return _read_only(shown)

    @cached_property
    def truth(self) -> np.ndarray:
        """What is to be predicted, (T, outputs): z-scored and clean."""
        return _read_only(self.z[:, list(self.outputs)])

    def now(self, rows: Rows) -> np.ndarray | float:
        """What a prediction starts from, (rows, outputs): the values shown, or 0. z-scored."""
        if not self.predict_increment:
            return 0.0
        return self.shown[rows][:, [self.inputs.index(k) for k in self.outputs]]

    def target(self, rows: Rows, horizon: int) -> np.ndarray:
        """z-scored targets of the given rows, (rows, outputs): values, or increments."""
        return self.truth[shifted(rows, horizon)] - self.now(rows)

    def in_units(self, z: np.ndarray) -> np.ndarray:
        """z-scored outputs (..., outputs) in the series' own unit."""
        columns = list(self.outputs)
        return z * self.std[columns] + self.mean[columns]

    def development(self) -> Self:
        """The task whose test block is the validation block of this one; it ends there.

        For choosing settings: nothing of the test block is in it. Free runs are cut to half the
        block at most; where none fits, the forecasts are left.
        """
        end = self.train_block.stop
        shorter = replace(
            self,
            series=self.series[:end],
            train=self.train - self.validation,
            validation=self.validation * (self.train - self.validation) // self.train,
            test=self.validation,
            cuts=tuple(cut for cut in self.cuts if cut < end),
            vpt=None,
        )
        if self.vpt is None:
            return shorter
        steps = min(self.vpt.max_steps, self.validation // 2)
        cap = min(self.vpt.cap, steps / self.vpt.steps_per_unit)
        vpt = replace(self.vpt, max_steps=steps, cap=cap)
        possible = len(shorter.free_starts(vpt))
        vpt = replace(vpt, starts=max(1, min(vpt.starts, possible)))
        return replace(shorter, vpt=vpt) if possible else shorter

    def protocol(self) -> dict[str, Any]:
        """Everything but the samples, as plain values for a run's configuration."""
        return {
            "name": self.name,
            "unit": self.unit,
            "step": self.step,
            "variables": self.n_variables,
            "inputs": list(self.inputs),
            "outputs": list(self.outputs),
            "cuts": list(self.cuts),
            "input_noise": self.input_noise,
            "test_noise": self.test_noise,
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
