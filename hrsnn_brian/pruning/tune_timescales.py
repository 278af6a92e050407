"""The step that tunes the membrane time constants; step 4 of LNP.

Unlike the others it asks the engine again and again: every trial is a network of its own.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

import math
from dataclasses import dataclass, replace
from typing import ClassVar

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.network import Network
from hrsnn_brian.pruning.iteration import Iteration, Step
from hrsnn_brian.pruning.rate_steps import KNOB_NAMES, matched
from hrsnn_brian.pruning.recipe import Recipe
from hrsnn_brian.pruning.timescales import GROUPINGS, Gammas, retime, search_timescales
from hrsnn_brian.settings.fields import OneOf, Real, Whole
from hrsnn_brian.statistics.search import SEARCHES, Search

OBJECTIVES = {
    "spectrum": "lambda_1 closest to lambda_target",
    "memory": "largest linear memory capacity",
}


@dataclass(frozen=True)
class TuneTimescales(Step):
    """Other gamma distributions of tau_m, if a trial beat those closest to the present.

        maximise over (shape, mean) of each group:  -|lambda_1 - lambda_target|

    [review: Bayesian optimisation against the Lyapunov spectrum; the objective is our choice.]
    Trials are compared at the present mean rate, and those that fail the stability condition do not
    count: shorter time constants alone raise rate and exponent together. Every evaluation is
    logged, and a killed search resumes.
    """

    section: ClassVar[str] = "timescales"
    rule: OneOf = OneOf("bayesian", {**SEARCHES, "off": "time constants stay"}).about(
        "how trials are proposed", grade="review"
    )
    timescale_every: Whole = Whole(4, low=1).about("iterations from one search to the next")
    timescale_trials: Whole = Whole(6, low=2).about("evaluations of a search")
    objective: OneOf = OneOf("spectrum", OBJECTIVES).about("what a search maximises")
    timescale_rate: OneOf = OneOf("bias", KNOB_NAMES).about(
        "what brings every trial to the present mean rate"
    )
    lambda_target: Real = Real(0.0).about("lambda_1 to come close to", "1/s")
    grouping: OneOf = OneOf("class and cluster", GROUPINGS).about("who shares a distribution")

    def __call__(self, now: Iteration) -> Iteration:
        if self.rule == "off" or now.number % self.timescale_every:
            return now
        return now.with_network(self._tuned(now))

    def _tuned(self, now: Iteration) -> Network:
        network, probe = now.network, now.probe
        rate = probe.rate_hz(network)

        def candidate(gammas: Gammas) -> Network | None:
            return matched(
                retime(network, gammas, self.grouping), rate, probe.rate_hz, self.timescale_rate
            )

        def objective(gammas: Gammas) -> dict[str, float]:
            other = candidate(gammas)
            return {"objective": math.nan} if other is None else self._measured(other, now)

        result = search_timescales(
            network,
            objective,
            Search(
                self.timescale_trials,
                now.seed,
                self.rule,
                now.log("timescales"),
                {"objective": self.objective, "target": self.lambda_target, **now.note("")},
            ),
            self.grouping,
        )
        if result is None:
            return network
        first = float(result.evaluations[0].measures["objective"])
        if result.objective <= first:
            return network
        tuned = candidate(result.best)
        assert tuned is not None  # its objective was a number
        told = now.note("timescale search", objective=result.objective, before=first)
        return replace(tuned, history=(*tuned.history, told))

    def _measured(self, network: Network, now: Iteration) -> dict[str, float]:
        """Rate, exponent and objective of a trial; NaN where it is not stable."""
        found = {
            "rate_hz": now.probe.rate_hz(network),
            "lambda_1_per_s": now.probe.lambda_1(network),
            "objective": math.nan,
        }
        stability = now.recipe.stability
        if stability is not None and stability.failures(found):
            return found
        if self.objective == "memory":
            return found | {"objective": now.probe.memory_capacity(network)}
        return found | {"objective": -abs(found["lambda_1_per_s"] - self.lambda_target)}


def check_rounds(recipe: Recipe, rounds: int, argument: str = "rounds") -> int:
    """The number of iterations, which the caller knows as `argument`.

    Raises InputError unless it is a whole number >= 1, or if so few never come to the search of
    time constants.
    """
    if isinstance(rounds, bool) or not isinstance(rounds, int) or rounds < 1:
        raise InputError(argument, rounds, "must be a whole number >= 1")
    tune = recipe.step("timescales")
    if tune is not None and tune.rule != "off" and rounds < tune.timescale_every:
        turn = f"step 4 comes every timescale_every = {tune.timescale_every} of them"
        never = "with fewer, step 4 never has its turn: give more, or timescales=off"
        raise InputError(argument, rounds, f"{turn}; {never}")
    return rounds
