"""The parameters of a network and of how it is driven: frozen, checked, TOML-able.

The defaults are the "sparse" configuration, which was found by search and confirmed on fresh
seeds; what of it is the paper's is said per section. Units: times are seconds and rates hertz
when read, Brian quantities or texts such as "20 ms" when set; potentials and currents are
dimensionless (the mean threshold is 1).
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.distributions import Constant, Gamma, Uniform
from hrsnn_brian.network.matrix_fields import AS_GIVEN, BY_IN_DEGREE, MatrixChoice, MatrixScale
from hrsnn_brian.network.spread_fields import Spread, Spreads
from hrsnn_brian.settings.fields import (
    AutoWhole,
    OneOf,
    OptionalExtra,
    OptionalReal,
    OptionalText,
    Real,
    Whole,
)
from hrsnn_brian.settings.section import Part, Section, checked_fields
from hrsnn_brian.settings.times import Rate, Time, Times
from hrsnn_brian.settings.units import DIMENSIONLESS, SECOND, format_seconds

DEFAULT_N = 500
KINDS = {
    "fixed_indegree": "K random sources each, fraction_e*K of them excitatory [choice]",
    "erdos_renyi": "every synapse with the same chance",
    "small_world": "directed Watts-Strogatz ring, in-degree K; the paper's start [paper]",
    "clustered": "CHRSNN: dense inside, sparse between [paper]",
    "matrix": "the user's own weights",
}
FORMATS = {
    "dense": "a square of numbers",
    "labelled": "with names in the first line, in the first column or both",
    "edges": "lines pre, post, weight (in the order of the header, if any), counted from 0",
    "edges-from-1": "the same, neurons counted from 1",
}
LAWS = {
    "gamma": "with the default cv 1/sqrt(2) Gamma(shape 2, scale 0.5)",
    "lognormal": "",
    "constant": "cv has no effect",
}
RESETS = {"subtractive": "v -> v - v_th", "hard": "v -> v_reset"}
CURRENTS = {"one": "excitation and inhibition share a current and tau_e = tau_i", "two": ""}
ENCODERS = {
    "population": "current gain*exp(-(p_i.u - c_i)^2/(2 width^2)) [choice]",
    "current": "gain*p_i.u",
    "poisson": "frozen Poisson spikes at rate_max times the Gaussian, filtered by tau_in [paper]",
}


@dataclass(frozen=True)
class GraphParams(Section):
    """Who is connected to whom.

    The entries of a matrix of one's own are weights, the jump of a synaptic current per spike where
    the mean threshold is 1; drawn networks have J/sqrt(K)*X and -g*J/sqrt(K)*X. An "auto" K is read
    as None, see `HRSNNParams.in_degree`.
    """

    section: ClassVar[str] = "graph"
    kind: OneOf = OneOf("fixed_indegree", KINDS).about("how neurons are connected")
    K: AutoWhole = AutoWhole(low=0).about(
        "mean in-degree; auto: min(50, N/10), at least 1, so density 0.1 up to N = 500"
    )
    rewire: Real = Real(0.1, 0, 1).about(
        "chance that a synapse of a small world has its source drawn anew"
    )
    clusters: Whole = Whole(1, low=1).about(
        "clusters: labels for tau_m whatever the kind, wiring when clustered"
    )
    within: Real = Real(0.8, 0, 1).about(
        "fraction of a neuron's K inputs from its own cluster, when clustered"
    )
    matrix: OptionalText = OptionalText().about(
        "file of the matrix W[post, pre], when kind is matrix: .npz, .npy, .mtx, or numbers as text"
    )
    scale: MatrixScale = MatrixScale().about(
        f"of the matrix; {BY_IN_DEGREE}: entries are J*X and -g*J*X, divided by the root of the "
        "mean in-degree; a number: the wanted spectral radius"
    )
    format: MatrixChoice = MatrixChoice("dense", FORMATS).about("of the matrix's file")
    self_loops: MatrixChoice = MatrixChoice(
        "refuse", {"refuse": "they are an error", "drop": "they are left out"}
    ).about("what becomes of entries on the matrix's diagonal")

    def __post_init__(self) -> None:
        if (self.kind == "matrix") != (self.matrix is not None):
            raise InputError("graph.matrix", self.matrix, "goes with graph.kind = 'matrix'")
        for name, checked in checked_fields(type(self))[-3:]:
            value = getattr(self, name)
            if self.kind != "matrix" and checked.plain(value) is not None:
                raise InputError(f"graph.{name}", value, "goes with graph.kind = 'matrix'")


@dataclass(frozen=True)
class WeightParams(Section):
    """Sizes of the weights: J/sqrt(K)*X from excitatory, -g*J/sqrt(K)*X from inhibitory neurons."""

    section: ClassVar[str] = "weights"
    family: OneOf = OneOf("gamma", LAWS).about("law of X > 0, of mean 1")
    cv: Real = Real(0.5**0.5, 0, above=True).about("coefficient of variation of X")
    J: Real = Real(0.10, 0).about("strength of excitation; 0 keeps no synapse")
    g: Real = Real(6.0, 0).about("strength of inhibition, relative to excitation")
    spectral_radius: OptionalReal = OptionalReal(
        1, "the leak alone gives 1 and recurrence can only raise it"
    ).about(
        "if given, all weights are scaled together until -1 + W, that is A = -D + W with time in "
        "units of each tau_m and unit gain, has this spectral radius"
    )


@dataclass(frozen=True)
class NeuronParams(Section):
    """Leaky integrate-and-fire neurons."""

    section: ClassVar[str] = "neuron"
    tau_m: Spread = Spread(
        Gamma(shape=3, mean="20 ms", low="2 ms", high="300 ms"), SECOND, positive=True
    ).about(
        "membrane time constants, gamma-distributed; shape and mean are our choice", grade="paper"
    )
    tau_m_clusters: Spreads = Spreads().about(
        "CHRSNN: one distribution per cluster, in place of tau_m", grade="paper"
    )
    e_slower: Real = Real(1.0, 0, above=True).about(
        "mean tau_m of excitatory over that of inhibitory neurons: what was drawn is scaled class "
        "by class, the mean over all neurons stays"
    )
    v_th: Spread = Spread(
        Gamma.from_cv(mean=1, cv=0.5, low=0.2), DIMENSIONLESS, positive=True
    ).about("thresholds; potentials are in units of their mean")
    reset: OneOf = OneOf("subtractive", RESETS).about("what a spike does to the potential")
    v_reset: Real = Real(0.0).about("potential after a spike, for the hard reset")
    t_ref: Time = Time("2 ms").about("refractory period, 0 for none")
    bias: Spread = Spread(Uniform(-2.7, -0.7), DIMENSIONLESS).about("constant input of each neuron")
    noise: OptionalExtra = OptionalExtra().about(
        "standard deviation of white noise on each neuron's input, new for every sample"
    )


@dataclass(frozen=True)
class SynapseParams(Section):
    """Exponential synaptic currents, with time constants per receiving neuron."""

    section: ClassVar[str] = "synapse"
    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {"tau_syn": ("tau_e", "tau_i")}
    currents: OneOf = OneOf("one", CURRENTS).about("synaptic currents of a neuron")
    tau_e: Spread = Spread(Constant("100 ms"), SECOND, positive=True).about(
        "time constant of excitation; tau_syn sets both"
    )
    tau_i: Spread = Spread(Constant("100 ms"), SECOND, positive=True).about(
        "time constant of inhibition"
    )
    delay: Time = Time("0 ms").about("from a spike to its effect, the same for all synapses")

    def __post_init__(self) -> None:
        if self.currents == "one" and self.tau_e != self.tau_i:
            raise InputError(
                "synapse.tau_i",
                self.tau_i.to_dict(),
                "must equal tau_e with one synaptic current; set both, or currents = 'two'",
            )


@dataclass(frozen=True)
class EncoderParams(Section):
    """How the input u (z-scored, D-dimensional) reaches neuron i along its direction p_i."""

    section: ClassVar[str] = "encoder"
    kind: OneOf = OneOf("population", ENCODERS).about("how input becomes current")
    gain: Real = Real(4.0).about("largest current of the population, or factor on p_i.u")
    width: Real = Real(0.5, 0, above=True).about("of the receptive fields, in sd of the input")
    center: Spread = Spread(Uniform(-2.5, 2.5), DIMENSIONLESS).about(
        "c_i of the receptive fields, in sd of the input"
    )
    rate_max: Rate = Rate("200 Hz").about("highest rate of the Poisson spikes")
    tau_in: Time = Time("5 ms", positive=True).about("filter of the Poisson spikes")


@dataclass(frozen=True)
class TimingParams(Section):
    """Time step, presentation time of one sample, and time constants of the recorded traces."""

    section: ClassVar[str] = "timing"
    dt: Time = Time("1 ms", positive=True).about("time step")
    sample: Time = Time("20 ms", positive=True).about("how long one sample is shown")
    traces: Times = Times(("30 ms", "100 ms", "300 ms")).about(
        "time constants of the traces of its own spikes that are recorded of each neuron"
    )

    def __post_init__(self) -> None:
        if self.sample < self.dt * (1 - 1e-9) or not self.is_whole(self.sample):
            raise InputError(
                "timing.sample",
                format_seconds(self.sample),
                f"must be a whole number of timing.dt = {format_seconds(self.dt)}",
            )

    def is_whole(self, time: float) -> bool:
        """Whether a time in seconds is a whole number of steps (0 is)."""
        return abs(time / self.dt - round(time / self.dt)) <= 1e-9 * max(1.0, time / self.dt)

    @property
    def trace_names(self) -> tuple[str, ...]:
        """The names of the recorded traces: "trace_30ms" has a time constant of 30 ms."""
        return tuple(f"trace_{1e3 * tau:.12g}ms" for tau in self.traces)

    def nearest_trace(self, tau: float) -> str:
        """Name of the recorded trace whose time constant is closest to `tau` (s), in ratio."""
        distances = [abs(math.log(own / tau)) for own in self.traces]
        return self.trace_names[distances.index(min(distances))]


@dataclass(frozen=True)
class HRSNNParams(Section):
    """A heterogeneous recurrent spiking network, its encoder and its timing.

    N neurons, the fraction fraction_e of them excitatory (rounded, Dale's law). The mean in-degree
    is `in_degree`: a K the user set is taken as it is or refused; "auto" follows N, so that
    another N alone gives the same configuration at another size (weights go as J/sqrt(K)).

    In Python the short keys of `--set` are keyword arguments, too: `HRSNNParams(N=300, J=0.2)`.
    """

    N: Whole = Whole(DEFAULT_N, low=1).about("neurons")
    fraction_e: Real = Real(0.8, 0, 1).about("fraction of excitatory neurons", grade="paper")
    graph: Part[GraphParams] = Part(GraphParams)
    weights: Part[WeightParams] = Part(WeightParams)
    neuron: Part[NeuronParams] = Part(NeuronParams)
    synapse: Part[SynapseParams] = Part(SynapseParams)
    encoder: Part[EncoderParams] = Part(EncoderParams)
    timing: Part[TimingParams] = Part(TimingParams)

    def __post_init__(self) -> None:
        if self.in_degree > self.N - 1:
            raise InputError("graph.K", self.graph.K, f"must be at most N - 1 = {self.N - 1}")
        for name, time in (("t_ref", self.neuron.t_ref), ("delay", self.synapse.delay)):
            if not self.timing.is_whole(time):
                dt = format_seconds(self.timing.dt)
                raise InputError(name, format_seconds(time), f"must be a multiple of dt = {dt}")
        self._check_clusters()
        if self.graph.scale != AS_GIVEN and self.weights.spectral_radius is not None:
            allowed = f"graph.scale = {self.graph.scale} scales the matrix, too; give one of them"
            raise InputError("weights.spectral_radius", self.weights.spectral_radius, allowed)

    def _check_clusters(self) -> None:
        clusters = self.graph.clusters
        if clusters > self.N:
            raise InputError("graph.clusters", clusters, f"must be at most N = {self.N}")
        given = len(self.neuron.tau_m_clusters)
        if given not in (0, clusters):
            allowed = f"must name one distribution per cluster, graph.clusters = {clusters}"
            raise InputError("neuron.tau_m_clusters", f"{given} distributions", allowed)

    @classmethod
    def reconciled(
        cls, table: Mapping[str, Any], changed: dict[str, Any], given: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Without what means nothing beside a matrix; refuses a key that has no effect."""
        from hrsnn_brian.network.effect import with_effect

        return with_effect(table, changed, given)

    @property
    def in_degree(self) -> int:
        """Mean number of synapses onto a neuron: graph.K, or what "auto" stands for at this N."""
        if self.graph.K is not None:
            return self.graph.K
        return min(max(1, min(50, round(self.N / 10))), self.N - 1)

    @property
    def n_excitatory(self) -> int:
        """Number of excitatory neurons; they are the first ones."""
        return round(self.fraction_e * self.N)

    @property
    def ceiling_hz(self) -> float:
        """The highest rate a neuron can have: a spike per refractory period, or per step."""
        return 1 / max(self.neuron.t_ref, self.timing.dt)
