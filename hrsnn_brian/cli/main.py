"""`hrsnn`: reads the command line, runs one sub-command, turns errors into one line and a status.

Status 0: done. 1: it failed. 2: something given cannot be used. 3: points of a run failed, the
others are finished. 130: interrupted.
"""

import argparse
import errno
import importlib
import os
import sys
from collections.abc import Sequence
from types import ModuleType

from hrsnn_brian.cli.options import Parser, UsageError
from hrsnn_brian.cli.output import Output, note
from hrsnn_brian.cli.process import discard_output, limit_threads, own_process
from hrsnn_brian.errors import HrsnnError, InputError, PointsFailedError, unknown_name

COMMANDS = {
    "build": "build a network and save it",
    "describe": "print the equations and parameters of a saved network",
    "show": "print what a saved network is and does: sizes, history, rate, exponents",
    "plot": "plot what one or two saved networks are and do",
    "prune": "remove synapses from a saved network",
    "train": "let a saved network's synapses learn on a task's input",
    "evaluate": "train readouts on a network's states and score them",
    "predict": "predict new data by a model that evaluate --save wrote",
    "tune": "search settings of the network on a task's validation block",
    "lyapunov": "exponents of a network, a flow or a map, from perturbed copies",
    "sweep": "vary any settings of network, recipe, size and task against each other",
    "study": "run a study of the package or of your own file",
    "runs": "list run directories: what, when, how far, at what cost",
    "watch": "show the progress of a run that other processes compute",
    "compare": "say what differs between two runs: settings, code, results over seeds",
    "join": "merge shards of a run, or repeats with other seeds, into one run",
    "figure": "draw a figure from the tables of a run",
    "report": "write one HTML file of runs: verdicts, figures, tables, provenance",
    "verdicts": "judge the paper's claims from the tables of finished runs",
    "reproduce": "run the paper's claim end to end: tables, figures, verdicts, one report",
    "list": "list tasks, recipes, studies, figures, presets, systems, or the options of one",
    "doctor": "check the installation; time a build and a run",
    "cache": "show or clear the compiled programs and what was learnt from images",
}

# What the machine refuses: no fault of the program, no traceback.
_REFUSED = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.ESTALE),
    *(errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.EMFILE, errno.ENFILE, errno.ENOMEM),
}

_EXAMPLES = """examples:
  hrsnn reproduce                                   the main job: figures and a report
  hrsnn build --set N=300 --out net.npz             a network of 300 neurons
  hrsnn prune net.npz --method noise --keep 0.1 --out pruned.npz
  hrsnn evaluate pruned.npz --task wind
"""


def make_parser(command: str | None) -> tuple[Parser, Parser | None]:
    """The whole parser, and that of `command`; only that one's module is imported."""
    parser = Parser(
        prog="hrsnn",
        description="Sparse heterogeneous spiking networks in Brian2, pruned and put to work.",
        epilog=_EXAMPLES,
    )
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    chosen = None
    for name, summary in COMMANDS.items():
        sub = subparsers.add_parser(name, help=summary, description=f"{summary.capitalize()}.")
        if name == command:
            _module(name).add_arguments(sub)
            chosen = sub
    return parser, chosen


def _module(command: str) -> ModuleType:
    return importlib.import_module(f"hrsnn_brian.cli.{command}_command")


def _parse(words: Sequence[str]) -> argparse.Namespace | None:
    """The arguments; None if there is nothing to run."""
    command = next((word for word in words if not word.startswith("-")), None)
    if command is not None and command not in COMMANDS:
        raise unknown_name("command", command, COMMANDS)
    parser, chosen = make_parser(command)
    args, extra = parser.parse_known_args(words)
    (chosen or parser).refuse_unknown(extra)
    if args.version:
        from hrsnn_brian.runs.provenance import package_version

        print(f"hrsnn {package_version()}")
        return None
    if args.command is None:
        parser.print_help()
        return None
    return args


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `hrsnn` with the words `argv` (default: those of the process); returns its status.

    Only without `argv` it takes the process for its own: streams, signals, threads.
    """
    if argv is None:
        own_process()
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        args = _parse(words)
        if args is None:
            return 0
        if argv is None:
            limit_threads(args.threads)
        with Output(args.json) as output:
            status: int = _module(args.command).run(args, output)
            return status
    except (InputError, UsageError) as error:
        note(f"hrsnn: {_one_line(error)}")
        return 2
    except PointsFailedError as error:
        note(f"hrsnn: {error}")
        return 3
    except HrsnnError as error:
        note(f"hrsnn: {error}")
        return 1
    except KeyboardInterrupt:
        note("hrsnn: interrupted")
        return 130
    except BrokenPipeError:  # the reader of our output, such as `head`, has left
        discard_output()
        return 1
    except MemoryError as error:
        note("hrsnn: memory does not suffice" + f" ({error})" * bool(str(error)))
        return 1
    except OSError as error:
        problem = _refusal(error)
        if problem is None:
            raise
        discard_output()
        note(f"hrsnn: {problem}")
        return 1


def _refusal(error: OSError) -> str | None:
    """The one line about what the machine refused; None for an error that is ours."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return "the current folder was deleted; change to one that exists"
    if error.errno not in _REFUSED:
        return None
    return f"{error.filename or 'output'}: {error.strerror}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
