"""The parameters of a network and of how it is driven: frozen, checked, TOML-able.

The defaults are the "sparse" configuration, which was found by search and confirmed on fresh
seeds; what of it is the paper's is said per section. Units: times are seconds and rates hertz
when read, Brian quantities or texts such as "20 ms" when set; potentials and currents are
dimensionless (the mean threshold is 1).
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from dataclasses import dataclass
from typing import Any, ClassVar

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.distributions import Constant, Gamma, Uniform
from hrsnn_brian.network.matrix_fields import AS_GIVEN, MatrixChoice, MatrixScale
from hrsnn_brian.network.spread_fields import Spread, Spreads
from hrsnn_brian.settings.fields import (
    AutoWhole,
    Choice,
    OptionalReal,
    OptionalText,
    Rate,
    Real,
    Time,
    Times,
    Whole,
)
from hrsnn_brian.settings.section import Part, Section, checked_fields
from hrsnn_brian.settings.units import DIMENSIONLESS, SECOND, format_seconds

DEFAULT_N = 500


@dataclass(frozen=True)
class GraphParams(Section):
    """Who is connected to whom.

    kind: "fixed_indegree" (K random sources each, fraction_e*K of them excitatory, our choice),
        "erdos_renyi", "small_world" (directed Watts-Strogatz ring, in-degree K; the paper's start
        [paper]), "clustered" (CHRSNN: dense inside, sparse between [paper]) or "matrix" (the
        user's own weights).
    K: mean in-degree, or "auto" (None when read): min(50, round(N/10)), at least 1, which is
        density 0.1 up to N = 500 and K = 50 from there on (`HRSNNParams.in_degree`).
    rewire: probability that a synapse of the small world has its source drawn anew.
    clusters: number of clusters, labels for tau_m whatever the kind, wiring when "clustered".
    within: fraction of a neuron's K inputs that come from its own cluster ("clustered").
    matrix: path of the matrix W[post, pre] when kind is "matrix": .npz, .npy, .mtx or numbers as
        text (.csv, .tsv, .txt). Its entries are weights, the jump of a synaptic current per spike
        where the mean threshold is 1; drawn networks have J/sqrt(K)*X and -g*J/sqrt(K)*X.
    scale: "as-given"; "J/sqrt(K)" for a matrix in units of J, of entries J*X and -g*J*X: all are
        divided by the root of its mean in-degree, synapses over neurons; or a number > 1, the
        wanted spectral radius as in weights.spectral_radius.
    format: of the file: "dense"; "labelled", with names in the first line, in the first column or
        both; "edges", lines `pre, post, weight` (in the order of its header, if it has one) with
        neurons counted from 0, or "edges-from-1".
    self_loops: "refuse" an entry on the diagonal, or "drop" it.
    """

    section: ClassVar[str] = "graph"
    kind: Choice = Choice("fixed_indegree", "erdos_renyi", "small_world", "clustered", "matrix")
    K: AutoWhole = AutoWhole(low=0)
    rewire: Real = Real(0.1, 0, 1)
    clusters: Whole = Whole(1, low=1)
    within: Real = Real(0.8, 0, 1)
    matrix: OptionalText = OptionalText()
    scale: MatrixScale = MatrixScale()
    format: MatrixChoice = MatrixChoice("dense", "labelled", "edges", "edges-from-1")
    self_loops: MatrixChoice = MatrixChoice("refuse", "drop")

    def __post_init__(self) -> None:
        if (self.kind == "matrix") != (self.matrix is not None):
            raise InputError("graph.matrix", self.matrix, "goes with graph.kind = 'matrix'")
        for name, checked in checked_fields(type(self))[-3:]:
            value = getattr(self, name)
            if self.kind != "matrix" and checked.plain(value) is not None:
                raise InputError(f"graph.{name}", value, "goes with graph.kind = 'matrix'")


@dataclass(frozen=True)
class WeightParams(Section):
    """Sizes of the weights: J/sqrt(K)*X from excitatory, -g*J/sqrt(K)*X from inhibitory neurons.

    family, cv: law and coefficient of variation of X > 0, mean 1 (cv has no effect on "constant").
        The default gamma with cv 1/sqrt(2) is Gamma(shape 2, scale 0.5).
    J, g: strength of excitation and relative strength of inhibition; J = 0 keeps no synapse.
    spectral_radius: if given, all weights are scaled together until -1 + W, i.e. A = -D + W with
        time in units of each neuron's tau_m and unit gain, has this spectral radius (> 1).
    """

    section: ClassVar[str] = "weights"
    family: Choice = Choice("gamma", "lognormal", "constant")
    cv: Real = Real(0.5**0.5, 0, above=True)
    J: Real = Real(0.10, 0)
    g: Real = Real(6.0, 0)
    spectral_radius: OptionalReal = OptionalReal(
        1, "must be a number > 1: the leak alone gives 1 and recurrence can only raise it"
    )


@dataclass(frozen=True)
class NeuronParams(Section):
    """Leaky integrate-and-fire neurons.

    tau_m: membrane time constants, gamma-distributed [paper]; shape and mean are our choice.
    tau_m_clusters: CHRSNN, one distribution per cluster [paper], in place of tau_m.
    v_th: thresholds. reset: "subtractive" (v -> v - v_th) or "hard" (v -> v_reset).
    t_ref: refractory period, 0 for none. bias: constant input of each neuron.
    """

    section: ClassVar[str] = "neuron"
    tau_m: Spread = Spread(
        Gamma(shape=3, mean="20 ms", low="2 ms", high="300 ms"), SECOND, positive=True
    )
    tau_m_clusters: Spreads = Spreads(SECOND)
    v_th: Spread = Spread(Gamma.from_cv(mean=1, cv=0.5, low=0.2), DIMENSIONLESS, positive=True)
    reset: Choice = Choice("subtractive", "hard")
    v_reset: Real = Real(0.0)
    t_ref: Time = Time("2 ms")
    bias: Spread = Spread(Uniform(-2.7, -0.7), DIMENSIONLESS)


@dataclass(frozen=True)
class SynapseParams(Section):
    """Exponential synaptic currents, with time constants per receiving neuron.

    currents: "one" (excitation and inhibition share a current and tau_e = tau_i) or "two".
    delay: the same for all synapses.
    """

    section: ClassVar[str] = "synapse"
    currents: Choice = Choice("one", "two")
    tau_e: Spread = Spread(Constant("100 ms"), SECOND, positive=True)
    tau_i: Spread = Spread(Constant("100 ms"), SECOND, positive=True)
    delay: Time = Time("0 ms")

    def __post_init__(self) -> None:
        if self.currents == "one" and self.tau_e != self.tau_i:
            raise InputError(
                "synapse.tau_i",
                self.tau_i.to_dict(),
                "must equal tau_e with one synaptic current; set both, or currents = 'two'",
            )


@dataclass(frozen=True)
class EncoderParams(Section):
    """How the input u (z-scored, D-dimensional) reaches neuron i along its direction p_i.

    kind: "population" (current gain*exp(-(p_i.u - c_i)^2/(2 width^2)), our choice), "current"
        (gain*p_i.u) or "poisson" (frozen Poisson spikes at rate_max times the Gaussian, filtered
        by tau_in; the paper's rate coding [paper]).
    """

    section: ClassVar[str] = "encoder"
    kind: Choice = Choice("population", "current", "poisson")
    gain: Real = Real(4.0)
    width: Real = Real(0.5, 0, above=True)
    center: Spread = Spread(Uniform(-2.5, 2.5), DIMENSIONLESS)
    rate_max: Rate = Rate("200 Hz")
    tau_in: Time = Time("5 ms", positive=True)


@dataclass(frozen=True)
class TimingParams(Section):
    """Time step, presentation time of one sample, and time constants of the recorded traces."""

    section: ClassVar[str] = "timing"
    dt: Time = Time("1 ms", positive=True)
    sample: Time = Time("20 ms", positive=True)
    traces: Times = Times(("30 ms", "100 ms", "300 ms"))

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


@dataclass(frozen=True)
class HRSNNParams(Section):
    """A heterogeneous recurrent spiking network, its encoder and its timing.

    N neurons, the fraction fraction_e of them excitatory (rounded, Dale's law). The mean in-degree
    is `in_degree`: a K the user set is taken as it is or refused; "auto" follows N, so that
    another N alone gives the same configuration at another size (weights go as J/sqrt(K)).

    In Python the short keys of `--set` are keyword arguments, too: `HRSNNParams(N=300, J=0.2)`.
    """

    N: Whole = Whole(DEFAULT_N, low=1)
    fraction_e: Real = Real(0.8, 0, 1)
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
    def keywords(cls, given: dict[str, Any]) -> dict[str, Any]:
        """`given` with short keys put into their sections."""
        from hrsnn_brian.network.overrides import expand_short_keys

        return expand_short_keys(given)

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
