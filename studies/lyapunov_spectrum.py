"""Lyapunov spectra and lambda_inf of homogeneous, heterogeneous and clustered networks.

J is scanned at the g of the network and g at its J. The conditions differ in membrane time
constants (one value; a gamma distribution; two clusters, wired densely inside, with their own
gamma distributions), hence also in rate: every row of an exponent carries it.

The table has one kind of row for each figure, in the column `quantity`: "exponent" (lambda_inf at
each dt), "spectrum" (index 1 to k), "history" (estimate against measured time per segment, first
and last index), "divergence" (ln distance against time, left alone) and "fit" (its fitted window).
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hrsnn_brian.dynamics.exponents.divergence_fit import fit_window
from hrsnn_brian.dynamics.exponents.spiking import Protocol
from hrsnn_brian.files.columns import Column
from hrsnn_brian.files.tables import Row, text_table
from hrsnn_brian.runs.options import Names, Options, StudyNetwork, StudyOptions
from hrsnn_brian.runs.study import Point, Study
from hrsnn_brian.settings.fields import Real, Whole
from hrsnn_brian.settings.lists import Many
from hrsnn_brian.settings.times import Times
from hrsnn_brian.studies.exponent_rows import lambda_inf_at, mean_over_seeds, ms, whole

if TYPE_CHECKING:
    from hrsnn_brian.network.network import Network
    from hrsnn_brian.simulation import Engine


def _gamma(mean_ms: int) -> str:
    return f'{{family="gamma", shape=4.0, mean="{mean_ms} ms", low="5.3 ms", high="80 ms"}}'


# Means of the clusters average to those of the other conditions; values are our choice.
CONDITIONS: dict[str, list[str]] = {
    "homogeneous": ["neuron.tau_m=20 ms"],
    "heterogeneous": [f"neuron.tau_m={_gamma(20)}"],
    "clustered": [
        "graph.kind=clustered",
        "graph.clusters=2",
        "graph.within=0.8",
        f"neuron.tau_m_clusters=[{_gamma(10)}, {_gamma(30)}]",
    ],
}


def points(options: Options, seed: int) -> list[Point]:
    """One point per seed, condition and (J, g): J scanned at the network's g, and g at its J."""
    weights = options["network"]["weights"]
    J0, g0 = weights["J"], weights["g"]
    pairs = {(J, g0) for J in options["J"]} | {(J0, g) for g in options["g"]} | {(J0, g0)}
    kept = ("network", "k", "duration_s", "segments", "dt", "divergence_s", "copies")
    settings = {key: options[key] for key in kept}
    return [
        {"seed": seed + number, "condition": condition, "J": J, "g": g} | settings
        for number in range(options["seeds"])
        for condition in options["conditions"]
        for J, g in sorted(pairs)
    ]


def run(point: Point, engine: "Engine") -> list[Row]:
    """All kinds of rows of one network."""
    from hrsnn_brian.settings.units import seconds

    network = _network(
        json.dumps(point["network"]), point["condition"], point["J"], point["g"], point["seed"]
    )
    coarsest = max(float(seconds(dt, "dt")) for dt in point["dt"])
    plan = Protocol(duration=point["duration_s"], segments=point["segments"], dt=coarsest)
    rows = [
        *_exponents(point, network, engine, plan),
        *_spectrum(point, network, engine, plan),
        *_divergence(point, network, engine, coarsest),
    ]
    front = whole(point["condition"], network, point["seed"])
    front |= {name: point[name] for name in ("J", "g")}
    return [front | row for row in rows]


@lru_cache(maxsize=2)
def _network(parameters: str, condition: str, J: float, g: float, seed: int) -> "Network":
    from hrsnn_brian.network.build import build_network
    from hrsnn_brian.network.parameters import HRSNNParams
    from hrsnn_brian.settings.reader import read

    changes = [f"weights.J={J!r}", f"weights.g={g!r}", *CONDITIONS[condition]]
    return build_network(read(HRSNNParams, json.loads(parameters), changes), seed)


def _exponents(point: Point, network: "Network", engine: "Engine", plan: "Protocol") -> list[Row]:
    """lambda_inf, one row per dt; a failed check at any of them fails all."""
    found = lambda_inf_at(point, network, engine, plan)
    reason = "; ".join(found.flags)
    return [
        {
            "quantity": "exponent",
            "dt_ms": ms(dt),
            "value_per_s": math.nan if reason else result.largest,
            "standard_error_per_s": float(result.standard_error[0]),
            "reason": reason,
            "d0_difference_per_s": found.d0_difference,
            **_conditions_of(result.settings),
        }
        for dt, result in found.at_dt.items()
    ]


def _conditions_of(settings: Any) -> Row:
    return {
        "d0": settings["d0"],
        "t_renorm_ms": ms(settings["t_renorm"]),
        "passive_per_s": settings["passive_per_s"],
        "rate_hz": settings["rate_hz"],
    }


