"""`hrsnn doctor`: whether this machine can do the work, shown by doing a little of it."""

import argparse
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrsnn_brian.cli.options import add_common
from hrsnn_brian.cli.output import Output, check_output_file, note
from hrsnn_brian.errors import EngineError

if TYPE_CHECKING:
    import numpy as np

    from hrsnn_brian.simulation import Engine

OPTIONAL = {  # package: module, what for
    "bayesian-optimization": ("bayes_opt", "step 4 of lnp, studies that run it"),
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
    except EngineError as error:
        output.say(f"{'FAILED':<{WIDTH}}{error}")
        output.result({"ok": False, **report, "problem": str(error)}, args.out)
        return 1
    output.say(f"{'ok':<{WIDTH}}everything works on device {args.device}")
    output.result({"ok": True, **report}, args.out)
    return 0


def _found(module: str, what: str) -> str:
    return "installed" if find_spec(module) else f"not installed ({what})"


def _trial(device: str, output: Output) -> dict[str, Any]:
    """A build in an empty cache and two runs; on compiled devices, their spikes against numpy's.

    Raises EngineError if a build or run fails or the spikes differ.
    """
    from hrsnn_brian.runs.progress import EngineProgress
    from hrsnn_brian.simulation import Engine
    from hrsnn_brian.simulation.cache import ProgramCache, default_root

    with tempfile.TemporaryDirectory(prefix="hrsnn-doctor-") as folder:
        cache = ProgramCache(Path(folder)) if device == "standalone" else None
        engine = Engine(device, cache=cache, on_progress=EngineProgress())
        counts = _spikes(engine)
        _spikes(engine)
    stats = engine.stats
    if device == "standalone":
        output.say(f"{'build':<{WIDTH}}{stats.build_seconds:.1f} s, once per model shape")
        output.say(f"{'cache':<{WIDTH}}{default_root()}")
    each = stats.run_seconds / stats.runs
    output.say(f"{'run':<{WIDTH}}{each:.2f} s for 1 s of {N} neurons, {int(counts.sum())} spikes")
    if device != "numpy":
        note("the same run on numpy, to compare spikes")
        if (_spikes(Engine("numpy")) != counts).any():
            raise EngineError(f"the spikes on {device} differ from those on numpy")
        output.say(f"{'spikes':<{WIDTH}}equal to those on numpy")
    return {"device": device, "run_seconds_each": each, **stats.to_dict()}


def _spikes(engine: "Engine") -> "np.ndarray":
    from hrsnn_brian.network.build import build_network
    from hrsnn_brian.parameters.presets import load_preset
    from hrsnn_brian.seeds import rng
    from hrsnn_brian.simulation import Drive, simulate

    network = build_network(load_preset(overrides=[f"N={N}"]), 0)
    stimulus = rng(0, "input", "doctor").normal(size=(SAMPLES, 1))
    return simulate(engine, network, Drive(stimulus)).spike_count
