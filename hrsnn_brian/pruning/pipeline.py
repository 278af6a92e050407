"""From a network to a sparse one: Lyapunov Noise Pruning, and the methods it is compared with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse.csgraph import connected_components

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.measurements import Measurements
from hrsnn_brian.network.network import Network
from hrsnn_brian.pruning.budget import resolve_budget, resolve_neurons
from hrsnn_brian.pruning.history import Checkpoints, Clock, Row, check_start, measured_row
from hrsnn_brian.pruning.methods import prune
from hrsnn_brian.pruning.options import OFF, LNPOptions
from hrsnn_brian.pruning.steps import (
    NodeExponents,
    look,
    prune_by_noise,
    remove_neurons,
    spread_modes,
)
from hrsnn_brian.pruning.synapses import geometric_schedule
from hrsnn_brian.pruning.tune import matched, tune_timescales
from hrsnn_brian.seeds import rng
from hrsnn_brian.simulation import Engine
from hrsnn_brian.tasks.task import Task

COVARIANCES = ("simulated", "linear")


@dataclass(frozen=True, eq=False)
class PrunedNetwork:
    """What `lnp` returns.

    history: one row per iteration, row 0 the network given. stopped: why pruning ended before its
    last iteration, in which case `network` is the last stable one; None if it reached the budget.
    """

    network: Network
    history: tuple[Row, ...]
    stopped: str | None

    @property
    def stable(self) -> bool:
        """Whether `network` meets the stability condition."""
        return self.stopped is not None or bool(self.history[-1]["stable"])


def lnp(
    network: Network,
    *,
    engine: Engine | None = None,
    seed: int = 0,
    neurons: int | None = None,
    keep: float | None = None,
    density: float | None = None,
    synapses: int | None = None,
    iterations: int = 20,
    options: LNPOptions | None = None,
    measure: Measurements | None = None,
    work: Path | str | None = None,
    on_iteration: Callable[[int, int, Row], None] = lambda done, total, row: None,
) -> PrunedNetwork:
    """Lyapunov Noise Pruning of an untrained network (Chakraborty et al. 2024), in four steps.

    The result has exactly `neurons` neurons (default: all) and the synapses that exactly one of
    `keep`, `density` and `synapses` says. Both fall in equal ratios per iteration; the last
    neurons leave in the last iteration but one, so that the last one ends on the budget. [our
    choice] seed: of every random choice and input. measure: what to ask instead of the engine.
    work: folder of checkpoints, from which the same call continues after a kill. on_iteration:
    called with iterations done and in all, and the latest row.

    Stops when the stability condition fails `options.patience` times in a row, or at once when
    the network falls silent, and then returns the last stable network.

    Raises InputError, before any change, for a budget that cannot be met, a network that is in
    several parts, silent, exploding or unstable, and a `work` that holds another run; and as soon
    as the neurons that stay have fewer synapses between them than the budget asks for, which
    leaves `work` with the iterations before.
    """
    options = options or LNPOptions()
    options.check_installed()  # before minutes of work
    measure = measure or Measurements(engine or Engine(), seed)
    plan = _plan(network, neurons, keep, density, synapses, iterations, options)
    settings = {"seed": seed, "plan": plan, "options": options.to_dict()}
    run = Checkpoints(None if work is None else Path(work), network, settings)
    if not run.rows:
        clock = Clock()
        with clock("history"):
            row = measured_row(network, 0, measure, options)
        check_start(network, row, options)
        run.add({**row, **clock.columns()}, network)
    nodes = NodeExponents(measure, options)
    rate, share = run.rows[0]["rate_hz"], float(network.is_e.mean())
    on_iteration(len(run.rows) - 1, iterations, run.rows[-1])

    while len(run.rows) <= iterations and run.stopped(options) is None:
        k, clock, now = len(run.rows), Clock(), run.current
        n_neurons, n_synapses = plan[k - 1]
        note = {"method": "lnp", "iteration": k}
        with clock("exponents"):
            exponents = nodes.of(k, run.before)
        with clock("measurements"):
            found = look(now, measure, options, exponents)
        with clock("synapses"):
            random = rng(seed, "prune", "lnp", "synapses", k)
            now = prune_by_noise(now, network, n_synapses, found, options, random, **note)
        with clock("neurons"):
            random = rng(seed, "prune", "lnp", "neurons", k)
            now, found = remove_neurons(now, n_neurons, share, found, options, random, **note)
            _check_enough(now, plan[-1][1], options)
        with clock("delocalisation"):
            random = rng(seed, "prune", "lnp", "delocalisation", k)
            now, added = spread_modes(now, found, options, random, **note)
        with clock("timescales"):
            if k % options.timescale_every == 0:
                now = tune_timescales(now, measure, options, seed, run.log("timescales", k), **note)
        with clock("rate_match"):
            now = matched(now, rate, measure, options.rate_match) or now
        with clock("history"):
            row = measured_row(now, k, measure, options)
        run.add({**row, "added": added, **clock.columns()}, now)
        on_iteration(k, iterations, run.rows[-1])

    stopped = run.stopped(options)
    return PrunedNetwork(run.stable if stopped else run.current, tuple(run.rows), stopped)


def _plan(
    network: Network,
    neurons: int | None,
    keep: float | None,
    density: float | None,
    synapses: int | None,
    iterations: int,
    options: LNPOptions,
) -> list[tuple[int, int]]:
    """(neurons, synapses) that each iteration's steps 2 and 1 leave.

    Step 1 comes before the neurons of its iteration leave, with a share of the synapses that goes
    as the square of their number; it keeps as many more. Raises InputError as `lnp` says.
    """
    budget = (keep, density, synapses)
    if options.synapses == OFF and any(value is not None for value in budget):
        raise InputError("synapses", OFF, "no budget of synapses can be met with step 1 off")
    if options.neurons == OFF and neurons is not None:
        raise InputError("neurons", OFF, f"{neurons} neurons cannot be met with step 2 off")
    n, n_end = network.n_neurons, resolve_neurons(network, neurons)
    end = network.n_synapses
    if options.synapses != OFF:
        end = resolve_budget(network, keep, density, synapses, neurons)
    if end < 1:
        raise InputError("network", f"{n} neurons", "has no synapses to prune")
    falling = geometric_schedule(network.n_synapses, end, iterations)
    if n_end < n and iterations < 2:
        raise InputError("iterations", iterations, "must be at least 2 where neurons leave")
    options.check_iterations(iterations)
    stay = (n,) * (iterations + 1)
    if n_end < n:
        stay = (n, *geometric_schedule(n, n_end, iterations - 1), n_end)
    parts, label = connected_components(network.W, connection="weak")
    if parts > 1 and options.disconnected == "refuse":
        what = f"is in {parts} parts, the largest of {np.bincount(label).max()} neurons; "
        change = "give a denser network, or the option disconnected=allow"
        raise InputError("network", f"{n} neurons", what + change)
    return [
        (after, max(end, min(network.n_synapses, round(target * (before / after) ** 2))))
        for before, after, target in zip(stay[:-1], stay[1:], falling, strict=True)
    ]


def _check_enough(network: Network, budget: int, options: LNPOptions) -> None:
    if options.synapses != OFF and network.n_synapses < budget:
        why = f"only {network.n_synapses} are left between the {network.n_neurons} neurons of an "
        change = "iteration; keep more neurons or fewer synapses"
        raise InputError("synapses", budget, why + change)


def prune_network(
    network: Network,
    method: str,
    *,
    engine: Engine,
    seed: int = 0,
    keep: float | None = None,
    density: float | None = None,
    synapses: int | None = None,
    neurons: int | None = None,
    rounds: int = 1,
    compensation: str | None = None,
    options: Mapping[str, str] | None = None,
    covariance: str = "simulated",
    task: Task | None = None,
) -> Network:
    """Prune by a named method to exactly one of `keep`, `density` or `synapses`.

    Methods that need the covariance of rates get it from a white-noise run of the network as it
    stands at each round ("simulated") or from the linear response ("linear"). Simulated runs use
    the program of the task runs, so pruning builds nothing. task: for the methods that prune a
    network trained for one ("activity", "lottery").

    Raises InputError for unknown names, values out of range or a budget that cannot be met.
    """
    if covariance not in COVARIANCES:
        raise unknown_name("covariance", covariance, COVARIANCES)
    budget = resolve_budget(network, keep, density, synapses, neurons)

    return prune(
        network,
        method,
        budget,
        seed,
        rounds=rounds,
        compensation=compensation,
        options=options,
        covariance="linear" if covariance == "linear" else None,
        neurons=neurons,
        measure=Measurements(engine, seed),
        task=task,
    )