def _spectrum(point: Point, network: "Network", engine: "Engine", plan: "Protocol") -> list[Row]:
    from hrsnn_brian.dynamics.exponents.spiking import lyapunov_spectrum

    k = point["k"]
    found = lyapunov_spectrum(network, engine=engine, k=k, protocol=plan, seed=point["seed"])
    common = {"dt_ms": ms(plan.dt), "reason": "; ".join(found.flags)}
    whole = {
        "kaplan_yorke": found.kaplan_yorke,
        "entropy_rate_nats_per_s": found.entropy_rate,
        **_conditions_of(found.settings),
    }
    spectrum = [
        {
            "quantity": "spectrum",
            "index": j + 1,
            "value_per_s": float(found.exponents[j]),
            "standard_error_per_s": float(found.standard_error[j]),
            **common,
            **whole,
        }
        for j in range(k)
    ]
    history = [
        {
            "quantity": "history",
            "index": j + 1,
            "time_s": float(f"{time:.12g}"),
            "value_per_s": float(found.history[row, j]),
            **common,
        }
        for j in sorted({0, k - 1})
        for row, time in enumerate(found.times)
    ]
    return spectrum + history


def _divergence(point: Point, network: "Network", engine: "Engine", dt: float) -> list[Row]:
    """ln distance of copies left alone (mean over copies), and the slope of its fitted window."""
    import numpy as np

    from hrsnn_brian.dynamics.exponents.finite_size import EchoProtocol, echo

    seen = echo(
        network,
        engine=engine,
        protocol=EchoProtocol(
            d0=1e-8,
            copies=point["copies"],
            duration=point["divergence_s"],
            dt=dt,
            interpolated=True,
        ),
        seed=point["seed"],
    )
    with np.errstate(divide="ignore"):  # a distance of zero ends the window
        ln_distance = np.log(seen.distance).mean(axis=1)
    rows = [
        {"quantity": "divergence", "time_s": float(f"{t:.12g}"), "ln_distance": float(value)}
        for t, value in zip(seen.times, ln_distance, strict=True)
        if np.isfinite(value)
    ]
    fit = fit_window(seen.times, ln_distance)
    return [*rows, {"quantity": "fit", **fit.row()}]


def summary(rows: Sequence[Row]) -> str:
    """lambda_inf at the finest dt and rate per condition, J and g, and the J where it is zero."""
    exponents = [row for row in rows if row["quantity"] == "exponent"]
    finest = min(row["dt_ms"] for row in exponents)
    seen = [row for row in exponents if row["dt_ms"] == finest]
    conditions = list(dict.fromkeys(row["network"] for row in seen))
    lines = []
    for J, g in sorted({(row["J"], row["g"]) for row in seen}):
        cells: list[object] = [float(J), float(g)]
        for condition in conditions:
            here = [r for r in seen if (r["network"], r["J"], r["g"]) == (condition, J, g)]
            cells += [mean_over_seeds(here, "value_per_s"), mean_over_seeds(here, "rate_hz")]
        lines.append(cells)
    header = [name for condition in conditions for name in (f"{condition} (1/s)", "Hz")]
    seeds = len({row["seed"] for row in seen})
    return "\n".join(
        [
            text_table(lines, ["J", "g", *header]),
            f"lambda_inf at dt = {finest:g} ms, mean over {seeds} seeds; -: a check failed. "
            "Rates differ between conditions: compare with care",
        ]
    )


@dataclass(frozen=True)
class SpectrumOptions(StudyOptions):
    """Which networks are measured, and for how long."""

    conditions: Names = Names(CONDITIONS, CONDITIONS, one="condition").about(
        "heterogeneities of the membrane time constants"
    )
    J: Many = Many(Real(0.0, 0), (0.5, 1.5, 4.0, 6.0)).about("values of J, at the network's g")
    g: Many = Many(Real(0.0, 0), (4.5, 8.0)).about("values of g, at the network's J")
    k: Whole = Whole(10, low=1).about("leading exponents of a spectrum")
    duration_s: Real = Real(3.0, 0).about("measured time of the exponents", "s")
    segments: Whole = Whole(3, low=1).about("independent inputs of the exponents")
    dt: Times = Times(("0.1 ms", "0.05 ms"), least=2).about("time steps of lambda_inf")
    divergence_s: Real = Real(2.5, 0.6).about("time that copies are left alone", "s")
    copies: Whole = Whole(2, low=1).about("copies that are left alone")
    network: StudyNetwork = StudyNetwork("network-C").about("the network to change")

    def __post_init__(self) -> None:
        Protocol(duration=self.duration_s, segments=self.segments)


STUDY = Study(
    name="lyapunov_spectrum",
    description="Lyapunov spectra and lambda_inf against J and g, per heterogeneity of tau_m",
    points=points,
    run=run,
    options=SpectrumOptions,
    presets={
        "quick": {},
        "paper": {
            "seeds": 10,
            "J": [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0],
            "g": [4.5, 5.0, 7.0, 8.0],
            "k": 50,
            "duration_s": 20.0,
            "segments": 10,
            "divergence_s": 4.0,
            "copies": 8,
        },
    },
    figures=("exponent_vs_J", "spectrum", "convergence", "divergence"),
    summary=summary,
    columns=(
        Column("J", "synaptic strength of the network", "1", role="identity"),
        Column("g", "inhibition over excitation", "1", role="identity"),
        Column("index", "number of the exponent, from the largest", "1", role="identity"),
        Column(
            "time_s", "measured time; of a divergence, since the perturbation", "s", role="identity"
        ),
        Column("ln_distance", "ln of the distance of perturbed copies, mean over them", "1"),
        Column("start_s", "begin of the fitted window", "s"),
        Column("end_s", "end of the fitted window", "s"),
        Column("kaplan_yorke", "Kaplan-Yorke dimension", "1"),
        Column("entropy_rate_nats_per_s", "sum of the positive exponents", "nats/s"),
    ),
)
