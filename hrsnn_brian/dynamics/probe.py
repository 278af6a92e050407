"""What pruning may ask of the engine: measures of a network as it stands, each a method.

All are task-agnostic (`task_probe` adds what a task can tell), driven by the white noise of
`noise_drive` or by the common noise of `common_drive`; runs use the programs of the task runs and
of the exponents, so pruning builds nothing of its own.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.dynamics.cost import warn_of_activity
from hrsnn_brian.dynamics.covariance import trace_covariance
from hrsnn_brian.errors import InputError
from hrsnn_brian.network.network import Network
from hrsnn_brian.seeds import rng
from hrsnn_brian.settings.fields import Whole
from hrsnn_brian.settings.section import Section
from hrsnn_brian.settings.times import Span
from hrsnn_brian.simulation import Drive, Engine, Recording, States, noise_drive, simulate

if TYPE_CHECKING:
    from hrsnn_brian.dynamics.exponents.short_time import ShortGrowth

Floats = NDArray[np.float64]

INDEPENDENT, COMMON = "independent", "common"  # what noise is to neurons
COVARIANCE_SECONDS = 60.0
COVARIANCE_TRACE = 100e-3  # of the recorded traces, the one closest to this is the filtered rate
MEMORY_SAMPLES, MEMORY_WASHOUT, MEMORY_DELAYS = 2000, 50, 30
# Spike times lie inside the step: on the default network the exponents at 0.5 and 0.1 ms rank the
# neurons alike (Spearman 1.000), at a third of the time.
NODE_STEP = 0.5e-3
# The readout of the memory capacity sees this many neurons at most: its cost goes as their cube.
MEMORY_NEURONS = 500


@dataclass(frozen=True)
class ProbeLengths(Section):
    """How long networks are measured; times in seconds, or texts with a unit."""

    section: ClassVar[str] = "probe"
    seconds: Span = Span(COVARIANCE_SECONDS).about("biological time of a covariance")
    rate_seconds: Span = Span(10.0).about("biological time of a firing rate")
    T: Span = Span(80e-3).about("time over which the perturbation of a node grows")
    segments: Whole = Whole(6, low=1).about("independent inputs per node exponent")
    batch: Whole = Whole(64, low=1).about("perturbed copies in a run")
    exponent_seconds: Span = Span(2.0).about("measured time of lambda_1")
    echo_samples: Whole = Whole(3000, low=1).about("length of an input echo's runs", "samples")


# About a third of the cost, and more noise: for a first look. [our choice]
SHORT = ProbeLengths(
    seconds=20.0, rate_seconds=4.0, segments=4, exponent_seconds=1.0, echo_samples=1500
)


class Measurements:
    """Measures of networks under frozen, seeded input.

    engine: runs the networks. seed: root of inputs and initial states. lengths: how long they are.
    `unresolved` counts the neurons of the last `node_exponents` that had none; `lambda_1_error` is
    the standard error of the last `lambda_1`, and so are `common_lambda_1_error`, `growth_error`,
    `common_growth_error` and `echo_error` those of their measures.
    """

    def __init__(self, engine: Engine, seed: int = 0, lengths: ProbeLengths | None = None) -> None:
        self.engine, self.seed = engine, seed
        self.lengths = lengths or ProbeLengths()
        self.T = self.lengths.T
        self.unresolved = 0
        self.lambda_1_error = self.common_lambda_1_error = math.nan
        self.growth_error = self.common_growth_error = math.nan
        self.echo_error = math.nan

    @property
    def identity(self) -> dict[str, Any]:
        """What its numbers depend on, for those who file them."""
        return {"device": self.engine.device, "lengths": self.lengths.to_dict()}

    def covariance(self, network: Network) -> Floats:
        """Covariance (N, N) of the filtered rates under white noise."""
        return noise_covariance(network, self.engine, self.seed, self.lengths.seconds)

    def rates(self, network: Network) -> Floats:
        """Firing rates (N,), Hz, under white noise."""
        seconds = self.lengths.rate_seconds
        run = noise_run(network, self.engine, self.seed, seconds, record_states=False)
        return np.asarray(run.spike_count / run.seconds, dtype=float)

    def rate_hz(self, network: Network) -> float:
        """Mean firing rate, Hz, under white noise."""
        return float(self.rates(network).mean())

    def node_exponents(self, network: Network) -> Floats:
        """Finite-time exponents l_i(T) (N,), 1/s, of perturbing neuron i alone.

        A neuron without one (the perturbation died in a segment, or saturated) gets the median of
        the others and is counted in `unresolved`. [our choice]

        Raises InputError if no neuron has one.
        """
        from hrsnn_brian.dynamics.exponents.nodes import NodeProtocol, node_exponents

        values = node_exponents(
            network,
            engine=self.engine,
            protocol=NodeProtocol(
                T=self.T,
                dt=_step(network, NODE_STEP),
                segments=self.lengths.segments,
                batch=self.lengths.batch,
            ),
            seed=self.seed,
        ).raw.copy()
        missing = ~np.isfinite(values)
        self.unresolved = int(missing.sum())
        if missing.all():
            why = "has no node exponent at all: every perturbation died or saturated"
            raise InputError("network", f"{network.n_neurons} neurons", why)
        values[missing] = np.median(values[~missing])
        return values

    def lambda_1(self, network: Network) -> float:
        """The largest Lyapunov exponent, 1/s, at dt = 0.1 ms; NaN where a check failed.

        At one time step and one size of perturbation, to compare networks: `lambda_inf` also asks
        whether both are small enough. Its standard error over two inputs is in `lambda_1_error`.
        """
        value, self.lambda_1_error = self._largest(network, INDEPENDENT)
        return value

    def common_lambda_1(self, network: Network) -> float:
        """The same under one noise for all neurons, shown through the encoder.

        It sees the coherent mode in which networks run away, where `lambda_1` does not. Raises
        InputError for an encoder that shows nothing.
        """
        value, self.common_lambda_1_error = self._largest(network, COMMON)
        return value

    def _largest(self, network: Network, drive: str) -> tuple[float, float]:
        from hrsnn_brian.dynamics.exponents.resolution import unresolved
        from hrsnn_brian.dynamics.exponents.spiking import DRIVES, Protocol, lyapunov_spectrum

        found = lyapunov_spectrum(
            network,
            engine=self.engine,
            protocol=Protocol(duration=self.lengths.exponent_seconds, segments=2),
            drive=DRIVES[drive],
            seed=self.seed,
        )
        # a step too long for the events of an active network
        tolerated = unresolved(found.settings)
        failed = any(flag not in tolerated for flag in found.flags)
        value = math.nan if failed else float(found.history[-1, 0])
        return value, float(found.standard_error[0])

    def growth(self, network: Network) -> float:
        """Growth rate of random perturbations in 200 ms, 1/s, see `exponents.short_time`; NaN where
        a check failed. Its standard error is in `growth_error`."""
        found = self.short_growth(network, INDEPENDENT)
        self.growth_error = found.standard_error
        return found.value

    def common_growth(self, network: Network) -> float:
        """The same under one noise for all neurons, shown through the encoder.

        Above 0 is the eve of an explosion. Raises InputError for an encoder that shows nothing.
        """
        found = self.short_growth(network, COMMON)
        self.common_growth_error = found.standard_error
        return found.value

    def short_growth(self, network: Network, drive: str) -> "ShortGrowth":
        """The growth under "common" or "independent" noise, with why it has no value."""
        from hrsnn_brian.dynamics.exponents.short_time import GrowthProtocol, short_growth
        from hrsnn_brian.dynamics.exponents.spiking import DRIVES

        copies = 3 if network.capacity <= 1024 else 1  # that fit the program of `lambda_1`
        return short_growth(
            network,
            engine=self.engine,
            protocol=GrowthProtocol(copies=copies, dt=_step(network, NODE_STEP)),
            drive=DRIVES[drive],
            seed=self.seed,
        )

    def echo(self, network: Network) -> float:
        """The input echo S, see `dynamics.echo`; its standard error is in `echo_error`.

        Raises NoEchoError for a network that is silent or sees no input.
        """
        from hrsnn_brian.dynamics.echo import InputEchoProtocol, input_echo

        plan = InputEchoProtocol(samples=self.lengths.echo_samples)
        found = input_echo(network, self.engine, self.seed, plan)
        self.echo_error = found.standard_error
        return found.strength

    def memory_capacity(self, network: Network) -> float:
        """Linear memory capacity for standard normal samples, read from the shortest trace.

        Longer traces would add a memory of their own. At most 500 neurons are read, evenly spread.
        [our choice] A silent network has 0.
        """
        from hrsnn_brian.dynamics.activity import memory_capacity

        u = rng(self.seed, "task", "memory").standard_normal((MEMORY_SAMPLES, 1))
        timing = network.params.timing
        trace = timing.trace_names[int(np.argmin(timing.traces))]
        drive = Drive(u, seed=self.seed, record_states=(trace,))
        recording = simulate(self.engine, network, drive)
        if not recording.spike_count.any():
            return 0.0
        states = recording.states[trace]
        count = min(MEMORY_NEURONS, network.n_neurons)
        read = np.linspace(0, network.n_neurons - 1, count).astype(int)
        return memory_capacity(
            {"trace": states[:, read]}, u[:, 0], MEMORY_DELAYS, MEMORY_WASHOUT
        ).total


def noise_covariance(
    network: Network, engine: Engine, seed: int, seconds: float = COVARIANCE_SECONDS
) -> Floats:
    """Covariance (N, N) of the filtered rates under white noise, see `noise_run`.

    Warns (`ActivityWarning`) of a saturated network; that of a silent one is 0.
    """
    recording = noise_run(network, engine, seed, seconds, rate_states(network))
    if recording.spike_count.any():
        warn_of_activity(recording.spike_count, recording.seconds, network.params.ceiling_hz)
    return trace_covariance(filtered_rates(network, recording))


class Recorded(Protocol):
    """What has states by name, (samples, N): a `Recording`, or what a task has shown."""

    @property
    def states(self) -> dict[str, Floats]: ...


def rate_states(network: Network) -> tuple[str]:
    """Name of the recorded trace that `filtered_rates` are: all that a run for them records."""
    return (network.params.timing.nearest_trace(COVARIANCE_TRACE),)


def filtered_rates(network: Network, recording: Recorded) -> Floats:
    """The recorded trace closest to 100 ms, (samples, N), without the first tenth of the run."""
    (name,) = rate_states(network)
    traces = recording.states[name]
    return traces[len(traces) // 10 :]


def noise_run(
    network: Network, engine: Engine, seed: int, seconds: float, record_states: States = True
) -> Recording:
    """A run under the task-agnostic white noise of `noise_drive`."""
    return simulate(engine, network, noise_drive(network, seconds, seed, record_states))


def _step(network: Network, longest: float) -> float:
    """The longest time step (s) up to `longest` that divides the sample time."""
    sample = network.params.timing.sample
    return sample / math.ceil(sample / longest * (1 - 1e-12))
