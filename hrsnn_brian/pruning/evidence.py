"""What a method needs to know of a network beyond its weights, and where it gets it from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.network.network import Network
from hrsnn_brian.pruning.covariance import linear_covariance

Floats = NDArray[np.float64]
Covariance = str | Floats | Callable[[Network], Floats]
Facts = dict[str, Floats]

NEEDS = {
    "covariance": "(N, N), of the filtered rates under task-agnostic white noise",
    "rates": "(N,), Hz, firing rates under task-agnostic white noise",
    "task_rates": "(N,), Hz, firing rates on the task",
    "readout_weight": "(N,), size of the trained readout's weights on each neuron",
}
OF_TASK = ("task_rates", "readout_weight")


class Measure(Protocol):
    """What may be asked of a network as it stands; methods of `NEEDS`. Only those needed count."""

    def covariance(self, network: Network) -> Floats: ...

    def rates(self, network: Network) -> Floats: ...

    def task_rates(self, network: Network, task: Any) -> Floats: ...

    def readout_weight(self, network: Network, task: Any) -> Floats: ...


@dataclass(frozen=True)
class Source:
    """Where facts come from: a covariance given goes before the measured one."""

    covariance: Covariance | None = None
    measure: Measure | None = None
    task: Any = None

    def check(self, method: str, needs: Sequence[str]) -> None:
        """Raises InputError, before anything is measured, if one of `needs` has no source."""
        if isinstance(self.covariance, str) and self.covariance != "linear":
            raise unknown_name("covariance", self.covariance, ["linear"])
        for need in needs:
            if need == "covariance" and self.covariance is not None:
                continue
            if not callable(getattr(self.measure, need, None)):
                given = "an array, a function, 'linear' or " if need == "covariance" else ""
                what = f"method {method!r} needs {given}a measure with {need}(...): {NEEDS[need]}"
                raise InputError("covariance" if given else "measure", self._given(need), what)
            if need in OF_TASK and self.task is None:
                raise InputError("task", None, f"method {method!r} prunes for a task: give one")

    def facts(self, network: Network, needs: Sequence[str]) -> Facts:
        """The facts of the network as it stands, by name.

        Raises InputError if what was measured does not fit the network.
        """
        return {need: self._fact(network, need) for need in needs}

    @property
    def kind(self) -> str:
        """Where the covariance comes from, for the history."""
        if isinstance(self.covariance, str):
            return self.covariance
        if self.covariance is None:
            return "measured"
        return "function" if callable(self.covariance) else "array"

    def _given(self, need: str) -> str | None:
        if self.measure is None or need == "covariance":
            return None
        return type(self.measure).__name__

    def _fact(self, network: Network, need: str) -> Floats:
        if need == "covariance":
            return self._covariance(network)
        asked = (network, self.task) if need in OF_TASK else (network,)
        values = np.asarray(getattr(self.measure, need)(*asked), dtype=float)
        n = network.n_neurons
        if values.shape != (n,) or not np.isfinite(values).all():
            raise InputError(need, values.shape, f"must be {n} finite numbers, one per neuron")
        if not values.any():
            raise InputError(
                need, 0.0, "is zero everywhere: a silent network, raise the drive or the bias"
            )
        return values

    def _covariance(self, network: Network) -> Floats:
        if isinstance(self.covariance, str):
            return linear_covariance(network.W, network.tau_m)
        if self.covariance is None:
            assert self.measure is not None  # `check` has refused to start without one
            return np.asarray(self.measure.covariance(network))
        return np.asarray(
            self.covariance(network) if callable(self.covariance) else self.covariance
        )
