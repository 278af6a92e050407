"""CPU time and memory of many inputs shown side by side, against one at a time.

    python -m hrsnn_brian.studies.benchmarks.batch_benchmark [--trials 200] [--alone 20]
        [--channels 56 800]

A network of 1000 neurons and 1e5 synapses sees trials of 16 samples of 10 ms, as images are shown;
states are kept after every fourth. CPU time is that of this process and of the programs it runs,
building and the drawing of inputs left out.
"""

import argparse
import os
import resource
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.network import Network
from hrsnn_brian.network.presets import load_preset
from hrsnn_brian.seeds import rng
from hrsnn_brian.simulation import Engine, Presentation, simulate, simulate_batch

SAMPLES = 16
SHOWN = Presentation(at=(3, 7, 11, 15))
DRAWN = 50  # different trials, shown again and again


def cpu_seconds() -> float:
    """User and system time of this process and its finished children."""
    return sum(os.times()[:4])


def peak_megabytes(who: int) -> float:
    return resource.getrusage(who).ru_maxrss / 1024


def compare(engine: Engine, network: Network, channels: int, trials: int, alone: int) -> None:
    """Show trials of one width together and alone, and print what each costs."""
    drawn = rng(1, "input", "benchmark").standard_normal((DRAWN, SAMPLES, channels))
    next(simulate_batch(engine, network, drawn[:1], SHOWN))  # builds
    simulate(engine, network, SHOWN.drive(drawn[0], 0))

    def source() -> Iterator[NDArray[np.float64]]:
        for done in range(0, trials, DRAWN):
            yield drawn[: trials - done]

    start, spikes = cpu_seconds(), 0
    for part in simulate_batch(engine, network, source(), SHOWN):
        spikes += int(part.spike_count.sum())
    together = (cpu_seconds() - start) / trials
    memory = peak_megabytes(resource.RUSAGE_SELF)
    start = cpu_seconds()
    for number in range(alone):
        simulate(engine, network, SHOWN.drive(drawn[number % DRAWN], number))
    single = (cpu_seconds() - start) / alone
    rate = spikes / (trials * network.n_neurons * part.seconds)
    print(
        f"{channels} channels, {trials} trials, {rate:.1f} Hz: {1e3 * together:.2f} ms of CPU per "
        f"trial together, {1e3 * single:.1f} ms alone, ratio {single / together:.1f}; "
        f"10,000 trials {1e4 * together:.0f} s; peak memory of this process {memory:.0f} MB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--alone", type=int, default=20)
    parser.add_argument("--channels", type=int, nargs="+", default=[56, 800])
    args = parser.parse_args()
    overrides = ["N=1000", "K=100", "timing.sample=10 ms"]
    network = build_network(load_preset("default", overrides), seed=1)
    print(f"{network.n_neurons} neurons, {network.n_synapses} synapses")
    engine = Engine()
    for channels in args.channels:
        compare(engine, network, channels, args.trials, args.alone)


if __name__ == "__main__":
    main()
