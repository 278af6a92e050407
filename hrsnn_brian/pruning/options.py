"""The options of Lyapunov Noise Pruning: every ingredient has a name and can be exchanged."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from hrsnn_brian.connectivity.betweenness import DISTANCES
from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.exponents.edges import NEIGHBOURHOODS
from hrsnn_brian.pruning.compensation import parse_compensation
from hrsnn_brian.pruning.delocalisation import CHOICES
from hrsnn_brian.pruning.neurons import RULES
from hrsnn_brian.pruning.rate_match import KNOBS
from hrsnn_brian.pruning.sampling import SELECTIONS
from hrsnn_brian.pruning.scores import FACTORS
from hrsnn_brian.pruning.search import SEARCHES, check_search
from hrsnn_brian.pruning.synapses import BASES, check_combination
from hrsnn_brian.pruning.timescales import GROUPINGS

OFF = "off"
_SWITCH = ("on", OFF)
_ALLOWED: dict[str, tuple[str, ...]] = {
    "synapses": _SWITCH,
    "score": ("exponent", "magnitude", "product", "uniform"),
    "factor": (*FACTORS, "none"),
    "covariance": ("simulated", "linear"),
    "neighbourhood": NEIGHBOURHOODS,
    "selection": tuple(s for s in SELECTIONS if s != "independent"),
    "base": tuple(BASES),
    "former": ("survivors", "all"),
    "rate_match": (*KNOBS, OFF),
    "neurons": (*RULES, OFF),
    "graph": ("exponent", "magnitude"),
    "distance": tuple(DISTANCES),
    "proportional": _SWITCH,
    "delocalisation": (*CHOICES, OFF),
    "timescales": (*SEARCHES, OFF),
    "objective": ("spectrum", "memory"),
    "timescale_rate": (*KNOBS, OFF),
    "grouping": tuple(GROUPINGS),
    "disconnected": ("refuse", "allow"),
}
_LEAST: dict[str, int] = {
    "added_edges": 0,
    "modes": 1,
    "exponent_every": 1,
    "pivots": 0,
    "timescale_every": 1,
    "timescale_trials": 2,
    "patience": 1,
}


@dataclass(frozen=True)
class LNPOptions:
    """The options of `lnp`; the defaults are the paper's four steps with our repairs.

    Step 1. synapses: on or off. Importance q = score * factor: score is the edge weight of the
    Lyapunov exponents, |w|, their product, or uniform; factor is C_ii + C_jj - 2 sgn(w_ij) C_ij
    ("difference"), without the cross term ("sum"), or "none". covariance: simulated, or linear for
    the Lyapunov equation. neighbourhood: set of the harmonic mean, see `edge_exponents`.
    exponent_every: iterations from one measurement of the node exponents, N perturbed copies, to
    the next; in between the neurons that stay keep theirs [our choice, for large networks].
    selection: fixed (sampled) or top. compensation, base: see `prune_synapses`. former: the sums
    to restore are of the neurons that stay ("survivors") or of all there ever were. rate_match:
    gain or bias brings every iteration's network back to the starting rate where it can, by a
    factor on its weights or an offset of its biases.
    Step 2. neurons: a rule, or off. graph, distance: of betweenness; pivots: how many neurons,
    drawn anew each time, its paths start from, 0 for all of them. proportional: E and I leave in
    proportion.
    Step 3. delocalisation: choice of candidates, or off. added_edges: at most per iteration, each
    in place of the least important synapse. modes: how many, of A = -D + gain D W.
    Step 4. timescales: a search, or off, every timescale_every iterations. objective: lambda_inf
    closest to lambda_target ("spectrum") or largest memory capacity ("memory"), among trials
    whose rate timescale_rate has matched, see rate_match. grouping: who shares a distribution.
    Stability. lambda_inf <= lambda_max, 1/s, and min_rate <= mean rate <= max_rate, Hz; after
    `patience` failures in a row pruning stops. disconnected: whether a network that is in several
    parts may be pruned.

    Raises InputError for a value that is not allowed, naming the option.
    """

    synapses: str = "on"
    score: str = "exponent"
    factor: str = "difference"
    covariance: str = "simulated"
    neighbourhood: str = "endpoints"
    exponent_every: int = 1
    selection: str = "fixed"
    compensation: str = "row 0.5"
    base: str = "carried"
    former: str = "survivors"
    rate_match: str = OFF
    neurons: str = "betweenness"
    graph: str = "exponent"
    distance: str = "inverse"
    pivots: int = 0
    proportional: str = "on"
    delocalisation: str = "gradient"
    added_edges: int = 5
    modes: int = 10
    gain: float = 1.0
    timescales: str = "bayesian"
    timescale_every: int = 4
    timescale_trials: int = 6
    objective: str = "spectrum"
    timescale_rate: str = "bias"
    lambda_target: float = 0.0
    grouping: str = "class and cluster"
    lambda_max: float = 0.0
    min_rate: float = 0.1
    max_rate: float = 500.0
    patience: int = 3
    disconnected: str = "refuse"

    def __post_init__(self) -> None:
        for name, allowed in _ALLOWED.items():
            if getattr(self, name) not in allowed:
                raise unknown_name(name, str(getattr(self, name)), allowed)
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise InputError(name, value, f"must be a whole number >= {least}")
        for name in ("gain", "lambda_target", "lambda_max", "min_rate", "max_rate"):
            if not math.isfinite(getattr(self, name)):
                raise InputError(name, getattr(self, name), "must be finite")
        if not 0 <= self.min_rate < self.max_rate:
            raise InputError("min_rate", self.min_rate, f"must be in 0 .. {self.max_rate:g} Hz")
        rule = parse_compensation(self.compensation)
        object.__setattr__(self, "compensation", str(rule))
        check_combination(self.selection, rule, self.base)

    @property
    def needs_covariance(self) -> bool:
        """Whether step 1 looks at the covariance."""
        return self.synapses != OFF and self.factor != "none"

    @property
    def needs_exponents(self) -> bool:
        """Whether step 1 or step 2 looks at node exponents."""
        in_score = self.synapses != OFF and self.score in ("exponent", "product")
        return in_score or (self.neurons == "betweenness" and self.graph == "exponent")

    def check_installed(self) -> None:
        """Raises InputError if the timescale search needs a package that is not installed."""
        if self.timescales != OFF:
            check_search(self.timescales)

    def check_iterations(self, iterations: int) -> None:
        """Raises InputError if step 4 is on and so few iterations never come to it."""
        every = self.timescale_every
        if self.timescales != OFF and iterations < every:
            turn = f"step 4 comes every timescale_every = {every} of them"
            never = "with fewer, step 4 never has its turn: give more, or timescales=off"
            raise InputError("iterations", iterations, f"{turn}; {never}")

    def to_dict(self) -> dict[str, Any]:
        """The options by name."""
        return asdict(self)


VARIANTS: dict[str, LNPOptions] = {
    "default": LNPOptions(),
    # the paper's fragments to the letter: w/p alone, and all neurons compete
    "literal": LNPOptions(compensation="literal", proportional=OFF),
    # what the development seeds showed to work, of the same steps [our choice]: |w| in the place of
    # exponents, the best kept instead of drawn, and no timescale search
    "revised": LNPOptions(
        score="magnitude",
        factor="sum",
        selection="top",
        compensation="variance",
        graph="magnitude",
        distance="class",
        timescales=OFF,
    ),
}


def lnp_options(
    variant: str = "default", settings: Mapping[str, str | int | float] | None = None
) -> LNPOptions:
    """The options of a variant with some of them changed, numbers also as text.

    Raises InputError for an unknown variant or option, or a value that is not allowed.
    """
    if variant not in VARIANTS:
        raise unknown_name("variant", variant, VARIANTS)
    kinds = {f.name: f.type for f in fields(LNPOptions)}
    changed: dict[str, Any] = {}
    for name, value in (settings or {}).items():
        if name not in kinds:
            raise unknown_name("option of method 'lnp'", name, kinds)
        changed[name] = value if kinds[name] is str else _number(name, value, kinds[name])
    return replace(VARIANTS[variant], **changed)


def _number(name: str, value: str | int | float, kind: Any) -> int | float:
    try:
        number = float(value)
    except ValueError:
        raise InputError(name, value, "must be a number") from None
    return (
        int(number) if kind is int and math.isfinite(number) and number == int(number) else number
    )


def list_lnp() -> dict[str, str]:
    """Name -> one-line description, source and cost of `lnp` and its variants."""
    cost = (
        "per iteration N perturbed copies (see exponent_every), one covariance, N x synapses for "
        "betweenness (see pivots)"
    )
    return {
        "lnp": "Lyapunov Noise Pruning: synapses, neurons, delocalisation and timescales in turn, "
        "20 iterations [Chakraborty et al. 2024; iteration schedule and row 0.5 are our choice; "
        f"cost: {cost}]",
        "lnp --variant literal": "the same with weights w/p and nothing else to compensate "
        f"[Chakraborty et al. 2024, to the letter; cost: {cost}]",
        "lnp --variant revised": "synapses of largest |w| (C_ii + C_jj), variances restored, "
        "betweenness on the graph of |w|, delocalisation; no exponents, no timescale search [our "
        "choice; cost: per iteration one covariance and the betweenness]",
    }
