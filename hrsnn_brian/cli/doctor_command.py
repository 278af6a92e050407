"""`hrsnn doctor`: whether this machine can do the work, shown by doing a little of it."""

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from hrsnn_brian.cli.options import add_common
from hrsnn_brian.cli.output import Output, check_output_file, note
from hrsnn_brian.errors import EngineError, InputError

if TYPE_CHECKING:
    import numpy as np

    from hrsnn_brian.simulation import Engine
    from hrsnn_brian.simulation.cache import ProgramCache

OPTIONAL = {  # package: module, what for
    "igraph": ("igraph", "faster betweenness"),
    "pyarrow": ("pyarrow", "tables as Parquet, too"),
}
WIDTH = 23  # of the names in the report
N, SAMPLES = 100, 50  # of the trial run: 1 s of biological time


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_common(parser, "also write the report to this file, as JSON")


def run(args: argparse.Namespace, output: Output) -> int:
    from hrsnn_brian.runs.provenance import environment

    check_output_file(args.out, [".json"])
    facts = environment()
    report: dict[str, Any] = {
        "hrsnn_brian": facts["hrsnn_brian"],
        "git_commit": facts["git_commit"],
        "python": facts["python"],
        "platform": facts["platform"],
        "cpu": facts["cpu"],
        "cores": facts["cores"],
        **facts["libraries"],
        "compiler": facts["compiler"] or "none",
        **{package: _found(module, what) for package, (module, what) in OPTIONAL.items()},
    }
    for name, value in report.items():
        output.say(f"{name:<{WIDTH}}{value}")
    try:
        report["trial"] = _trial(args.device, output)
    except (EngineError, InputError) as error:
        output.say(f"{'FAILED':<{WIDTH}}{error}")
        output.result({"ok": False, **report, "problem": str(error)}, args.out)
        return 1
    output.say(f"{'ok':<{WIDTH}}everything works on device {args.device}")
    output.result({"ok": True, **report}, args.out)
    return 0


def _found(module: str, what: str) -> str:
    return "installed" if find_spec(module) else f"not installed ({what})"


def _trial(device: str, output: Output) -> dict[str, Any]:
    """A build and two runs in the folders in use; on compiled devices, spikes against numpy's.

    Raises EngineError if a build or run fails or the spikes differ, InputError for a cache folder
    that takes no programs.
    """
    from hrsnn_brian.runs.progress import EngineProgress
    from hrsnn_brian.simulation import Engine

    with ExitStack() as stack:
        cache = stack.enter_context(_trial_cache(output)) if device == "standalone" else None
        engine = Engine(device, cache=cache, on_progress=EngineProgress())
        counts = _spikes(engine)
        _spikes(engine)
    stats = engine.stats
    _say_temporary(output)
    if stats.builds:
        output.say(f"{'build':<{WIDTH}}{stats.build_seconds:.1f} s, once per model shape")
    each = stats.run_seconds / stats.runs
    output.say(f"{'run':<{WIDTH}}{each:.2f} s for 1 s of {N} neurons, {int(counts.sum())} spikes")
    if device != "numpy":
        note("the same run on numpy, to compare spikes")
        if (_spikes(Engine("numpy")) != counts).any():
            raise EngineError(f"the spikes on {device} differ from those on numpy")
        output.say(f"{'spikes':<{WIDTH}}equal to those on numpy")
    return {"device": device, "run_seconds_each": each, **stats.to_dict()}


@contextmanager
def _trial_cache(output: Output) -> Iterator["ProgramCache"]:
    """An empty cache inside the real one, so that it meets what a build there will meet.

    The real one itself if it is read-only: then only the programs it holds can be used.
    """
    from hrsnn_brian.simulation.cache import ProgramCache

    real = ProgramCache()
    output.say(f"{'cache':<{WIDTH}}{real.root}")
    try:
        real.require_usable()
    except InputError:
        if not (held := len(real.entries())):
            raise
        output.say(f"{'':<{WIDTH}}takes no new programs, holds {held}")
        yield real
        return
    with real.trial() as cache:
        yield cache


def _say_temporary(output: Output) -> None:
    folder, wanted = tempfile.gettempdir(), os.environ.get("TMPDIR")
    other = wanted and os.path.realpath(wanted) != os.path.realpath(folder)
    output.say(
        f"{'temporary files':<{WIDTH}}{folder}"
        + (f" (TMPDIR = {wanted!r} cannot be written)" if other else "")
    )


def _spikes(engine: "Engine") -> "np.ndarray":
    from hrsnn_brian.network.build import build_network
    from hrsnn_brian.network.presets import load_preset
    from hrsnn_brian.seeds import rng
    from hrsnn_brian.simulation import Drive, simulate

    network = build_network(load_preset(overrides=[f"N={N}"]), 0)
    stimulus = rng(0, "input", "doctor").normal(size=(SAMPLES, 1))
    return simulate(engine, network, Drive(stimulus)).spike_count
