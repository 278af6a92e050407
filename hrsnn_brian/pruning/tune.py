"""Step 4 of LNP, the time constants, and the matching of a firing rate.

Unlike the other steps these ask the engine again and again: every trial is a network of its own.
"""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from hrsnn_brian.errors import InputError
from hrsnn_brian.measurements import Measurements
from hrsnn_brian.network.network import Network
from hrsnn_brian.pruning.history import failures
from hrsnn_brian.pruning.options import OFF, LNPOptions
from hrsnn_brian.pruning.rate_match import match_rate
from hrsnn_brian.pruning.timescales import Gammas, retime, search_timescales


def tune_timescales(
    network: Network,
    measure: Measurements,
    options: LNPOptions,
    seed: int,
    log: Path | None = None,
    **note: Any,
) -> Network:
    """Step 4: other gamma distributions of tau_m, if a trial beat those closest to the present.

    Trials are compared at the present mean rate, and those that fail the stability condition do
    not count: shorter time constants alone raise rate and exponent together. Every evaluation is
    logged in `log`, from which a killed search resumes.
    """
    if options.timescales == OFF:
        return network
    rate = measure.rate_hz(network)

    def candidate(gammas: Gammas) -> Network | None:
        retimed = retime(network, gammas, options.grouping)
        return matched(retimed, rate, measure, options.timescale_rate)

    def objective(gammas: Gammas) -> dict[str, float]:
        other = candidate(gammas)
        if other is None:
            return {"objective": math.nan}
        found = {
            "rate_hz": measure.rate_hz(other),
            "lambda_inf_per_s": measure.lambda_inf(other),
            "objective": math.nan,
        }
        if failures(found, options):
            return found
        if options.objective == "memory":
            return found | {"objective": measure.memory_capacity(other)}
        return found | {"objective": -abs(found["lambda_inf_per_s"] - options.lambda_target)}

    try:
        result = search_timescales(
            network,
            objective,
            options.timescale_trials,
            seed,
            grouping=options.grouping,
            method=options.timescales,
            log=log,
            settings={"objective": options.objective, "target": options.lambda_target, **note},
        )
    except InputError as error:
        if error.argument != "objective":
            raise
        return network  # no trial gave a number
    first = float(result.history[0]["objective"])
    if result.objective <= first:
        return network
    tuned = candidate(result.best)
    assert tuned is not None  # its objective was a number
    told = {"operation": "timescale search", "objective": result.objective, "before": first}
    return replace(tuned, history=(*tuned.history, told | note))


def matched(network: Network, rate_hz: float, measure: Measurements, knob: str) -> Network | None:
    """The network at that mean rate, turned by `knob`; None where it cannot be brought there."""
    if knob == OFF:
        return network
    try:
        return match_rate(network, rate_hz, measure.rate_hz, knob=knob).network
    except InputError as error:
        if error.argument != "wanted_hz":
            raise
        return None
