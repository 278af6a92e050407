"""CPU time and memory of perturbed copies, against separate runs and block-replicated synapses.

    python -m hrsnn_brian.studies.benchmarks.replica_benchmark [--runs 3] [--copies 1 10 100]

N = 1000, 1e5 synapses, 1.2 s of biological time at dt = 0.1 ms, copies that have diverged (they
start 3 apart). Ratios are CPU times of whole processes: all copies in one run over as many
separate runs of the same binary, and over one run of Brian's own Synapses with one block per copy.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from hrsnn_brian.dynamics.exponents.spiking import random_directions, with_time_step
from hrsnn_brian.errors import EngineError
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.network import NEURON_ARRAYS, Network
from hrsnn_brian.network.presets import load_preset
from hrsnn_brian.simulation import Drive, Perturbation, network_scene, network_shape, noise_drive
from hrsnn_brian.simulation.arrays import write_arrays
from hrsnn_brian.simulation.cache import ProgramCache
from hrsnn_brian.simulation.copies_scene import perturbed_scene, perturbed_shape
from hrsnn_brian.simulation.shape import PerturbedShape

SECONDS = 1.2


def benchmark_network() -> Network:
    params = load_preset("default", ["N=1000", "K=100"])
    return with_time_step(build_network(params, seed=1), "0.1 ms")


def block_network(network: Network, copies: int) -> Network:
    """`copies` unconnected copies as one network: every copy brings its own synapses."""
    n = network.n_neurons * copies
    arrays: dict[str, Any] = {
        name: np.tile(getattr(network, name), copies) for name in NEURON_ARRAYS
    }
    arrays["neuron_id"] = np.arange(n)
    return replace(
        network,
        W=sparse.csr_array(sparse.block_diag([network.W] * copies)),
        params=replace(network.params, N=n),
        n_original=n,
        synapses_original=network.n_synapses * copies,
        **arrays,
    )


# A small process of its own: memory is counted from the largest ancestor at the fork.
_LAUNCHER = """
import os, subprocess, sys
process = subprocess.Popen([sys.argv[1]], cwd=sys.argv[2], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
"""


def measure(program: Path, scene: Path, result: Path) -> tuple[float, float]:
    """CPU seconds and peak memory (MB) of one run."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", _LAUNCHER, program, program.parent],
        env=os.environ | {"HRSNN_SCENE": str(scene), "HRSNN_RESULT": str(result)},
        capture_output=True,
        text=True,
        check=True,
    )
    status, cpu, memory = done.stdout.split()
    if int(status):
        raise EngineError(f"{program} failed with status {status}: {done.stderr}")
    return float(cpu), float(memory)


class Case:
    """A compiled program with its scene, ready to be timed."""

    def __init__(self, cache: ProgramCache, folder: Path, name: str) -> None:
        self.cache, self.scene, self.result = cache, folder / name, folder / f"{name}.out"

    def together(
        self, network: Network, copies: int, shape: PerturbedShape | None = None
    ) -> "Case":
        directions = random_directions(copies - 1, network.n_neurons, 0)
        watch = Perturbation(directions, d0=3.0, start=0.01, interval=0.5, action="watch")
        drive = noise_drive(network, SECONDS, 1, record_states=False, traces=False)
        shape = shape or perturbed_shape(network, drive, watch)
        program, _ = self.cache.get(shape)
        write_arrays(self.scene, perturbed_scene(network, drive, watch, shape, program.system))
        self.program, self.shape = program.executable, shape
        return self

    def blocks(self, network: Network, copies: int) -> "Case":
        block = block_network(network, copies)
        drive: Drive = noise_drive(block, SECONDS, 1, record_states=False, traces=False)
        shape = network_shape(block, drive)
        program, _ = self.cache.get(shape)
        write_arrays(self.scene, network_scene(block, drive, shape, program.system))
        self.program = program.executable
        return self

    def run(self) -> tuple[float, float]:
        return measure(self.program, self.scene, self.result)


def run_case(copies: int, runs: int, cache: ProgramCache) -> dict[str, float]:
    """Medians over `runs` interleaved rounds; `copies` counts the reference."""
    network = benchmark_network()
    with tempfile.TemporaryDirectory(prefix="hrsnn-benchmark-") as text:
        folder = Path(text)
        together = Case(cache, folder, "together").together(network, copies)
        alone = Case(cache, folder, "alone").together(network, 1, together.shape)
        blocks = Case(cache, folder, "blocks").blocks(network, copies)
        rounds = [(together.run(), alone.run(), blocks.run()) for _ in range(runs + 1)][1:]
    t, a, b = (statistics.median(r[k][0] for r in rounds) for k in range(3))
    return {
        "copies": copies,
        "cpu_s_per_copy": t / copies,
        "separate_cpu_s": a,
        "blocks_cpu_s_per_copy": b / copies,
        "to_separate": t / (copies * a),
        "to_blocks": t / b,
        "memory_mb": rounds[-1][0][1],
        "blocks_memory_mb": rounds[-1][2][1],
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=3, help="counted rounds (default 3)")
    parser.add_argument("--copies", type=int, nargs="+", default=[1, 10, 100])
    options = parser.parse_args(arguments)
    cache = ProgramCache()
    print("copies  CPU s/copy  separate  blocks/copy  to separate  to blocks  MB  blocks MB")
    for copies in options.copies:
        row = run_case(copies + 1, options.runs, cache)  # and the reference
        print(
            f"{copies:6d} {row['cpu_s_per_copy']:11.3f} {row['separate_cpu_s']:9.3f} "
            f"{row['blocks_cpu_s_per_copy']:12.3f} {row['to_separate']:12.2f} "
            f"{row['to_blocks']:10.2f} {row['memory_mb']:3.0f} {row['blocks_memory_mb']:10.0f}",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
