"""Predictions of a new series by a readout that was fitted to another one, and a free run on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hrsnn_brian.errors import InputError
from hrsnn_brian.readout.linear import linear_map
from hrsnn_brian.readout.products import BLOCK, Products
from hrsnn_brian.simulation.drive import Drive, FloatArray, LinearReadout
from hrsnn_brian.tasks.closed_loop import squared
from hrsnn_brian.tasks.forecast import INPUT_BLOCK, Forecast, inside
from hrsnn_brian.tasks.scores import unit_word
from hrsnn_brian.tasks.segments import segments
from hrsnn_brian.tasks.series import Reading, Series, read_series
from hrsnn_brian.tasks.series_prediction import SeriesPrediction
from hrsnn_brian.tasks.series_scoring import block_digest, scored
from hrsnn_brian.tasks.split_series import SplitSeries
from hrsnn_brian.tasks.task import Fitted, Predictor

# Training standard deviations from the mean of which data and a free run are told. [our choice]
FAR = 10.0


@dataclass(frozen=True, eq=False)
class SeriesPredictor(Predictor):
    """A readout of states and of the present input for some horizons; see `SplitSeries`.

    Most fields are those of the task it was fitted on. mean, std: (D,), of its training block, in
    `unit`. coefficients: block -> (features, horizons * outputs), intercept: (horizons * outputs,),
    z-scored. free: the readout of a closed loop, None where the task's inputs are not what is
    predicted, or 1 is no horizon. trained: first row, last row + 1 and digest of the training
    block, by which a series that begins with it is known. products: as of `Fitted`.
    """

    kind: ClassVar[str] = "series"

    unit: str
    names: tuple[str, ...]
    variables: tuple[str, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    horizons: tuple[int, ...]
    washout: int
    predict_increment: bool
    closed_loop: bool
    trained: tuple[int, int, str]
    mean: FloatArray
    std: FloatArray
    coefficients: Mapping[str, FloatArray]
    intercept: FloatArray
    free: LinearReadout | None = None
    products: Products | None = None

    def __post_init__(self) -> None:
        shape = (len(self.horizons) * len(self.outputs),)
        if self.mean.shape != self.std.shape or self.intercept.shape != shape:
            raise ValueError("the parts of its readout do not fit each other")
        for part in (self.mean, self.std, self.intercept, *self.coefficients.values()):
            if not np.isfinite(part).all():
                raise ValueError("its readout is not finite")

    @property
    def words(self) -> tuple[str, ...]:
        """What the columns of each output have in their names: nothing, if there is one."""
        words = tuple(unit_word(name) for name in self.told)
        if len({*words}) < len(words) or "" in words:  # "a b" and "a_b", or signs alone
            words = tuple(str(k + 1) for k in range(len(words)))
        return tuple(f"_{word}" for word in words) if len(words) > 1 else ("",)

    @property
    def told(self) -> tuple[str, ...]:
        """Names of the outputs."""
        known = self.variables or tuple(f"variable {k + 1}" for k in range(len(self.mean)))
        return tuple(known[k] for k in self.outputs)

    def read(
        self,
        path: str | Path,
        columns: str | Sequence[str] | None = None,
        reading: Reading | None = None,
    ) -> Series:
        """Columns of a file, by default those the model knows by name, checked by `taken`.

        Raises InputError as `read_series` does.
        """
        if columns is None and not self.variables:
            raise InputError("column", None, f"name the columns of the data: {self._wanted()}")
        found = read_series(path, columns or self.variables, reading, self.washout + 1)
        self._check_order(found.names)
        return self.taken(found)

    def _check_order(self, names: Sequence[str]) -> None:
        """Raises InputError for known columns in another order; unknown ones may have any name."""
        shown = len(names) == len(self.inputs)
        known = [self.variables[k] for k in self.inputs] if shown else self.variables
        pairs = zip(names, known, strict=False)
        if any(name != own and name in self.variables for name, own in pairs):
            allowed = f"the model knows them as {', '.join(known)}, in this order"
            raise InputError("column", ", ".join(names), allowed)

    def taken(self, series: Series | ArrayLike) -> Series:
        """The series, or the one of an array (T,) or (T, columns), without segments too short.

        Raises InputError for another number of columns, a value that is not finite, or if there are
        not as many rows on end as the network needs to forget its initial state.
        """
        if not isinstance(series, Series):
            values = np.asarray(series, dtype=float)
            series = Series(values[:, None] if values.ndim == 1 else values)
        values, known = series.values, {len(self.inputs), len(self.mean)}
        if values.ndim != 2 or values.shape[1] not in known:
            found = f"{values.shape[1]} columns" if values.ndim == 2 else values.shape
            raise InputError("data", found, f"must be {self._wanted()}")
        if not np.isfinite(values).all():
            row, column = np.argwhere(~np.isfinite(values))[0]
            allowed = f"row {row}, column {column} (from 0) must be a finite number"
            raise InputError("data", float(values[row, column]), allowed)
        series = series.without_short_segments(self.washout + 1)
        if len(series.values) <= self.washout:
            allowed = f"must have more than {self.washout} rows on end, after which the initial "
            raise InputError("data", f"{len(values)} rows", f"{allowed}state is forgotten")
        return series

    def _wanted(self) -> str:
        names = [self.variables[k] for k in self.inputs] if self.variables else []
        text = f"the {len(self.inputs)} shown" + f" ({', '.join(names)})" * bool(names)
        every = f", or all {len(self.mean)} of the series" * (len(self.mean) > len(self.inputs))
        return f"{text}{every}"

    def shown(self, series: Series) -> FloatArray:
        """What a network is shown, (T, inputs), z-scored as the training block was."""
        inputs, values = list(self.inputs), series.values
        if values.shape[1] == len(self.mean):
            values = values[:, inputs]
        return (values - self.mean[inputs]) / self.std[inputs]

    def runs(self, series: Series) -> list[FloatArray]:
        """The inputs of each run: a reset at every cut."""
        shown = self.shown(series)
        return [shown[part] for part in segments(len(shown), series.cuts)]

    def drive(self, series: Series, steps: int, seed: int) -> Drive:
        """A run over the last segment and `steps` samples on.

        Raises InputError if the model has no closed loop.
        """
        if self.free is None:
            allowed = "needs a model that predicts its own inputs, 1 row ahead among others"
            raise InputError("free", steps, allowed)
        last = self.runs(series)[-1]
        teacher = np.concatenate([last, np.zeros((steps, last.shape[1]))])
        free = np.arange(len(teacher)) >= len(last)
        readout = self.free if self.products is None else squared(self.free, self.products)
        return Drive(teacher, free=free, readout=readout, seed=seed, record_states=False)

    def predict(
        self, series: Series, states: Mapping[str, FloatArray], run: FloatArray | None = None
    ) -> SeriesPrediction:
        """Predictions from every row but the `washout` first ones after a reset.

        states: block -> (T, features). run: the inputs of the run of `drive`, if there was one.
        """
        n = len(series.values)
        kept = [
            np.arange(part.start + self.washout, part.stop) for part in segments(n, series.cuts)
        ]
        rows, shown = np.concatenate(kept), self.shown(series)
        blocks = {INPUT_BLOCK: shown, **states}
        if self.products is not None:
            blocks[BLOCK] = self.products.features(states)
        raw = linear_map(
            self.coefficients,
            self.intercept,
            {name: blocks[name][rows] for name in self.coefficients if name in blocks},
        )
        now: FloatArray | float = 0.0
        if self.predict_increment:
            now = shown[rows][:, [self.inputs.index(k) for k in self.outputs]]
        d = len(self.outputs)
        predictions = {
            h: self._in_units(now + raw[:, k * d : (k + 1) * d])
            for k, h in enumerate(self.horizons)
        }
        free = np.empty((0, d)) if run is None else run[len(self.runs(series)[-1]) :]
        scores, n_scored, remarks = scored(self, series, rows, predictions)
        if free.size and not np.abs(free).max() <= FAR:
            far = f"{np.abs(free).max():.3g} training standard deviations"
            remarks = (*remarks, f"the free run ran away, up to {far} from the mean")
        far = np.abs(self.shown(series)).max()
        if far > FAR:
            told = (
                f"the data lie up to {far:.3g} training standard deviations from the training mean"
            )
            remarks = (*remarks, f"{told}: are they the same columns, in the same unit?")
        return SeriesPrediction(
            self,
            series,
            rows,
            predictions,
            self._in_units(free),
            scores,
            n_scored,
            (*series.remarks, *remarks),
        )

    def _in_units(self, z: FloatArray) -> FloatArray:
        outputs = list(self.outputs)
        return z * self.std[outputs] + self.mean[outputs]

    def saved(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        values = {name: getattr(self, name) for name in _VALUES}
        values["blocks"] = list(self.coefficients)
        arrays = {"mean": self.mean, "std": self.std, "intercept": self.intercept}
        arrays |= {f"weights/{name}": w for name, w in self.coefficients.items()}
        if self.free is not None:
            values["free"] = list(self.free.from_states)
            arrays |= {"free/intercept": self.free.intercept, "free/from_u": self.free.from_u}
            arrays |= {f"free/states/{name}": w for name, w in self.free.from_states.items()}
        if self.products is not None:
            values["products"] = list(self.products.axes)
            arrays["products/offset"] = self.products.offset
            arrays |= {f"products/axes/{name}": a for name, a in self.products.axes.items()}
        return values, arrays

    @classmethod
    def from_saved(cls, values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        free = products = None
        if "free" in values:
            states = {name: arrays[f"free/states/{name}"] for name in values["free"]}
            free = LinearReadout(arrays["free/intercept"], arrays["free/from_u"], states)
        if "products" in values:
            axes = {name: arrays[f"products/axes/{name}"] for name in values["products"]}
            products = Products(axes, arrays["products/offset"])
        chosen: dict[str, Any] = {
            name: tuple(found) if isinstance(found := values[name], list) else found
            for name in _VALUES
        }
        return cls(
            **chosen,
            mean=arrays["mean"],
            std=arrays["std"],
            intercept=arrays["intercept"],
            coefficients={name: arrays[f"weights/{name}"] for name in values["blocks"]},
            free=free,
            products=products,
        )


_VALUES = (
    *("unit", "names", "variables", "inputs", "outputs", "horizons", "washout"),
    *("predict_increment", "closed_loop", "trained"),
)


def series_predictor(task: SplitSeries, fitted: Fitted) -> SeriesPredictor:
    """What a task and a readout fitted to it know."""
    assert isinstance(fitted, Forecast)
    runs_on = fitted.one_step if task.inputs == task.outputs else None
    block = task.train_block
    known: dict[str, Any] = {name: getattr(task, name) for name in _VALUES if name != "trained"}
    return SeriesPredictor(
        **known,
        trained=(block.start, block.stop, block_digest(task.series[block])),
        mean=task.mean,
        std=task.std,
        coefficients=fitted.readout.coefficients,
        intercept=fitted.readout.intercept,
        free=inside(task, runs_on) if runs_on else None,
        products=fitted.products,
    )
