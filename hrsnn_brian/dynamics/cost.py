"""What a network costs to run, counted in events."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from hrsnn_brian.errors import InputError


@dataclass(frozen=True)
class Cost:
    """Cost of a network at work; the readout is counted apart from the recurrent synapses."""

    neurons: int
    synapses: int
    rate_hz: float
    silent_fraction: float
    synaptic_ops_per_s: float
    readout_ops_per_s: float

    def to_dict(self) -> dict[str, float | int]:
        """The fields by name, ready for a table row."""
        return asdict(self)


@dataclass(frozen=True)
class SampleCost:
    """What it costs to show one sample, or one trial such as an image, on average.

    Event-driven hardware pays for synaptic events; a clocked machine pays for the update of every
    neuron in every time step, about 7 multiply-adds each, too. The readout is counted apart.
    """

    spikes_per_sample: float
    synaptic_events_per_sample: float
    neuron_updates_per_sample: float
    readout_ops_per_sample: float

    def to_dict(self) -> dict[str, float]:
        """The fields by name, ready for a table row."""
        return asdict(self)


def sample_cost(cost: Cost, seconds: float, dt: float) -> SampleCost:
    """The same as `cost` says, for a sample that is shown for `seconds` in steps of `dt`."""
    return SampleCost(
        spikes_per_sample=cost.neurons * cost.rate_hz * seconds,
        synaptic_events_per_sample=cost.synaptic_ops_per_s * seconds,
        neuron_updates_per_sample=float(cost.neurons * round(seconds / dt)),
        readout_ops_per_sample=cost.readout_ops_per_s * seconds,
    )


def network_cost(
    W: sp.csr_matrix | sp.csr_array,
    spike_counts: np.ndarray,
    seconds: float,
    n_traces: int = 1,
    n_outputs: int = 1,
) -> Cost:
    """The costs of a network W[post, pre] that fired `spike_counts` (N,) in `seconds`."""
    return Cost(
        neurons=W.shape[0],
        synapses=int(W.nnz),
        rate_hz=float(np.mean(rates_hz(spike_counts, seconds))),
        silent_fraction=silent_fraction(spike_counts, seconds),
        synaptic_ops_per_s=synaptic_ops_per_s(W, spike_counts, seconds),
        readout_ops_per_s=readout_ops_per_s(spike_counts, seconds, n_traces, n_outputs),
    )


def rates_hz(spike_counts: np.ndarray, seconds: float) -> np.ndarray:
    """Mean firing rate of each neuron in Hz, (N,), from its spike count in `seconds`.

    Raises InputError if a count is negative or `seconds` is not positive.
    """
    counts = np.asarray(spike_counts, dtype=float)
    if not (np.isfinite(seconds) and seconds > 0):
        raise InputError("seconds", seconds, "must be a positive duration")
    if counts.ndim != 1 or len(counts) == 0:
        raise InputError("spike_counts", counts.shape, "must hold one count per neuron")
    if np.any(~(counts >= 0)):
        raise InputError("spike_counts", float(counts.min()), "must not be negative")
    return counts / seconds


def silent_fraction(spike_counts: np.ndarray, seconds: float, at_most_hz: float = 0.0) -> float:
    """Fraction of the neurons firing at `at_most_hz` or less; by default those without a spike."""
    return float(np.mean(rates_hz(spike_counts, seconds) <= at_most_hz))


# Networks that score well have up to 0.4 % of their neurons at the ceiling (default) or 4 % (with
# encoder gains up to 10), default networks of J = 0.3 or more, which score badly, 7 to 26 %.
# [our choice]
SATURATED_SHARE = 0.05


class ActivityWarning(UserWarning):
    """A network at work that is silent or saturated."""


def saturated_fraction(spike_counts: np.ndarray, seconds: float, ceiling_hz: float) -> float:
    """Fraction of the neurons at the ceiling `HRSNNParams.ceiling_hz`: above half of it.

    Such a neuron is refractory for more than half of the time; input can hardly move its rate.
    """
    return float(np.mean(rates_hz(spike_counts, seconds) > ceiling_hz / 2))


def activity_warning(spike_counts: np.ndarray, seconds: float, ceiling_hz: float) -> str | None:
    """What is wrong with the activity of a network, in one line; None if nothing is."""
    if silent_fraction(spike_counts, seconds) == 1:
        return "the network is silent, its states tell nothing; raise the drive or the bias"
    share = saturated_fraction(spike_counts, seconds, ceiling_hz)
    if share <= SATURATED_SHARE:
        return None
    where = f"{share:.0%} of the neurons are at the refractory ceiling, above half of"
    change = "scores say whether weaker weights (of a matrix: graph.scale) or drive are better"
    return f"the network is saturated: {where} {ceiling_hz:g} Hz, and hardly follow input; {change}"


def warn_of_activity(spike_counts: np.ndarray, seconds: float, ceiling_hz: float) -> None:
    """An `ActivityWarning`, shown as that of the caller's caller, if there is something to say."""
    found = activity_warning(spike_counts, seconds, ceiling_hz)
    if found is not None:
        warnings.warn(found, ActivityWarning, stacklevel=3)


@contextmanager
def activity_said(say: Callable[[str], None]) -> Iterator[None]:
    """Inside, each `ActivityWarning` is given to `say`, once; other warnings stay what they are."""
    with warnings.catch_warnings():
        show, said = warnings.showwarning, set[str]()

        def told(message: Any, category: type[Warning], *rest: Any, **more: Any) -> None:
            if not issubclass(category, ActivityWarning):
                show(message, category, *rest, **more)
            elif str(message) not in said:
                said.add(str(message))
                say(str(message))

        warnings.showwarning = told
        warnings.simplefilter("always", ActivityWarning)
        yield


def synaptic_ops_per_s(
    W: sp.csr_matrix | sp.csr_array, spike_counts: np.ndarray, seconds: float
) -> float:
    """Synaptic operations per second: the sum over spikes of the neuron's fan-out.

    The fan-out is the number of synapses stored in the neuron's column of W[post, pre]; a
    synapse set to zero but not removed still costs its operation.

    Raises InputError if W is not square or does not match the counts.
    """
    rates = rates_hz(spike_counts, seconds)
    if W.shape != (len(rates), len(rates)):
        raise InputError("W", W.shape, f"must be square with {len(rates)} neurons")
    fan_out = np.bincount(W.tocsr().indices, minlength=len(rates))
    return float(fan_out @ rates)


def readout_ops_per_s(
    spike_counts: np.ndarray, seconds: float, n_traces: int, n_outputs: int
) -> float:
    """The same for a readout on spike traces: each spike meets `n_traces * n_outputs` weights."""
    return float(n_traces * n_outputs * np.sum(rates_hz(spike_counts, seconds)))
