"""The step that tunes the membrane time constants; step 4 of LNP.

Unlike the others it asks the engine again and again: every trial is a network of its own.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

import math
from dataclasses import dataclass, replace
from typing import ClassVar

from hrsnn_brian.dynamics.measures import echo_columns
from hrsnn_brian.errors import InputError, NoEchoError
from hrsnn_brian.network.network import Network
from hrsnn_brian.pruning.echo_gain import ECHO
from hrsnn_brian.pruning.iteration import Iteration, Probe, Step
from hrsnn_brian.pruning.rate_steps import KNOB_NAMES, matched
from hrsnn_brian.pruning.recipe import Recipe, Stability
from hrsnn_brian.pruning.timescales import GROUPINGS, Gammas, retime, search_timescales
from hrsnn_brian.settings.fields import OneOf, Real, Whole
from hrsnn_brian.statistics.search import SEARCHES, Search

OBJECTIVES = {
    "spectrum": "lambda_1 closest to lambda_target",
    "memory": "largest linear memory capacity",
    ECHO: "input echoes, with and without recurrence, closest to the unpruned network's",
}
Measured = dict[str, float]
FREE, FIXED = "free", "fixed"
MEANS = {
    FREE: "each group's mean is searched",
    FIXED: "the ratios of the groups' means are searched, the mean over all neurons stays",
}


@dataclass(frozen=True)
class TuneTimescales(Step):
    """Other gamma distributions of tau_m, if a trial beat those closest to the present.

        maximise over (shape, mean) of each group:  -|lambda_1 - lambda_target|

    [review: Bayesian optimisation against the Lyapunov spectrum; the objective is our choice.]
    Trials are compared at the present mean rate, and those that fail the stability condition do not
    count: shorter time constants alone raise rate and exponent together. Every evaluation is
    logged, and a killed search resumes.

    An exponent near zero is what a slow leak has by itself, so that in `lnp` this search takes the
    mean time constant from 20 to 60 ms and the input echo S to 2. Two repairs [our choice]:
    mean=fixed searches shapes and ratios at the mean there is, and objective=echo maximises

        -|ln S/S'| - |ln s/s'|,   s the echo of the same neurons without recurrence,

    S' and s' those of the unpruned network. A leak alone can bring S to S', but by way of s: 5 % of
    the synapses, drawn by lot, leave S, s = .21, .026 (another seed: .14, .022), tau_m three times
    as long makes them .77, .36 (.48, .28); the unpruned networks have .82, .025 (.67, .023).

    Excitatory membranes 2.5 times as slow as inhibitory ones, at that mean, are not the default:
    at 5 % of the synapses, echo gain, rates matched on the task, eight seeds, nothing changes (MG84
    p .71 and .95, Lorenz x .25 and .78, for `lnp echo` and `random echo`). [measured]
    """

    section: ClassVar[str] = "timescales"
    rule: OneOf = OneOf("bayesian", {**SEARCHES, "off": "time constants stay"}).about(
        "how trials are proposed", grade="review"
    )
    timescale_every: Whole = Whole(4, low=1).about("iterations from one search to the next")
    timescale_trials: Whole = Whole(6, low=2).about("evaluations of a search")
    objective: OneOf = OneOf("spectrum", OBJECTIVES).about("what a search maximises")
    mean: OneOf = OneOf(FREE, MEANS).about("whether the mean time constant may change")
    timescale_rate: OneOf = OneOf("bias", KNOB_NAMES).about(
        "what brings every trial to the present mean rate"
    )
    lambda_target: Real = Real(0.0).about("lambda_1 to come close to", "1/s")
    grouping: OneOf = OneOf("class and cluster", GROUPINGS).about("who shares a distribution")

    @property
    def asks(self) -> frozenset[str]:
        return frozenset({ECHO} if self.objective == ECHO and self.rule != "off" else ())

    def __call__(self, now: Iteration) -> Iteration:
        if self.rule == "off" or now.number % self.timescale_every:
            return now
        return now.with_network(self._tuned(now))

    def _tuned(self, now: Iteration) -> Network:
        network, probe = now.network, now.probe
        rate = probe.rate_hz(network)
        wanted = self._wanted(now)

        def candidate(gammas: Gammas) -> Network | None:
            return matched(
                retime(network, gammas, self.grouping), rate, probe.rate_hz, self.timescale_rate
            )

        trials: list[tuple[Gammas, Network]] = []  # of this process: a resumed search has others

        def objective(gammas: Gammas) -> dict[str, float]:
            other = candidate(gammas)
            if other is None:
                return {"objective": math.nan}
            trials.append((gammas, other))
            return self._measured(other, now, wanted)

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
            self.mean == FIXED,
        )
        if result is None:
            return network
        first = float(result.evaluations[0].measures["objective"])
        if result.objective <= first:
            return network
        of_best = [trial for gammas, trial in trials if gammas == result.best]
        tuned = of_best[0] if of_best else candidate(result.best)
        assert tuned is not None  # its objective was a number
        told = now.note("timescale search", objective=result.objective, before=first)
        return replace(tuned, history=(*tuned.history, told))

    def _wanted(self, now: Iteration) -> Measured:
        """Both echoes of the unpruned network, if they are the objective.

        Raises NoEchoError if neurons alone keep nothing of an input, so that no trial could win.
        """
        if self.objective != ECHO:
            return {}
        known = {"input_echo": now.original_echo()}
        wanted = _echoes(now.original, now.probe, known)
        if not wanted["membrane_echo"] > 0:
            allowed = "has no input echo without recurrence, which objective=echo compares"
            raise NoEchoError("network", f"{now.original.n_neurons} neurons", allowed)
        return wanted

    def _measured(self, network: Network, now: Iteration, wanted: Measured) -> Measured:
        """All that was measured of a trial; the objective is NaN where it is not stable."""
        probe, stability = now.probe, now.recipe.stability
        found = {
            "rate_hz": probe.rate_hz(network),
            "lambda_1_per_s": probe.lambda_1(network),
            "objective": math.nan,
        }
        if stability is not None:
            found |= _under_common_noise(network, probe, stability)
            if stability.failures(found):
                return found
        if self.objective == ECHO:
            found |= _echoes(network, probe, found)
            off = [_distance(found[name], value) for name, value in wanted.items()]
            return found | {"objective": -sum(off)}
        if self.objective == "memory":
            return found | {"objective": probe.memory_capacity(network)}
        return found | {"objective": -abs(found["lambda_1_per_s"] - self.lambda_target)}


def _under_common_noise(network: Network, probe: Probe, stability: Stability) -> Measured:
    """What the condition has bounds for; nothing of a network that the encoder shows nothing."""
    if network.params.encoder.gain == 0:
        return {}
    found = {}
    if stability.lambda_common_max is not None:
        found["lambda_common_per_s"] = probe.common_lambda_1(network)
    if stability.echo_max is not None:
        found["input_echo"] = _echo(network, probe)
    return found


def _echoes(network: Network, probe: Probe, known: Measured) -> Measured:
    """The input echo, unless it is known, and that of the same neurons without recurrence."""
    return {
        "input_echo": known["input_echo"] if "input_echo" in known else _echo(network, probe),
        "membrane_echo": _echo(network.without_recurrence(), probe),
    }


def _echo(network: Network, probe: Probe) -> float:
    """The input echo, NaN where there is none."""
    return float(echo_columns(network, probe)["input_echo"])


def _distance(echo: float, wanted: float) -> float:
    return abs(math.log(echo / wanted)) if echo > 0 else math.inf


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
