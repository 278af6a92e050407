"""CPU time of the compiled engine as a ratio to a minimal C++ loop over the same network.

    python -m hrsnn_brian.studies.benchmarks.engine_benchmark [--runs 5] [--case N K]...

Both read the same file and run 10 s of biological time at dt = 1 ms as whole processes, in turn;
the figure is the median over the pairs of the ratio of their CPU times. Spike counts must agree
exactly, else the benchmark fails. Ratios mean something on a busy machine, times do not.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from hrsnn_brian.errors import EngineError
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.distributions import Uniform
from hrsnn_brian.network.network import Network
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.simulation import Drive, network_scene, network_shape
from hrsnn_brian.simulation.arrays import read_arrays, write_arrays
from hrsnn_brian.simulation.cache import ProgramCache
from hrsnn_brian.simulation.program import Program
from hrsnn_brian.simulation.toolchain import FLAGS, find_compiler

# (neurons, in-degree): 1e5, about 1e6 (no self-connections) and 5e6 synapses.
CASES = ((1000, 100), (1000, 999), (5000, 1000))
SECONDS = 10.0


def benchmark_network(n: int, K: int) -> Network:
    """A network that fires at 15-30 Hz on a constant input alone."""
    table = {
        "N": n,
        "graph": {"K": K},
        "weights": {"J": 0.1, "g": 6.0},
        "synapse": {"tau_e": "10 ms", "tau_i": "10 ms"},
    }
    params = HRSNNParams.from_dict(table)
    neuron = replace(params.neuron, bias=Uniform(0.5, 1.5))
    return build_network(replace(params, neuron=neuron), seed=1)


def compile_yardstick(folder: Path) -> Path:
    """Compile yardstick.cpp with the engine's own flags."""
    import hrsnn_brian.simulation

    headers = Path(hrsnn_brian.simulation.__file__).parent
    source = Path(__file__).parent / "yardstick.cpp"
    target = folder / "yardstick"
    subprocess.run(
        [
            *find_compiler().command,
            *FLAGS,
            f"-I{headers}",
            source,
            headers / "scene.cpp",
            "-o",
            target,
        ],
        check=True,
    )
    return target


def cpu_seconds(command: list[str], cwd: Path, environment: dict[str, str]) -> float:
    """User and system time of one process, as the operating system accounts it."""
    process = subprocess.Popen(
        command, cwd=cwd, env={**os.environ, **environment}, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise EngineError(f"{command[0]} failed with status {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def run_case(n: int, K: int, runs: int, cache: ProgramCache) -> dict[str, float]:
    """Ratio and times for one network size; raises EngineError if spike counts differ."""
    network = benchmark_network(n, K)
    drive = Drive(np.zeros((round(SECONDS / 20e-3), 1)), undriven_mean=0.0, traces=False,
                  record_states=False)  # fmt: skip
    shape = network_shape(network, drive)
    program, _ = cache.get(shape)
    with tempfile.TemporaryDirectory(prefix="hrsnn-benchmark-") as text:
        folder = Path(text)
        scene, ours, theirs = (folder / name for name in ("scene", "engine", "yardstick.out"))
        write_arrays(scene, network_scene(network, drive, shape, program.system))
        yardstick = compile_yardstick(folder)
        pairs = [_pair(program, yardstick, scene, ours, theirs, folder) for _ in range(runs + 1)][
            1:
        ]  # the first pair warms the file cache
        counts = [read_arrays(path)["spike_count"] for path in (ours, theirs)]
    if not np.array_equal(counts[0], counts[1]):
        raise EngineError(f"spike counts differ at N={n}: {counts[0].sum()} and {counts[1].sum()}")
    ratios = [a / b for a, b in pairs]
    return {
        "neurons": n,
        "synapses": network.n_synapses,
        "rate_hz": float(counts[0].mean() / SECONDS),
        "spikes": int(counts[0].sum()),
        "engine_cpu_s": statistics.median(a for a, _ in pairs),
        "yardstick_cpu_s": statistics.median(b for _, b in pairs),
        "ratio": statistics.median(ratios),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
    }


def _pair(
    program: Program, yardstick: Path, scene: Path, ours: Path, theirs: Path, folder: Path
) -> tuple[float, float]:
    environment = {"HRSNN_SCENE": str(scene), "HRSNN_RESULT": str(ours)}
    engine = cpu_seconds([str(program.executable)], program.folder, environment)
    return engine, cpu_seconds([str(yardstick), str(scene), str(theirs)], folder, {})


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5, help="counted pairs per case (default 5)")
    parser.add_argument(
        "--case", type=int, nargs=2, action="append", metavar=("N", "K"), help="neurons, in-degree"
    )
    options = parser.parse_args(arguments)
    cache = ProgramCache()
    print("neurons synapses rate_hz   engine_s yardstick_s  ratio (min - max)")
    for n, K in options.case or CASES:
        row = run_case(n, K, options.runs, cache)
        print(
            f"{row['neurons']:7d} {row['synapses']:8d} {row['rate_hz']:7.1f} "
            f"{row['engine_cpu_s']:10.3f} {row['yardstick_cpu_s']:11.3f} "
            f"{row['ratio']:6.2f} ({row['ratio_min']:.2f} - {row['ratio_max']:.2f})",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
