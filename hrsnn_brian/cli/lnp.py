"""`hrsnn prune --method lnp`: what this method has of its own."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrsnn_brian.cli.output import Output
from hrsnn_brian.errors import InputError
from hrsnn_brian.pruning import LNP

if TYPE_CHECKING:
    from hrsnn_brian.network.network import Network
    from hrsnn_brian.pruning.options import LNPOptions
    from hrsnn_brian.simulation import Engine

ITERATIONS = 20


def check_not_lnp(args: argparse.Namespace) -> None:
    """Refuses options that only lnp has. Raises InputError."""
    for name in ("variant", "iterations", "work"):
        if getattr(args, name) is not None:
            raise InputError(f"--{name}", getattr(args, name), f"is an option of --method {LNP}")


def check_lnp(args: argparse.Namespace, settings: dict[str, str]) -> None:
    """Refuses what lnp cannot use, before any work. Raises InputError."""
    if args.rounds is not None:
        raise InputError("--rounds", args.rounds, "lnp has --iterations instead")
    folder = _folder(args)
    if folder.exists() and not folder.is_dir():
        raise InputError("--work", str(folder), "is a file; give a folder")
    if not folder.absolute().parent.is_dir():
        raise InputError("--work", str(folder), "its folder does not exist")
    _lnp_options(args, settings)


def run_lnp(
    network: "Network",
    engine: "Engine",
    args: argparse.Namespace,
    settings: dict[str, str],
    output: Output,
) -> tuple["Network", dict[str, Any]]:
    """The pruned network and what the result says about the run; progress to standard error."""
    from hrsnn_brian.pruning.pipeline import lnp
    from hrsnn_brian.runs.progress import Progress

    iterations = args.iterations or ITERATIONS
    progress: Progress | None = None

    def on_iteration(done: int, total: int, row: dict[str, Any]) -> None:
        nonlocal progress
        if progress is None:  # the first call: what was done before, and the network given
            progress = Progress(LNP, total, already=done)
            progress.say(f"iteration {done}: {_line(row)}")
            return
        progress.advance(_line(row))

    budget = {name: getattr(args, name) for name in ("neurons", "keep", "density", "synapses")}
    pruned = lnp(
        network,
        engine=engine,
        seed=args.seed,
        **budget,
        iterations=iterations,
        options=_lnp_options(args, settings),
        work=_folder(args),
        on_iteration=on_iteration,
    )
    if pruned.stopped is not None:
        output.say(pruned.stopped)
    elif not pruned.stable:
        output.say("the network reached the budget but does not meet the stability condition")
    output.say(f"history in {_folder(args) / 'history.csv'}")
    return pruned.network, {
        "iterations": len(pruned.history) - 1,
        "stopped": pruned.stopped,
        "stable": pruned.stable,
        "work": str(_folder(args)),
        "history": list(pruned.history),
    }


def _folder(args: argparse.Namespace) -> Path:
    if args.work is not None:
        return Path(args.work)
    return Path(f"{args.out}.lnp")


def _lnp_options(args: argparse.Namespace, settings: dict[str, str]) -> "LNPOptions":
    from hrsnn_brian.pruning.options import lnp_options

    chosen = {} if args.compensation is None else {"compensation": args.compensation}
    return lnp_options(args.variant or "default", chosen | settings)


def _line(row: dict[str, Any]) -> str:
    text = (
        f"{row['neurons']} neurons, {row['synapses']} synapses, {row['rate_hz']:.3g} Hz, "
        f"lambda {row['lambda_inf_per_s']:.3g}/s"
    )
    return text if row["stable"] else f"{text}, NOT STABLE"
