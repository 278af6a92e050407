"""How the dynamics of an LNP network differ from those of random sparse networks of its size.

Kinds of network, all but "full" with the neurons and synapses of the LNP network of their seed:

full                  before pruning
lnp                   `lnp` with its default options
random                neurons by lot within E and I, synapses by lot, variance-preserving
random same classes  the same, with as many inhibitory synapses as the LNP network
class-rewired         the LNP network, every synapse with a new source of its class
fresh                 a new random network of that size, drawn from the same parameters
original timescales   the LNP network, tau_m and biases as before pruning: what step 4 did is undone

Each is measured as it is (match "none") and with its mean rate under white noise brought to that
of the full network by an offset of all biases (match "bias"): many measures follow the rate. One
row per seed, kind (its recipe, else its network), size and matching, a column per measure, see
`dynamics.measures`; spectra are columns too, `exponent_<j>_per_s` and `eigenvalue_<j>_real_per_s`,
`..._imag_per_s`. Pruning that stops early leaves a larger network, to which its controls then
conform; `stopped` says so.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hrsnn_brian.dynamics.exponents.spiking import Protocol
from hrsnn_brian.dynamics.measures import COLUMNS, MEASURES, Lengths, dynamics_row
from hrsnn_brian.errors import InputError
from hrsnn_brian.files.columns import FULL, NAME, PRUNED, Column, identity, named
from hrsnn_brian.files.tables import Row, Table, text_table
from hrsnn_brian.pruning.lnp import LNP as RECIPE
from hrsnn_brian.pruning.tune_timescales import check_rounds
from hrsnn_brian.runs.options import Fractions, Names, Options, StudyNetwork, StudyOptions
from hrsnn_brian.runs.study import Point, Study
from hrsnn_brian.settings.fields import Flag, Real, Whole
from hrsnn_brian.statistics.comparison import PairedTest
from hrsnn_brian.statistics.paired_seeds import Seeds, against, by_seed, left_out, spread

if TYPE_CHECKING:
    from hrsnn_brian.dynamics.probe import Measurements
    from hrsnn_brian.network.network import Network
    from hrsnn_brian.pruning.prune import Pruned
    from hrsnn_brian.simulation import Engine

LNP = "lnp"
CONTROLS = {
    "random": "neurons by lot within E and I, synapses by lot, variance-preserving",
    "random same classes": "the same, with as many inhibitory synapses as the LNP network",
    "class-rewired": "the LNP network, every synapse with a new source of its class",
    "fresh": "a new random network of that size, drawn from the same parameters",
    "original timescales": "the LNP network, tau_m and biases as before pruning",
}
MATCHES = {"none": "nothing: as they are", "bias": "an offset of all biases"}
_LENGTHS = ("noise_seconds", "exponents", "exponent_seconds", "segments")


def points(options: Options, seed: int) -> list[Point]:
    """Per seed one point for the full network and one for each size."""
    kept = (*_LENGTHS, "controls", "match", "iterations", "short_measures", "network")
    settings = {name: options[name] for name in kept}
    sizes = [(1.0, 1.0), *((k, f) for k in options["keep"] for f in options["neuron_fraction"])]
    return [
        {"seed": seed + number, "keep": keep, "neuron_fraction": fraction} | settings
        for number in range(options["seeds"])
        for keep, fraction in sizes
    ]


def run(point: Point, engine: "Engine") -> list[Row]:
    """One row per kind of network and matching."""
    from hrsnn_brian.dynamics.probe import SHORT, Measurements
    from hrsnn_brian.network.build import build_network
    from hrsnn_brian.network.parameters import HRSNNParams

    seed = point["seed"]
    full = build_network(HRSNNParams.from_dict(point["network"]), seed)
    measure = Measurements(engine, seed, SHORT if point["short_measures"] else None)
    if point["keep"] == 1.0:
        return [_row(point, FULL, "none", full, full, measure)]
    try:
        pruned = _pruned(point, full, measure)
    except InputError as refusal:
        row = _identity(point, LNP, "none")
        return [row | {"met_budget": False, "stopped": f"refused: {refusal}"}]
    told = {
        "met_budget": pruned.stopped is None,
        "stable": pruned.stable,
        "stopped": pruned.stopped or "",
    }
    return [
        _row(point, kind, matched, network, full, measure) | told
        for kind, network in _networks(point, full, pruned.network, measure)
        for matched in point["match"]
    ]


def _pruned(point: Point, full: "Network", measure: "Measurements") -> "Pruned":
    from hrsnn_brian.pruning.prune import prune
    from hrsnn_brian.pruning.size import Size

    neurons = round(point["neuron_fraction"] * full.n_neurons)
    return prune(
        full,
        "lnp",
        Size(neurons=neurons, keep=point["keep"]),
        probe=measure,
        seed=point["seed"],
        rounds=point["iterations"],
    )


def _networks(
    point: Point, full: "Network", pruned: "Network", measure: "Measurements"
) -> Iterator[tuple[str, "Network"]]:
    """The LNP network and its controls, each of its size."""
    from hrsnn_brian.pruning import rivals
    from hrsnn_brian.pruning.prune import prune
    from hrsnn_brian.pruning.size import Size

    seed, n, synapses = point["seed"], pruned.n_neurons, pruned.n_synapses
    inhibitory = int((pruned.W.data < 0).sum())
    size = Size(neurons=n, synapses=synapses)
    make = {
        "random": lambda: prune(full, "random", size, probe=measure, seed=seed).network,
        "random same classes": lambda: rivals.random_by_class(full, n, synapses, inhibitory, seed),
        "class-rewired": lambda: rivals.rewire_within_class(pruned, seed),
        "fresh": lambda: rivals.fresh_network(full, n, synapses, seed),
        "original timescales": lambda: _untuned(pruned, full),
    }
    yield LNP, pruned
    for kind in point["controls"]:
        yield kind, make[kind]()


def _untuned(pruned: "Network", full: "Network") -> "Network":
    same = np.searchsorted(full.neuron_id, pruned.neuron_id)
    return replace(pruned, tau_m=full.tau_m[same], bias=full.bias[same])


def _identity(point: Point, kind: str, matched: str, network: "Network | None" = None) -> Row:
    recipe = kind if kind in (LNP, "random", "fresh") else ""
    return identity(
        PRUNED if recipe else kind,
        recipe=recipe,
        neurons=network.n_neurons if network else None,
        synapses=network.n_synapses if network else None,
        keep=point["keep"],
        neuron_fraction=point["neuron_fraction"],
        match=matched,
        seed=point["seed"],
    )


def _row(
    point: Point,
    kind: str,
    matched: str,
    network: "Network",
    full: "Network",
    measure: "Measurements",
) -> Row:
    """All measures; of a network whose rate cannot be matched the size alone."""
    row = _identity(point, kind, matched, network)
    row |= {"inhibitory_fraction": float((network.W.data < 0).mean())}
    if matched != "none":
        from hrsnn_brian.pruning.rate_match import RateOutOfReachError, match_rate

        try:
            found = match_rate(network, measure.rate_hz(full), measure.rate_hz, knob=matched)
        except RateOutOfReachError as problem:
            return row | {"unmatched": str(problem)}
        network, row = found.network, row | {"bias_offset": found.value}
    lengths = Lengths(*(point[name] for name in _LENGTHS))
    return row | dynamics_row(network, measure, lengths)


def summary(rows: Sequence[Row]) -> str:
    """Per size and matching: every measure of every kind, and LNP against each of the others."""
    rows = named(Table(rows))
    full = [row for row in rows if row["network"] == FULL]
    pruned = [row for row in rows if row["network"] != FULL]
    names = ("keep", "neuron_fraction", "match")
    blocks = []
    for place in dict.fromkeys(tuple(row[name] for name in names) for row in pruned):
        chosen = [row for row in pruned if tuple(row[name] for name in names) == place]
        blocks.append(_block([*full, *chosen], *place))
    early = {
        (row["seed"], *(row[name] for name in names[:2])) for row in rows if row.get("stopped")
    }
    seeds = len({row["seed"] for row in rows})
    return "\n\n".join(
        [
            *blocks,
            f"mean ± s.e.m. over {seeds} seeds. Tests: LNP minus the other on the same seeds, dz "
            "and p of the paired t test, Holm over the networks of a line. Pruning stopped early "
            f"or was refused in {len(early)} runs.",
        ]
    )


def _block(rows: Sequence[Row], keep: float, fraction: float, matched: str) -> str:
    means: list[list[str]] = []
    tests: list[list[str]] = []
    kinds = list(dict.fromkeys(str(row[NAME]) for row in rows))
    others = [kind for kind in kinds if kind != LNP]
    missing: list[Seeds] = []
    for measure in MEASURES:
        values = by_seed(rows, NAME, measure, any_size=True)  # controls are of the size reached
        missing += values.values()
        means.append([measure, *(spread(values[kind]) for kind in kinds)])
        found = against(values, LNP)
        tests.append([measure, *(_cell(found.get(kind)) for kind in others)])
    name = {"none": "as they are", "bias": "at the full network's rate, by a bias"}[matched]
    return (
        f"keep {keep:g}, {fraction:g} of the neurons, {name}{left_out(missing)}\n"
        f"{text_table(means, ['measure', *kinds])}\n\n"
        f"{text_table(tests, ['lnp against', *others])}"
    )


def _cell(test: PairedTest | None) -> str:
    """Effect size and corrected p of LNP minus the other; the test is of the other minus LNP."""
    return "-" if test is None else f"{0.0 - test.dz:+.2g} (p {test.p_t_holm:.2g})"


@dataclass(frozen=True)
class DynamicsOptions(StudyOptions):
    """Which networks are measured, and for how long."""

    controls: Names = Names(
        CONTROLS, CONTROLS, also={"random, same classes": "random same classes"}
    ).about("networks of the size of the LNP network that it is compared with")
    match: Names = Names(MATCHES, MATCHES, also={"raw": "none"}).about(
        "what brings the mean rate to that of the full network"
    )
    # of 20 synapses per neuron: fewer would leave islands
    keep: Fractions = Fractions(0.1, below_one=True).about("fractions of the synapses kept")
    neuron_fraction: Fractions = Fractions(0.6).about("fractions of the neurons kept")
    iterations: Whole = Whole(4, low=2).about("iterations of lnp")
    noise_seconds: Real = Real(20.0, 1).about("run under white noise that is measured", "s")
    exponents: Whole = Whole(8, low=1).about("leading Lyapunov exponents")
    exponent_seconds: Real = Real(2.0, 0).about("measured time of the exponents", "s")
    segments: Whole = Whole(2, low=1).about("independent inputs of the exponents")
    short_measures: Flag = Flag(True).about("a third of the measuring time, for a first look")
    network: StudyNetwork = StudyNetwork("default", "N=200").about("the network to prune")

    def __post_init__(self) -> None:
        Protocol(duration=self.exponent_seconds, segments=self.segments)
        check_rounds(RECIPE, self.iterations, "iterations")


def _families(options: Options) -> tuple[int, int]:
    others = 1 + len(options["controls"])  # the full network is always there
    return others, others


STUDY = Study(
    name="dynamics",
    description="dynamics of LNP networks beside random sparse networks of equal size",
    points=points,
    run=run,
    options=DynamicsOptions,
    families=_families,
    presets={
        "quick": {},
        "paper": {
            "seeds": 10,
            "keep": [0.05],
            "iterations": 20,
            "noise_seconds": 60.0,
            "exponents": 10,
            "exponent_seconds": 10.0,
            "segments": 5,
            "short_measures": False,
            "network": {"preset": "default"},
        },
    },
    figures=("dynamics",),
    summary=summary,
    columns=(
        Column("inhibitory_fraction", "inhibitory synapses over all", "1"),
        Column("bias_offset", "offset of all biases that matches the rate", "1"),
        Column("unmatched", "why the rate could not be matched", role="note"),
        *COLUMNS,
    ),
)
