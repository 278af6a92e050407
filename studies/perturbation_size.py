"""The grid artefact: finite-size exponents against d0 and dt, beside lambda_inf.

The same networks under the same frozen input at every time step. On the time grid a spike moves
by whole steps or not at all, so a perturbation of size d0 moves one with a probability that goes
as d0/dt: below, only the leak is left (negative, whatever the weights), above, every moved spike
is a jump (positive, whatever the exponent). Quantities, in the column of that name: "finite_size"
for lambda(d0; t_renorm, dt) and "lambda_inf" for the exponent, at two values of dt.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from statistics import mean
from typing import TYPE_CHECKING

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.files.columns import Column, identity
from hrsnn_brian.files.tables import Row, text_table
from hrsnn_brian.runs.study import Options, Point, Study

if TYPE_CHECKING:
    from hrsnn_brian.network.network import Network
    from hrsnn_brian.simulation import Engine

FINITE_SIZE, LAMBDA_INF = "finite_size", "lambda_inf"


def points(options: Options, seed: int) -> list[Point]:
    """One point per seed, network, dt and t_renorm, and one of lambda_inf per seed and network."""
    _check(options)
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


def _check(options: Options) -> None:
    from hrsnn_brian.network.presets import load_preset, preset_names
    from hrsnn_brian.settings.units import seconds

    for network in options["networks"]:
        if network not in preset_names():
            raise unknown_name("networks", network, preset_names())
        load_preset(network, options["set"])
    for name in ("dt", "dt_inf", "t_renorm"):
        for time in options[name]:
            if not seconds(time, name) > 0:
                raise InputError(name, time, "must be a positive time")
    if len(set(options["dt_inf"])) < 2:
        raise InputError("dt_inf", options["dt_inf"], "must name two time steps or more")
    for d0 in options["d0"]:
        if not 0 < d0 < math.inf:
            raise InputError("d0", d0, "must be a positive number")
    for name in ("seeds", "copies", "segments"):
        if options[name] < 1:
            raise InputError(name, options[name], "must be at least 1")
    for name in ("duration_s", "duration_inf_s"):
        if not 0.5 < options[name] < math.inf:
            raise InputError(name, options[name], "must exceed 0.5")


def run(point: Point, engine: "Engine") -> list[Row]:
    """The finite-size curve of one network at one dt, or its lambda_inf at several."""
    network = _network(point["network"], tuple(point["set"]), point["seed"])
    rows = _finite_size if point["quantity"] == FINITE_SIZE else _lambda_inf
    slowest = max(network.tau_m.max(), network.tau_e.max(), network.tau_i.max())
    front = identity(
        point["network"],
        neurons=network.n_neurons,
        synapses=network.n_synapses,
        keep=1.0,
        neuron_fraction=1.0,
        seed=point["seed"],
    )
    front |= {"quantity": point["quantity"]}
    leak = {"passive_per_s": -1.0 / float(slowest)}
    return [front | row | leak for row in rows(point, network, engine)]


@lru_cache(maxsize=4)
def _network(preset: str, overrides: tuple[str, ...], seed: int) -> "Network":
    from hrsnn_brian.network.build import build_network
    from hrsnn_brian.network.presets import load_preset

    return build_network(load_preset(preset, overrides), seed)


def _finite_size(point: Point, network: "Network", engine: "Engine") -> list[Row]:
    from hrsnn_brian.dynamics.exponents.finite_size import finite_size_exponents, unrelated_distance

    seed, dt = point["seed"], point["dt"]
    unrelated = unrelated_distance(network, engine=engine, dt=dt, seed=seed)
    curve = finite_size_exponents(
        network,
        point["d0"],
        engine=engine,
        dt=dt,
        t_renorm=point["t_renorm"],
        duration=point["duration_s"],
        copies=point["copies"],
        unrelated=unrelated,
        seed=seed,
    )
    return [
        {
            "d0": entry.d0,
            "t_renorm_ms": _ms(entry.t_renorm),
            "dt_ms": _ms(entry.dt),
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
    from hrsnn_brian.dynamics.exponents.time_step import lambda_inf

    plan = Protocol(duration=point["duration_s"], segments=point["segments"])
    found = lambda_inf(
        network,
        engine=engine,
        protocol=plan,
        time_steps=point["dt"],
        refinements=0,
        seed=point["seed"],
    )
    reason = "; ".join(found.flags)
    return [
        {
            "d0": plan.d0,
            "t_renorm_ms": _ms(plan.t_renorm),
            "dt_ms": _ms(dt),
            "value_per_s": math.nan if reason else result.largest,
            "standard_error_per_s": float(result.standard_error[0]),
            "raw_per_s": float(result.history[-1, 0]),
            "reason": reason,
            "d0_difference_per_s": found.d0_difference,
            "rate_hz": result.settings["rate_hz"],
        }
        for dt, result in found.at_dt.items()
    ]


def _ms(seconds: float) -> float:
    """Milliseconds without the digits of the conversion."""
    return float(f"{1e3 * seconds:.12g}")


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
        lines.append([network, _mean(inf, "value_per_s"), _mean(inf, "rate_hz"), *zeros])
    header = [f"d0* {t:g}/{dt:g} ms" for t, dt in settings]
    return "\n".join(
        [
            text_table(lines, ["network", f"lambda_inf {finest:g} ms (1/s)", "Hz", *header]),
            "d0* t_renorm/dt: where the finite-size curve turns positive; means over "
            f"{len({row['seed'] for row in rows})} seeds; failed checks are in the table",
        ]
    )


def _mean(rows: Sequence[Row], column: str) -> float | None:
    """Mean over seeds, None if one of them failed."""
    values = [row[column] for row in rows]
    failed = not values or any(v is None or math.isnan(v) for v in values)
    return None if failed else mean(values)


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


_NETWORKS = ["network-A", "network-B", "network-C", "network-D"]
_STEPS = {"dt": ["0.02 ms", "0.1 ms", "0.5 ms", "1 ms"], "dt_inf": ["0.1 ms", "0.05 ms"]}

STUDY = Study(
    name="perturbation_size",
    description="the grid artefact: finite-size exponents against d0 and dt, beside lambda_inf",
    points=points,
    run=run,
    presets={
        "quick": {
            "seeds": 2,
            "networks": _NETWORKS,
            "set": [],
            "d0": [1e-10, 1e-8, *_decades(-6, 1), 30.0],
            "t_renorm": ["20 ms"],
            "copies": 4,
            "duration_s": 2.0,
            "segments": 4,
            "duration_inf_s": 4.0,
            **_STEPS,
        },
        "paper": {
            "seeds": 10,
            "networks": _NETWORKS,
            "set": [],
            "d0": _decades(-10, -6)
            + [float(f"{m}e{k}") for k in range(-5, 1) for m in (1, 3)]
            + [10.0],
            "t_renorm": ["5 ms", "20 ms", "100 ms"],
            "copies": 16,
            "duration_s": 10.0,
            "segments": 10,
            "duration_inf_s": 20.0,
            **_STEPS,
        },
    },
    figures=("finite_size",),
    summary=summary,
    columns=(
        Column("raw_per_s", "the number without its checks", "1/s"),
        Column("unrelated_distance", "distance of two runs that share the input alone", "1"),
    ),
)
