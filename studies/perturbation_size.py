"""The grid artefact: finite-size exponents against d0 and dt, beside lambda_inf.

The same networks under the same frozen input at every time step. On the time grid a spike moves
by whole steps or not at all, so a perturbation of size d0 moves one with a probability that goes
as d0/dt: below, only the leak is left (negative, whatever the weights), above, every moved spike
is a jump (positive, whatever the exponent). Quantities, in the column of that name: "finite_size"
for lambda(d0; t_renorm, dt) and "lambda_inf" for the exponent, at two values of dt.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from statistics import mean
from typing import TYPE_CHECKING

from hrsnn_brian.files.columns import Column
from hrsnn_brian.files.tables import Row, text_table
from hrsnn_brian.network.presets import LYAPUNOV_NETWORKS, load_preset, preset_names
from hrsnn_brian.runs.options import Names, Options, StudyOptions
from hrsnn_brian.runs.study import Point, Study
from hrsnn_brian.settings.fields import Real, Text, Whole
from hrsnn_brian.settings.lists import Many
from hrsnn_brian.settings.times import Times
from hrsnn_brian.studies.exponent_rows import lambda_inf_at, mean_over_seeds, ms, whole

if TYPE_CHECKING:
    from hrsnn_brian.network.network import Network
    from hrsnn_brian.simulation import Engine

FINITE_SIZE, LAMBDA_INF = "finite_size", "lambda_inf"


def points(options: Options, seed: int) -> list[Point]:
    """One point per seed, network, dt and t_renorm, and one of lambda_inf per seed and network."""
    shared = {"set": options["set"]}
    curve = {key: options[key] for key in ("d0", "copies", "duration_s")}
    exact = {"segments": options["segments"], "duration_s": options["duration_inf_s"]}
    found: list[Point] = []
    for number in range(options["seeds"]):
        for network in options["networks"]:
            base = {"seed": seed + number, "network": network, **shared}
            found.append(base | {"quantity": LAMBDA_INF, "dt": options["dt_inf"]} | exact)
            found += [
                base | {"quantity": FINITE_SIZE, "dt": dt, "t_renorm": t_renorm} | curve
                for t_renorm in options["t_renorm"]
                for dt in options["dt"]
            ]
    return found


def run(point: Point, engine: "Engine") -> list[Row]:
    """The finite-size curve of one network at one dt, or its lambda_inf at several."""
    from hrsnn_brian.dynamics.exponents.spiking import slowest_leak

    network = _network(point["network"], tuple(point["set"]), point["seed"])
    rows = _finite_size if point["quantity"] == FINITE_SIZE else _lambda_inf
    front = whole(point["network"], network, point["seed"])
    front |= {"quantity": point["quantity"]}
    leak = {"passive_per_s": slowest_leak(network)}
    return [front | row | leak for row in rows(point, network, engine)]


@lru_cache(maxsize=4)
def _network(preset: str, overrides: tuple[str, ...], seed: int) -> "Network":
    from hrsnn_brian.network.build import build_network

    return build_network(load_preset(preset, overrides), seed)


def _finite_size(point: Point, network: "Network", engine: "Engine") -> list[Row]:
    from hrsnn_brian.dynamics.exponents.finite_size import (
        SizeProtocol,
        finite_size_exponents,
        unrelated_distance,
    )

    seed, dt = point["seed"], point["dt"]
    unrelated = unrelated_distance(network, engine=engine, dt=dt, seed=seed)
    curve = finite_size_exponents(
        network,
        point["d0"],
        engine=engine,
        protocol=SizeProtocol(
            dt=dt,
            t_renorm=point["t_renorm"],
            duration=point["duration_s"],
            copies=point["copies"],
        ),
        unrelated=unrelated,
        seed=seed,
    )
    return [
        {
            "d0": entry.d0,
            "t_renorm_ms": ms(entry.t_renorm),
            "dt_ms": ms(entry.dt),
            "value_per_s": entry.value,
            "standard_error_per_s": entry.standard_error,
            "raw_per_s": entry.raw,
            "reason": entry.reason,
            "unrelated_distance": unrelated,
        }
        for entry in curve
    ]


def _lambda_inf(point: Point, network: "Network", engine: "Engine") -> list[Row]:
    """One row per dt; a failed check at any of them fails all."""
    from hrsnn_brian.dynamics.exponents.spiking import Protocol

    plan = Protocol(duration=point["duration_s"], segments=point["segments"])
    found = lambda_inf_at(point, network, engine, plan)
    reason = "; ".join(found.flags)
    return [
        {
            "d0": plan.d0,
            "t_renorm_ms": ms(plan.t_renorm),
            "dt_ms": ms(dt),
            "value_per_s": math.nan if reason else result.largest,
            "standard_error_per_s": float(result.standard_error[0]),
            "raw_per_s": float(result.history[-1, 0]),
            "reason": reason,
            "d0_difference_per_s": found.d0_difference,
            "rate_hz": result.settings["rate_hz"],
        }
        for dt, result in found.at_dt.items()
    ]


def summary(rows: Sequence[Row]) -> str:
    """Per network: lambda_inf, and the size at which the finite-size curve crosses zero per dt."""
    curves = [row for row in rows if row["quantity"] == FINITE_SIZE]
    exact = [row for row in rows if row["quantity"] == LAMBDA_INF]
    settings = sorted({(row["t_renorm_ms"], row["dt_ms"]) for row in curves})
    finest = min((row["dt_ms"] for row in exact), default=0.0)
    lines = []
    for network in dict.fromkeys(row["network"] for row in rows):
        inf = [r for r in exact if r["network"] == network and r["dt_ms"] == finest]
        of_network = [r for r in curves if r["network"] == network]
        zeros = [
            zero_crossing([r for r in of_network if (r["t_renorm_ms"], r["dt_ms"]) == setting])
            for setting in settings
        ]
        lines.append(
            [network, mean_over_seeds(inf, "value_per_s"), mean_over_seeds(inf, "rate_hz"), *zeros]
        )
    header = [f"d0* {t:g}/{dt:g} ms" for t, dt in settings]
    return "\n".join(
        [
            text_table(lines, ["network", f"lambda_inf {finest:g} ms (1/s)", "Hz", *header]),
            "d0* t_renorm/dt: where the finite-size curve turns positive; means over "
            f"{len({row['seed'] for row in rows})} seeds; failed checks are in the table",
        ]
    )


def zero_crossing(rows: Sequence[Row]) -> float | None:
    """The size d0 above which the curve is positive, None if it has no such zero.

    rows: one dt and t_renorm, any number of seeds. Linear in ln d0 between means over seeds of the
    raw values: a passive leak bounds the zero from below although it is no exponent.
    """
    values: dict[float, list[float]] = {}
    for row in rows:
        if row["raw_per_s"] is not None:
            values.setdefault(row["d0"], []).append(row["raw_per_s"])
    curve = [(d0, mean(raw)) for d0, raw in sorted(values.items())]
    for (low, below), (high, above) in reversed(list(pairwise(curve))):
        if below < 0 <= above:
            return float(low * (high / low) ** (below / (below - above)))
    return None


def _decades(low: int, high: int) -> list[float]:
    return [float(f"1e{k}") for k in range(low, high + 1)]


@dataclass(frozen=True)
class SizeOptions(StudyOptions):
    """Which networks are perturbed, how strongly and for how long."""

    seeds: Whole = Whole(2, low=1).about("seeds, counted from the root seed on")
    networks: Names = Names(preset_names(), LYAPUNOV_NETWORKS).about("presets of networks")
    set: Many = Many(Text(), (), empty=True).about("changes of all of them, such as N=100")
    d0: Many = Many(Real(1.0, 0, above=True), (1e-10, 1e-8, *_decades(-6, 1), 30.0)).about(
        "sizes of the perturbation, in units of the mean threshold"
    )
    t_renorm: Times = Times(("20 ms",)).about("times between renormalisations")
    dt: Times = Times(("0.02 ms", "0.1 ms", "0.5 ms", "1 ms")).about("time steps of the curves")
    dt_inf: Times = Times(("0.1 ms", "0.05 ms"), least=2).about("time steps of lambda_inf")
    copies: Whole = Whole(4, low=1).about("perturbed copies of a curve")
    duration_s: Real = Real(2.0, 0.5, above=True).about("measured time of a curve", "s")
    segments: Whole = Whole(4, low=1).about("independent inputs of lambda_inf")
    duration_inf_s: Real = Real(4.0, 0.5, above=True).about("measured time of lambda_inf", "s")

    def __post_init__(self) -> None:
        for network in self.networks:
            load_preset(network, self.set)


STUDY = Study(
    name="perturbation_size",
    description="the grid artefact: finite-size exponents against d0 and dt, beside lambda_inf",
    points=points,
    run=run,
    options=SizeOptions,
    presets={
        "quick": {},
        "paper": {
            "seeds": 10,
            "d0": _decades(-10, -6)
            + [float(f"{m}e{k}") for k in range(-5, 1) for m in (1, 3)]
            + [10.0],
            "t_renorm": ["5 ms", "20 ms", "100 ms"],
            "copies": 16,
            "duration_s": 10.0,
            "segments": 10,
            "duration_inf_s": 20.0,
        },
    },
    figures=("finite_size",),
    summary=summary,
    columns=(
        Column("raw_per_s", "the number without its checks", "1/s"),
        Column("unrelated_distance", "distance of two runs that share the input alone", "1"),
    ),
)
