"""`hrsnn prune`: a sparser copy of a saved network, its synapses rewritten."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from hrsnn_brian.cli.options import add_common, add_settings, fraction, whole
from hrsnn_brian.cli.output import Output, check_output_file, note
from hrsnn_brian.errors import InputError, unknown_name

if TYPE_CHECKING:
    from hrsnn_brian.dynamics.probe import Measurements, ProbeLengths
    from hrsnn_brian.network.network import Network
    from hrsnn_brian.pruning.prune import Pruned
    from hrsnn_brian.pruning.recipe import Recipe
    from hrsnn_brian.simulation import Engine
    from hrsnn_brian.tasks.task import Task

NOISE_SECONDS = 10.0
# Words for recipes made from lnp.
VARIANTS = {
    "default": "lnp",
    **{name: f"lnp {name}" for name in ("literal", "capped", "revised", "echo", "echo gain")},
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("network", metavar="NET.npz", help="the network to prune")
    parser.add_argument(
        "--recipe", "--method", dest="recipe", required=True, help="see hrsnn list recipes"
    )
    parser.add_argument("--keep", type=fraction, help="fraction of the original synapses to keep")
    parser.add_argument(
        "--density", type=fraction, help="kept over possible synapses of the resulting network"
    )
    parser.add_argument("--synapses", type=whole(1), help="number of synapses to keep")
    parser.add_argument("--neurons", type=whole(1), help="number of neurons to keep (default: all)")
    parser.add_argument(
        "--rounds", "--iterations", type=whole(1), help="iterations (default: the recipe's)"
    )
    parser.add_argument("--compensation", help='short for --set compensation="row 0.5" and others')
    what = "an option of the recipe, e.g. score=magnitude, or a length of its measurements"
    add_settings(parser, what, "RECIPE")
    parser.add_argument("--variant", help="of lnp: echo, literal ..., short for 'lnp echo' ...")
    parser.add_argument(
        "--work",
        metavar="DIR",
        help="checkpoints and history, to continue after a kill (default for lnp: FILE.lnp)",
    )
    parser.add_argument(
        "--task", help="score the pruned network on this task; recipes that need one prune for it"
    )
    add_common(parser, "the file to write, NET2.npz", out_required=True)


def run(args: argparse.Namespace, output: Output) -> int:
    _one_budget(args)
    check_output_file(args.out, [".npz"])
    if Path(args.out).resolve() == Path(args.network).resolve():
        raise InputError("--out", args.out, "is the network to prune; give another file")

    from hrsnn_brian.cli.description import (
        activity_noted,
        describe,
        engine_facts,
        make_engine,
        network_facts,
    )
    from hrsnn_brian.network.io import load_network, save_network
    from hrsnn_brian.tasks.registry import get_task

    recipe, lengths = _chosen(args)
    work = _work(args, recipe)
    task = get_task(args.task, args.seed) if args.task is not None else None
    network = load_network(args.network)
    engine = make_engine(args.device)
    with activity_noted():
        pruned = _pruned(network, recipe, _probe(engine, args.seed, lengths, task), work, args)
        measured = _measured(pruned.network, task, engine, args.seed)
    save_network(pruned.network, args.out)
    _say_course(pruned, work, output)
    output.say(f"before  {describe(network)}")
    output.say(f"after   {describe(pruned.network)}")
    _say_measured(measured, output)
    output.say(f"wrote {args.out}")
    output.result(
        {
            "command": "prune",
            "file": args.out,
            "method": recipe.name,
            "seed": args.seed,
            **network_facts(pruned.network),
            **measured,
            "iterations": len(pruned.history) - 1,
            "stopped": pruned.stopped,
            "stable": pruned.stable if recipe.stability is not None else None,
            "work": None if work is None else str(work),
            "history": list(pruned.history),
            "engine": engine_facts(engine),
        }
    )
    return 0


def _chosen(args: argparse.Namespace) -> "tuple[Recipe, ProbeLengths]":
    """The recipe that the options name and how long it measures. Raises InputError."""
    from hrsnn_brian.pruning.recipe import with_lengths
    from hrsnn_brian.pruning.recipes import get_recipe

    name = args.recipe
    if args.variant is not None:
        if name != "lnp":
            raise InputError("--variant", args.variant, "is an option of --method lnp")
        if args.variant not in VARIANTS:
            raise unknown_name("--variant", args.variant, VARIANTS)
        name = VARIANTS[args.variant]
    settings = list(args.settings)
    if args.compensation is not None:
        settings.insert(0, f"compensation={args.compensation}")
    return with_lengths(get_recipe(name), settings)


def _probe(
    engine: "Engine", seed: int, lengths: "ProbeLengths", task: "Task | None"
) -> "Measurements":
    from hrsnn_brian.dynamics.probe import Measurements
    from hrsnn_brian.evaluation.task_probe import TaskProbe

    if task is None:
        return Measurements(engine, seed, lengths)
    return TaskProbe(engine, seed, lengths, task=task)


def _work(args: argparse.Namespace, recipe: "Recipe") -> Path | None:
    """The folder of checkpoints, None without one. Raises InputError for one that cannot be."""
    if args.work is None and recipe.stability is None:
        return None
    folder = Path(f"{args.out}.lnp" if args.work is None else args.work)
    if folder.exists() and not folder.is_dir():
        raise InputError("--work", str(folder), "is a file; give a folder")
    if not folder.absolute().parent.is_dir():
        raise InputError("--work", str(folder), "its folder does not exist")
    return folder


def _pruned(
    network: "Network",
    recipe: "Recipe",
    probe: "Measurements",
    work: Path | None,
    args: argparse.Namespace,
) -> "Pruned":
    """The pruned network; progress to standard error."""
    from hrsnn_brian.cli.description import MEASURES
    from hrsnn_brian.pruning.iteration import Watched
    from hrsnn_brian.pruning.prune import Rounds, prune
    from hrsnn_brian.pruning.size import Size
    from hrsnn_brian.runs.progress import Progress, Steps

    steps, progress = Steps(recipe.name), cast("Progress | None", None)

    def compiling() -> float:
        return probe.engine.stats.build_seconds

    def on_measure(what: str) -> None:
        # before the rounds, and in the last, which ends with what is done once
        if progress is None or progress.done >= progress.total - 1:
            steps(MEASURES[what])

    def on_round(done: int, total: int, row: dict[str, Any]) -> None:
        nonlocal progress
        if progress is None:  # the first call: what was done before, and the network given
            progress = Progress(recipe.name, total, already=done, overhead=compiling)
            progress.say(f"iteration {done}: {_line(row)}")
            return
        progress.advance(_line(row))

    return prune(
        network,
        recipe,
        Size(args.neurons, args.keep, args.density, args.synapses),
        probe=Watched(probe, on_measure),
        seed=args.seed,
        rounds=Rounds(args.rounds, work, on_round),
    )


def _line(row: dict[str, Any]) -> str:
    text = f"{row['neurons']} neurons, {row['synapses']} synapses"
    if "rate_hz" not in row:
        return text
    text += f", {row['rate_hz']:.3g} Hz, lambda {row['lambda_1_per_s']:.3g}/s"
    return text if row["stable"] else f"{text}, NOT STABLE"


def _say_course(pruned: "Pruned", work: Path | None, output: Output) -> None:
    if pruned.stopped is not None:
        output.say(pruned.stopped)
    elif not pruned.stable:
        output.say("the network reached the budget but does not meet the stability condition")
    if work is not None:
        output.say(f"history in {work / 'history.csv'}")


def _measured(
    network: "Network", task: "Task | None", engine: "Engine", seed: int
) -> dict[str, Any]:
    """Rate and cost on the task, with its scores; without a task, under white noise."""
    if task is None:
        note(f"measuring the rate: {NOISE_SECONDS:g} s under white noise")
        return {"drive": "white noise", **_noise_cost(network, engine, seed), "scores": {}}
    from hrsnn_brian.evaluation.evaluate import evaluate

    evaluation = evaluate(network, task, engine=engine, seed=seed, controls=False)
    row = evaluation.primary()
    cost = {key: row[key] for key in ("rate_hz", "synaptic_ops_per_s")}
    cost["saturated_fraction"] = evaluation.saturated_fraction
    scores = {name: score.value for name, score in evaluation.scores().items()}
    return {"drive": task.name, **cost, "scores": scores}


def _say_measured(measured: dict[str, Any], output: Output) -> None:
    output.say(
        f"{measured['rate_hz']:.3g} Hz, {measured['synaptic_ops_per_s']:.3g} synaptic "
        f"operations/s; drive: {measured['drive']}"
    )
    for name, value in measured["scores"].items():
        output.say(f"  {name} {value:.4g}" if isinstance(value, float) else f"  {name} {value}")


def _one_budget(args: argparse.Namespace) -> None:
    names = ("keep", "density", "synapses")
    given = [f"--{name}" for name in names if getattr(args, name) is not None]
    if len(given) != 1:
        what = " and ".join(given) or "none"
        raise InputError("budget", what, "give exactly one of --keep, --density and --synapses")


def _noise_cost(network: "Network", engine: "Engine", seed: int) -> dict[str, Any]:
    """Rate and synaptic operations under the task-agnostic white-noise drive."""
    from hrsnn_brian.dynamics.cost import network_cost, saturated_fraction, warn_of_activity
    from hrsnn_brian.dynamics.probe import noise_run

    recording = noise_run(network, engine, seed, NOISE_SECONDS, record_states=False)
    cost = network_cost(network.W, recording.spike_count, recording.seconds)
    activity = (recording.spike_count, recording.seconds, network.params.ceiling_hz)
    warn_of_activity(*activity)
    return {
        "rate_hz": cost.rate_hz,
        "synaptic_ops_per_s": cost.synaptic_ops_per_s,
        "saturated_fraction": saturated_fraction(*activity),
    }
