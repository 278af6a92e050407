"""A network with a fitted readout, in one file: it predicts new data without training again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from hrsnn_brian.errors import InputError
from hrsnn_brian.evaluation.present import as_shown, present_runs
from hrsnn_brian.files.archive import Archive
from hrsnn_brian.files.atomic import plain
from hrsnn_brian.files.identity import package_digest, package_version
from hrsnn_brian.network.digest import network_digest
from hrsnn_brian.network.io import network_arrays, network_from
from hrsnn_brian.network.network import Network
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.simulation import Drive, Engine, Presentation, simulate, simulate_batch
from hrsnn_brian.simulation.drive import FloatArray
from hrsnn_brian.tasks.class_predictor import ClassPrediction, ClassPredictor
from hrsnn_brian.tasks.images.image_predictor import ImagePredictor
from hrsnn_brian.tasks.series_prediction import SeriesPrediction
from hrsnn_brian.tasks.series_predictor import SeriesPredictor
from hrsnn_brian.tasks.task import Fitted, Predictor, Task, Watch, unwatched

MODEL_FILE = Archive("model", 1)
_KINDS: dict[str, type[Predictor]] = {
    kind.kind: kind for kind in (SeriesPredictor, ClassPredictor, ImagePredictor)
}
_NETWORK = "network/"


@dataclass(frozen=True, eq=False)
class Model:
    """A network, what is predicted from its states, and where both come from.

    params: the network's while data are shown, see `Task.shown_with`. task, readout: names. seed:
    root of the initial state and of the encoder's noise. scores: what it had on the test block.
    made_by: version and digest of the package it was made by.
    """

    network: Network
    predictor: Predictor
    params: HRSNNParams
    task: str
    readout: str
    seed: int
    scores: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    made_by: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __repr__(self) -> str:
        return f"<Model of {self.task}, readout {self.readout}, on {self.network!r}>"

    @property
    def shown(self) -> Network:
        """The network with the parameters it has while data are shown."""
        return replace(self.network, params=self.params)

    def require_network(self, network: Network, argument: str = "network") -> None:
        """Raises InputError unless it is the model's, whatever its history."""
        own, other = network_digest(self.network), network_digest(network)
        if own != other:
            allowed = f"the model is of another network, {own[:12]}"
            raise InputError(argument, f"network {other[:12]}", allowed)

    def predict(
        self, data: Any, *, engine: Engine, free: int = 0, watch: Watch = unwatched
    ) -> SeriesPrediction | ClassPrediction:
        """What the model makes of new data; nothing is fitted.

        data: as the predictor's `read` gives it, or an array: of a series (T, columns) in its own
        units, images (n, height, width[, channels]), or trials (n, samples, D). free: samples of a
        run on its own predictions after the last row of a series. A series is shown from the
        network's initial state, and predicted once as many rows as of the washout were shown: rows
        of the task's own series have the very states they were scored by. With Poisson input
        trials have noise of their own, by their number among those given.

        Raises InputError for data of another shape, too short or not finite.
        """
        if isinstance(self.predictor, SeriesPredictor):
            return self._series(self.predictor, data, engine, free)
        assert isinstance(self.predictor, ClassPredictor)
        if free:
            raise InputError(
                "free", free, "is about a series, and the model is of images or trials"
            )
        return self._classes(self.predictor, data, engine, watch)

    def _series(
        self, predictor: SeriesPredictor, data: Any, engine: Engine, free: int
    ) -> SeriesPrediction:
        series, network = predictor.taken(data), self.shown
        drive = predictor.drive(series, free, self.seed) if free else None
        traces = network.params.timing.trace_names
        states = (*traces, "v") if "v" in predictor.coefficients else traces
        drives = (
            Drive(inputs, seed=self.seed, record_states=states) for inputs in predictor.runs(series)
        )
        shown = present_runs(engine, network, drives)
        run = simulate(engine, network, drive).u if drive else None
        return predictor.predict(series, shown.states, run)

    def _classes(
        self, predictor: ClassPredictor, data: Any, engine: Engine, watch: Watch
    ) -> ClassPrediction:
        trials = predictor.taken(data)
        seen: list[FloatArray] = []
        outputs = []
        network, batches = self.shown, predictor.batches(trials, seen)
        if predictor.currents is not None:
            batches = map(partial(predictor.currents, network), batches)
        direct = predictor.currents is not None
        how = Presentation(at=predictor.at, seed=self.seed, direct=direct)
        for chunk in simulate_batch(engine, network, batches, how):
            features = None
            if seen:
                rows = np.concatenate(seen)
                features, seen[:] = rows[: len(chunk.trials)], [rows[len(chunk.trials) :]]
            outputs.append(predictor.outputs(chunk.states, features))
            watch("shown", chunk.trials.stop, len(trials.x))
        return predictor.predict(trials, np.concatenate(outputs))


def make_model(network: Network, task: Task, readout: str, fitted: Fitted, seed: int) -> Model:
    """The model of a readout fitted to the states of a network on a task, for `seed`.

    Raises InputError if the task, or the readout, cannot be saved.
    """
    return Model(
        network,
        task.predictor(readout, fitted),
        as_shown(network, task).params,
        task.name,
        readout,
        seed,
        plain({score.name: score for score in fitted.scores}),
        {"version": package_version(), "digest": package_digest()},
    )


def save_model(model: Model, path: str | Path) -> Path:
    """Writes the model to `path` (.npz), whole or not at all; returns the path.

    Raises InputError if the name does not end in .npz or the place cannot be written to.
    """
    values, arrays = model.predictor.saved()
    names = ("task", "readout", "seed", "scores", "made_by")
    meta = {name: getattr(model, name) for name in names}
    meta |= {
        "kind": model.predictor.kind,
        "predictor": values,
        "params": model.params.to_dict(),
        "network_digest": network_digest(model.network),
    }
    of_network = {_NETWORK + name: array for name, array in network_arrays(model.network).items()}
    text = np.array(json.dumps(plain(meta), allow_nan=False))
    return MODEL_FILE.write(path, {"meta": text, **of_network, **arrays})


def load_model(path: str | Path) -> Model:
    """The model in a file of `save_model`; it predicts what the saved one does.

    Raises InputError if the file is missing, corrupt, pickled, of another kind or version, or
    holds parts that do not fit together.
    """
    arrays = MODEL_FILE.read(path)
    MODEL_FILE.require(path, arrays, ("meta", f"{_NETWORK}meta"))
    with MODEL_FILE.making(path):
        meta = json.loads(str(arrays["meta"]))
        network = network_from(
            {n.removeprefix(_NETWORK): a for n, a in arrays.items() if n.startswith(_NETWORK)}
        )
        if network_digest(network) != meta["network_digest"]:
            raise ValueError("its network is not the one it was saved with")
        return Model(
            network,
            _KINDS[meta["kind"]].from_saved(meta["predictor"], arrays),
            HRSNNParams.from_dict(meta["params"]),
            str(meta["task"]),
            str(meta["readout"]),
            int(meta["seed"]),
            dict(meta["scores"]),
            dict(meta["made_by"]),
        )
