"""`prune`, the one way to apply a recipe to a network: the loop, resumable and watched."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse.csgraph import connected_components

from hrsnn_brian.dynamics.probe import Measurements
from hrsnn_brian.errors import InputError
from hrsnn_brian.files.shown import Framed
from hrsnn_brian.network.network import Network
from hrsnn_brian.pruning.echo_gain import ECHO, wanted_echo
from hrsnn_brian.pruning.history import Checkpoints, Clock, Row, check_start, measured_row, size_row
from hrsnn_brian.pruning.iteration import FACTS, METHODS, OF_TASK, Iteration, Probe, identity_of
from hrsnn_brian.pruning.look import Look
from hrsnn_brian.pruning.recipe import Recipe
from hrsnn_brian.pruning.recipes import get_recipe
from hrsnn_brian.pruning.size import Size
from hrsnn_brian.pruning.survivors import geometric_schedule
from hrsnn_brian.pruning.tune_timescales import check_rounds
from hrsnn_brian.seeds import seed_sequence
from hrsnn_brian.simulation import Engine

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Rounds:
    """How often a recipe is applied, and what becomes of every iteration.

    number: default the recipe's. work: folder of checkpoints, from which the same call continues
    after a kill. on_round: called with iterations done and in all, and the latest row of the
    history.
    """

    number: int | None = None
    work: Path | str | None = None
    on_round: Callable[[int, int, Row], None] = lambda done, total, row: None


@dataclass(frozen=True, eq=False, repr=False)
class Pruned(Framed):
    """What `prune` returns.

    history: one row per iteration, row 0 the network given. stopped: why pruning ended before its
    last iteration, in which case `network` is the last stable one; None if it reached the size.
    """

    network: Network
    history: tuple[Row, ...]
    stopped: str | None

    def facts(self) -> dict[str, Any]:
        """The network, its iterations, and why pruning ended early if it did."""
        iterations = len(self.history) - 1
        return {"network": self.network, "iterations": iterations, "stopped": self.stopped or "no"}

    def frame(self) -> "pd.DataFrame":
        """The history as a DataFrame, a row per iteration."""
        import pandas as pd

        return pd.DataFrame(list(self.history))

    @property
    def stable(self) -> bool:
        """Whether `network` meets the stability condition of its recipe."""
        return self.stopped is not None or bool(self.history[-1].get("stable", True))


def prune(
    network: Network,
    recipe: str | Recipe,
    size: Size,
    *,
    engine: Engine | None = None,
    probe: Probe | None = None,
    seed: int = 0,
    rounds: Rounds | int | None = None,
) -> Pruned:
    """The network pruned by a recipe to exactly `size`.

    recipe: a name of `recipes.RECIPES` or a recipe of one's own. probe: what is asked about
    networks, default `Measurements(engine, seed)`; recipes that prune for a task need one that
    knows it. seed: of every random choice. rounds: iterations, default the recipe's; `Rounds`, too,
    says where they are kept and who is told.

    Neurons and synapses fall in equal ratios per iteration [our choice]. A recipe with a stability
    condition stops when it fails `patience` times in a row, or at once when the network falls
    silent, and then returns the last stable network.

    Raises InputError, before any change, for a size that cannot be met, options that do not fit
    together, a network that the recipe refuses, and a `work` that holds another run; and as soon as
    the neurons that stay have fewer synapses between them than the size asks for.
    """
    recipe = get_recipe(recipe)
    probe = Measurements(engine or Engine(), seed) if probe is None else probe
    course = rounds if isinstance(rounds, Rounds) else Rounds(rounds)
    rounds = check_rounds(recipe, recipe.rounds if course.number is None else course.number)
    seed_sequence(seed, "prune")  # refuses a seed that is none
    _check(network, recipe, size, rounds, probe)
    start = _started(network, recipe, size, rounds, probe, seed)
    plan = _plan(start, recipe, rounds)
    settings = {"seed": seed, "plan": plan, "recipe": recipe.to_dict(), **identity_of(probe)}
    run = Checkpoints(None if course.work is None else Path(course.work), network, settings)
    if not run.rows:
        run.add(_measured(start.network, 0, probe, recipe, Clock()), start.network)
    look = Look(probe, recipe)
    course.on_round(len(run.rows) - 1, rounds, run.rows[-1])

    while len(run.rows) <= rounds and run.stopped(recipe.stability) is None:
        k, clock = len(run.rows), Clock()
        neurons, synapses = plan[k - 1]
        with clock("measurements"):
            seen = look(k, run.before)
        now = replace(
            start,
            number=k,
            neurons=neurons,
            synapses=synapses,
            network=run.current,
            seen=seen,
            told=look.told,
            log=lambda name, k=k: run.log(name, k),  # type: ignore[misc]
        )
        for step in recipe.steps:
            with clock(step.section):
                now = step(now)
        if k == rounds:
            seen = Look(probe, recipe).once(now.network, recipe.finish)
            now = replace(start, network=now.network, seen=seen, told=now.told)
            for step in recipe.finish:
                with clock(step.section):
                    now = step(now)
        run.add(_measured(now.network, k, probe, recipe, clock, **now.told), now.network)
        course.on_round(k, rounds, run.rows[-1])

    stopped = run.stopped(recipe.stability)
    network = run.current if stopped is None else run.stable
    return Pruned(network, tuple(run.rows), stopped)


def _started(
    network: Network, recipe: Recipe, size: Size, rounds: int, probe: Probe, seed: int
) -> Iteration:
    """The iteration number 0: the network after what is done once, before the first round."""
    keep = recipe.step("synapses")
    off = keep is not None and keep.rule == "off"
    neurons, synapses = (
        (size.resolve_neurons(network), network.n_synapses) if off else size.resolve(network)
    )
    now = Iteration(
        recipe=recipe,
        probe=probe,
        seed=seed,
        number=0,
        rounds=rounds,
        neurons=neurons,
        synapses=synapses,
        budget=0 if off else synapses,
        network=network,
        source=network,
        original=network,
        original_hz=cache(lambda: float(probe.rate_hz(network))),
        original_echo=cache(lambda: wanted_echo(network, probe)),
    )
    if ECHO in recipe.needs:
        now.original_echo()  # what has none is refused before the first round
    now = replace(now, seen=Look(probe, recipe).once(network, recipe.start))
    for step in recipe.start:
        now = step(now)
    return replace(now, source=now.network)


def _plan(start: Iteration, recipe: Recipe, rounds: int) -> list[tuple[int, int]]:
    """(neurons, synapses) that each iteration leaves.

    Where neurons leave after the synapses of their iteration, a share of synapses goes with them
    that is as the square of their number; the synapses step keeps as many more, and the last
    neurons leave in the last iteration but one, so that the last one ends on the budget.
    """
    network, end = start.network, start.synapses
    order = [step.section for step in recipe.steps]
    falling = geometric_schedule(network.n_synapses, end, rounds)
    if order[:2] != ["synapses", "neurons"]:
        sizes = geometric_schedule(network.n_neurons, start.neurons, rounds)
        return list(zip(sizes, falling, strict=True))
    n = network.n_neurons
    stay = (n,) * (rounds + 1)
    if start.neurons < n:
        if rounds < 2:
            raise InputError("rounds", rounds, "must be at least 2 where neurons leave")
        stay = (n, *geometric_schedule(n, start.neurons, rounds - 1), start.neurons)
    return [
        (after, max(end, min(network.n_synapses, round(target * (before / after) ** 2))))
        for before, after, target in zip(stay[:-1], stay[1:], falling, strict=True)
    ]


def _measured(
    network: Network, k: int, probe: Probe, recipe: Recipe, clock: Clock, **told: Any
) -> Row:
    """The row of an iteration; row 0 of a network that cannot be pruned is refused."""
    with clock("history"):
        if recipe.stability is None:
            row = size_row(network, k)
        else:
            row = measured_row(network, k, probe, recipe)
            if k == 0:
                check_start(network, row, recipe.stability)
    return {**row, **told, **clock.columns()}


def _check(network: Network, recipe: Recipe, size: Size, rounds: int, probe: Probe) -> None:
    """Raises InputError for what cannot be done, before anything is measured."""
    keep, leave = recipe.step("synapses"), recipe.step("neurons")
    if keep is not None and keep.rule == "off" and size.asks_for_synapses:
        raise InputError("synapses", "off", "no budget of synapses can be met with step 1 off")
    if leave is not None and leave.rule == "off" and size.neurons is not None:
        raise InputError("neurons", "off", f"{size.neurons} neurons cannot be met with step 2 off")
    if network.n_synapses < 1:
        raise InputError("network", f"{network.n_neurons} neurons", "has no synapses to prune")
    if recipe.fewer_neurons and size.resolve_neurons(network) == network.n_neurons:
        what = f"recipe {recipe.name!r} chooses who leaves: give fewer than {network.n_neurons}"
        raise InputError("neurons", size.neurons, what)
    if keep is not None and keep.selection == "independent" and recipe.stability is not None:
        what = "meets a budget on average only, and iterations ask for it: fixed or top"
        raise InputError("selection", "independent", what)
    if recipe.stability is not None and recipe.stability.disconnected == "refuse":
        parts, label = connected_components(network.W, connection="weak")
        if parts > 1:
            what = f"is in {parts} parts, the largest of {np.bincount(label).max()} neurons; "
            change = "give a denser network, or the option disconnected=allow"
            raise InputError("network", f"{network.n_neurons} neurons", what + change)
    for need in recipe.needs:
        asked = METHODS.get(need, need)
        if callable(getattr(probe, asked, None)):
            continue
        if need in OF_TASK:
            raise InputError("task", None, f"recipe {recipe.name!r} prunes for a task: give one")
        what = f"recipe {recipe.name!r} needs a probe with {asked}(...): {FACTS[need]}"
        raise InputError("probe", type(probe).__name__, what)
