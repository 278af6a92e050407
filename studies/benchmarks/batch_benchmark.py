"""CPU time and memory of many inputs shown side by side, against one at a time.

    python -m hrsnn_brian.studies.benchmarks.batch_benchmark [--trials 200] [--alone 20]

A network of 1000 neurons and 1e5 synapses sees trials of 8 samples, 160 ms; states are kept after
the fourth and the last. CPU time is that of this process and of the programs it runs, building
left out.
"""

import argparse
import os
import resource
from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.presets import load_preset
from hrsnn_brian.seeds import rng
from hrsnn_brian.simulation import Engine, Presentation, simulate, simulate_batch

SAMPLES = 8
SHOWN = Presentation(at=(3, 7))


def cpu_seconds() -> float:
    """User and system time of this process and its finished children."""
    return sum(os.times()[:4])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--alone", type=int, default=20)
    parser.add_argument("--channels", type=int, default=28)
    args = parser.parse_args()
    network = build_network(load_preset("default", ["N=1000", "K=100"]), seed=1)
    engine, random = Engine(), rng(1, "input", "benchmark")

    def source() -> Iterator[NDArray[np.float64]]:
        while True:
            yield random.standard_normal((10, SAMPLES, args.channels))

    tens = -(-args.trials // 10)
    first = next(source())
    next(simulate_batch(engine, network, first, SHOWN))  # builds
    simulate(engine, network, SHOWN.drive(first[0], 0))
    start, spikes = cpu_seconds(), 0
    for part in simulate_batch(engine, network, islice(source(), tens), SHOWN):
        spikes += int(part.spike_count.sum())
    together = (cpu_seconds() - start) / (10 * tens)
    start = cpu_seconds()
    for number in range(args.alone):
        simulate(engine, network, SHOWN.drive(first[number % 10], number))
    alone = (cpu_seconds() - start) / args.alone
    rate = spikes / (10 * tens * network.n_neurons * part.seconds)
    print(f"{network.n_synapses} synapses, {10 * tens} trials, {rate:.1f} Hz")
    print(
        f"{1e3 * together:.2f} ms of CPU per trial together, {1e3 * alone:.2f} ms alone: ", end=""
    )
    print(f"ratio {alone / together:.1f}; 10,000 trials: {1e4 * together:.0f} s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of this process {peak:.0f} MB")


if __name__ == "__main__":
    main()
