"""What one network is and does, as small tables that a plot is drawn from.

Each kind is a table of columns of one length; `figures.portraits` draws it. Wiring and time
constants are read off the network; activity is that under a frozen task-agnostic drive.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.dynamics.activity import (
    autocorrelation,
    isi_cv,
    population_rate,
    principal_components,
)
from hrsnn_brian.dynamics.eigenmodes import leading_modes, linearised
from hrsnn_brian.dynamics.exponents.spiking import DRIVES, Protocol, lyapunov_spectrum
from hrsnn_brian.dynamics.probe import filtered_rates, rate_states
from hrsnn_brian.errors import unknown_name
from hrsnn_brian.network.network import Network
from hrsnn_brian.simulation import Engine, Recording, simulate

Columns = dict[str, NDArray[Any]]

RASTER_SECONDS, RASTER_NEURONS = 1.0, 100
BLOCKS = 50  # rows and columns of the picture of a matrix, at most
MODES = 1000  # neurons up to which all eigenvalues are found, else as many leading ones
BIN, LAGS = 5e-3, 100  # of the population rate: width (s), and how many of them a lag may be
EXPONENTS, COPIES, ALONE = 10, 8, 2.0  # of a spectrum; copies left alone, and how long (s)


@dataclass(frozen=True)
class Portrait:
    """How a network is looked at.

    seconds: biological time of its activity. drive: what it gets meanwhile, of
    `exponents.spiking.DRIVES`. seed: of
    drive and initial state.
    """

    network: Network
    engine: Engine
    seed: int = 0
    seconds: float = 10.0
    drive: str = "independent"

    def __post_init__(self) -> None:
        if self.drive not in DRIVES:
            raise unknown_name("drive", self.drive, DRIVES)

    def tables(self, kinds: Iterable[str]) -> dict[str, Columns]:
        """The table of each kind. Raises InputError for a kind there is not (see `KINDS`)."""
        kinds = list(kinds)
        for kind in kinds:
            if kind not in KINDS:
                raise unknown_name("kind", kind, [*KINDS, "all"])
        return {kind: KINDS[kind][1](self) for kind in kinds}

    @cached_property
    def recording(self) -> Recording:
        """The run under the drive, with spikes and states."""
        drive = DRIVES[self.drive](self.network, self.seconds, self.seed)
        states = rate_states(self.network)
        asked = replace(drive, record_states=states, record_spikes=True, traces=True)
        return simulate(self.engine, self.network, asked)

    @property
    def classes(self) -> NDArray[Any]:
        """ "E" or "I" of each neuron."""
        return np.where(self.network.is_e, "E", "I")


def _raster(of: Portrait) -> Columns:
    """Spikes of up to 100 neurons, a like share of each class, in the last second."""
    found, n = of.recording, of.network.n_neurons
    assert found.spike_index is not None
    assert found.spike_time is not None
    order = np.argsort(~of.network.is_e, kind="stable")  # excitatory neurons first
    shown = order[np.linspace(0, n - 1, min(n, RASTER_NEURONS)).astype(int)]
    line = np.full(n, -1)
    line[shown] = np.arange(len(shown))
    start = max(0.0, found.seconds - RASTER_SECONDS)
    chosen = (line[found.spike_index] >= 0) & (found.spike_time >= start)
    neuron = found.spike_index[chosen]
    return {
        "time_s": found.spike_time[chosen] - start,
        "line": line[neuron],
        "neuron": of.network.neuron_id[neuron],
        "class": of.classes[neuron],
    }


def _rates(of: Portrait) -> Columns:
    rates = of.recording.spike_count / of.recording.seconds
    return {"neuron": of.network.neuron_id, "class": of.classes, "rate_hz": rates}


def _isi(of: Portrait) -> Columns:
    found = of.recording
    assert found.spike_index is not None
    assert found.spike_time is not None
    cv = isi_cv(found.spike_index, found.spike_time, of.network.n_neurons)
    return {"neuron": of.network.neuron_id, "class": of.classes, "isi_cv": cv}


def _tau(of: Portrait) -> Columns:
    network = of.network
    return {
        "neuron": network.neuron_id,
        "class": of.classes,
        "cluster": network.cluster,
        "tau_m_ms": 1e3 * network.tau_m,
    }


def _connectivity(of: Portrait) -> Columns:
    """Mean weight of the synapses possible between blocks of neurons, excitatory ones first."""
    network = of.network
    n = network.n_neurons
    place = np.empty(n, dtype=np.int64)
    place[np.argsort(~network.is_e, kind="stable")] = np.arange(n)
    size = -(-n // BLOCKS)
    blocks = -(-n // size)
    W = network.W.tocoo()
    block = np.bincount(np.arange(n) // size)
    sums = np.zeros((blocks, blocks))
    np.add.at(sums, (place[W.row] // size, place[W.col] // size), W.data)
    post, pre = np.indices((blocks, blocks))
    mean = sums / np.outer(block, block)
    return {"post": post.ravel() * size, "pre": pre.ravel() * size, "mean_weight": mean.ravel()}


def _degrees(of: Portrait) -> Columns:
    W = of.network.W
    incoming = np.diff(W.indptr)
    outgoing = np.bincount(W.indices, minlength=of.network.n_neurons)
    ids = of.network.neuron_id
    return {"neuron": ids, "class": of.classes, "in_degree": incoming, "out_degree": outgoing}


def _eigenvalues(of: Portrait) -> Columns:
    """Of A = -D + D W: all, or the leading ones of a large network."""
    n = of.network.n_neurons
    values, _ = leading_modes(
        linearised(of.network.W, of.network.tau_m), None if n <= MODES else MODES // 4
    )
    return {"real_per_s": values.real, "imag_per_s": values.imag}


def _spectrum(of: Portrait) -> Columns:
    found = lyapunov_spectrum(
        of.network,
        engine=of.engine,
        k=min(EXPONENTS, of.network.n_neurons),
        protocol=Protocol(duration=2.0, segments=2),
        drive=DRIVES[of.drive],
        seed=of.seed,
    )
    index = np.arange(1, len(found.exponents) + 1)
    return {
        "index": index,
        "exponent_per_s": np.asarray(found.exponents),
        "standard_error_per_s": np.asarray(found.standard_error),
    }


def _divergence(of: Portrait) -> Columns:
    """Distances of copies that are left alone, spike times inside the step; 0 has no logarithm."""
    from hrsnn_brian.dynamics.exponents.finite_size import EchoProtocol, echo

    plan = EchoProtocol(d0=1e-8, copies=COPIES, duration=ALONE, interpolated=True)
    found = echo(of.network, engine=of.engine, protocol=plan, drive=DRIVES[of.drive], seed=of.seed)
    times, copies = found.distance.shape
    with np.errstate(divide="ignore"):
        logs = np.where(found.distance > 0, np.log(found.distance), np.nan)
    return {
        "copy": np.tile(np.arange(copies), times),
        "time_s": np.repeat(found.times, copies),
        "ln_distance": logs.ravel(),
    }


def _pca(of: Portrait) -> Columns:
    """States on their two leading principal components, and what each explains."""
    on, share = principal_components(filtered_rates(of.network, of.recording), 2)
    count = len(on)
    return {
        "time_s": np.arange(count) * of.network.params.timing.sample,
        "pc_1": on[:, 0],
        "pc_2": on[:, 1],
        "explained_1": np.full(count, share[0]),
        "explained_2": np.full(count, share[1]),
    }


def _autocorrelation(of: Portrait) -> Columns:
    """Of the population rate, 1 at lag 0."""
    found = of.recording
    assert found.spike_time is not None
    rate = population_rate(found.spike_time, of.network.n_neurons, found.seconds, BIN)
    rho = autocorrelation(rate)[: LAGS + 1]
    return {"lag_s": np.arange(len(rho)) * BIN, "autocorrelation": rho}


KINDS: dict[str, tuple[str, Callable[[Portrait], Columns]]] = {
    "raster": ("spikes of a hundred neurons in a second", _raster),
    "rates": ("firing rates of the neurons, by class", _rates),
    "isi": ("irregularity: variation of the inter-spike intervals, by class", _isi),
    "tau": ("membrane time constants, by class or cluster", _tau),
    "connectivity": ("the weight matrix, in blocks", _connectivity),
    "degrees": ("in- and out-degrees", _degrees),
    "eigenvalues": ("eigenvalues of A = -D + D W", _eigenvalues),
    "spectrum": ("the leading Lyapunov exponents", _spectrum),
    "divergence": ("ln distance of perturbed copies that are left alone", _divergence),
    "pca": ("the states on their two leading principal components", _pca),
    "autocorrelation": ("autocorrelation of the population rate", _autocorrelation),
}


def list_plots() -> dict[str, str]:
    """Kind -> one-line description."""
    return {name: description for name, (description, _) in KINDS.items()}
