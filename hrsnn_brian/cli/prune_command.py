"""`hrsnn prune`: a sparser copy of a saved network, its synapses rewritten."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrsnn_brian.cli.lnp import LNP, check_lnp, check_not_lnp, run_lnp
from hrsnn_brian.cli.options import add_common, fraction, whole
from hrsnn_brian.cli.output import Output, check_output_file, note
from hrsnn_brian.errors import InputError

if TYPE_CHECKING:
    from hrsnn_brian.network.network import Network
    from hrsnn_brian.simulation import Engine
    from hrsnn_brian.tasks.task import Task

NOISE_SECONDS = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("network", metavar="NET.npz", help="the network to prune")
    parser.add_argument("--method", required=True, help="see hrsnn list methods")
    parser.add_argument("--keep", type=fraction, help="fraction of the original synapses to keep")
    parser.add_argument(
        "--density", type=fraction, help="kept over possible synapses of the resulting network"
    )
    parser.add_argument("--synapses", type=whole(1), help="number of synapses to keep")
    parser.add_argument("--neurons", type=whole(1), help="number of neurons to keep (default: all)")
    parser.add_argument("--rounds", type=whole(1), help="prune in this many rounds (default 1)")
    parser.add_argument("--compensation", help='such as "row 0.5" (default: the method\'s own)')
    parser.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="OPTION=VALUE",
        help="change an option of the method; may be repeated",
    )
    lnp = parser.add_argument_group("options of --method lnp")
    lnp.add_argument(
        "--variant",
        help="literal: the paper to the letter, weights w/p; revised: with ingredients that work",
    )
    lnp.add_argument("--iterations", type=whole(1), help="iterations (default 20)")
    lnp.add_argument(
        "--work", metavar="DIR", help="checkpoints, to continue after a kill (default: FILE.lnp)"
    )
    parser.add_argument(
        "--task", help="score the pruned network on this task; methods that need one prune for it"
    )
    add_common(parser, "the file to write, NET2.npz", out_required=True)


def run(args: argparse.Namespace, output: Output) -> int:
    _one_budget(args)
    check_output_file(args.out, [".npz"])
    if Path(args.out).resolve() == Path(args.network).resolve():
        raise InputError("--out", args.out, "is the network to prune; give another file")
    options = _options(args.settings)

    from hrsnn_brian.cli.description import describe, engine_facts, make_engine, network_facts
    from hrsnn_brian.network.io import load_network, save_network
    from hrsnn_brian.pruning.methods import get_method
    from hrsnn_brian.tasks.registry import get_task

    if args.method == LNP:
        check_lnp(args, options)
    else:
        check_not_lnp(args)
        get_method(args.method)
    task = get_task(args.task, args.seed) if args.task is not None else None
    network = load_network(args.network)
    engine = make_engine(args.device)
    if args.method == LNP:
        pruned, extra = run_lnp(network, engine, args, options, output)
    else:
        pruned, extra = _run_method(network, engine, args, options, task), {}
    measured = _measured(pruned, task, engine, args.seed)
    save_network(pruned, args.out)
    output.say(f"before  {describe(network)}")
    output.say(f"after   {describe(pruned)}")
    _say_measured(measured, output)
    output.say(f"wrote {args.out}")
    output.result(
        {
            "command": "prune",
            "file": args.out,
            "method": args.method,
            "seed": args.seed,
            **network_facts(pruned),
            **measured,
            **extra,
            "engine": engine_facts(engine),
        }
    )
    return 0


def _run_method(
    network: "Network",
    engine: "Engine",
    args: argparse.Namespace,
    options: dict[str, str],
    task: "Task | None",
) -> "Network":
    from hrsnn_brian.pruning.pipeline import prune_network

    return prune_network(
        network,
        args.method,
        engine=engine,
        seed=args.seed,
        keep=args.keep,
        density=args.density,
        synapses=args.synapses,
        neurons=args.neurons,
        rounds=args.rounds or 1,
        compensation=args.compensation,
        options=options,
        task=task,
    )


def _measured(
    network: "Network", task: "Task | None", engine: "Engine", seed: int
) -> dict[str, Any]:
    """Rate and cost on the task, with its scores; without a task, under white noise."""
    if task is None:
        note(f"measuring the rate: {NOISE_SECONDS:g} s under white noise")
        return {"drive": "white noise", **_noise_cost(network, engine, seed), "scores": {}}
    from hrsnn_brian.cli.evaluate_command import scores_of
    from hrsnn_brian.evaluation import evaluate

    row = evaluate(network, task, engine=engine, seed=seed, controls=False).primary()
    cost = {key: row[key] for key in ("rate_hz", "synaptic_ops_per_s")}
    return {"drive": task.name, **cost, "scores": scores_of(row)}


def _say_measured(measured: dict[str, Any], output: Output) -> None:
    output.say(
        f"{measured['rate_hz']:.3g} Hz, {measured['synaptic_ops_per_s']:.3g} synaptic "
        f"operations/s; drive: {measured['drive']}"
    )
    if measured["rate_hz"] == 0:
        note("warning: the network is silent; raise the drive or the bias")
    for name, value in measured["scores"].items():
        output.say(f"  {name} {value:.4g}" if isinstance(value, float) else f"  {name} {value}")


def _one_budget(args: argparse.Namespace) -> None:
    names = ("keep", "density", "synapses")
    given = [f"--{name}" for name in names if getattr(args, name) is not None]
    if len(given) != 1:
        what = " and ".join(given) or "none"
        raise InputError("budget", what, "give exactly one of --keep, --density and --synapses")


def _options(settings: list[str]) -> dict[str, str]:
    options = {}
    for text in settings:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not key or not equals:
            raise InputError("--set", text, "give option=value")
        options[key] = value
    return options


def _noise_cost(network: "Network", engine: "Engine", seed: int) -> dict[str, Any]:
    """Rate and synaptic operations under the task-agnostic white-noise drive."""
    from hrsnn_brian.measurements import noise_run
    from hrsnn_brian.metrics.cost import network_cost

    recording = noise_run(network, engine, seed, NOISE_SECONDS, record_states=False)
    cost = network_cost(network.W, recording.spike_count, recording.seconds)
    return {"rate_hz": cost.rate_hz, "synaptic_ops_per_s": cost.synaptic_ops_per_s}
