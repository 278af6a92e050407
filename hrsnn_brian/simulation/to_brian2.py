"""A network as plain Brian objects for a script of one's own.

The equations are those of `equations`, integrated by the same propagators, so that spikes are those
of the engine on every target: numpy, cython and cpp_standalone.
"""

from pathlib import Path
from typing import Any

import brian2 as b2
import numpy as np

from hrsnn_brian.network.network import Network
from hrsnn_brian.simulation import equations as text
from hrsnn_brian.simulation.currents import encoded, projected_input, tuned
from hrsnn_brian.simulation.drive import Drive, FloatArray
from hrsnn_brian.simulation.model import Propagator, linear_system
from hrsnn_brian.simulation.propagators import parameter_lines
from hrsnn_brian.simulation.randomness import white_noise
from hrsnn_brian.simulation.runtime import noise_function
from hrsnn_brian.simulation.scene import (
    encoder_arrays,
    network_shape,
    neuron_arrays,
    recurrent_arrays,
)
from hrsnn_brian.simulation.shape import ModelShape

# What reaches a neuron beside its recurrent synapses.
OWN_INPUT = "I_in = bias + I_ext : 1\nI_ext : 1\n"
SHOWN_INPUT = "I_in = bias + shown(t, i) : 1\n"
BIAS = "bias : 1 (constant)\n"
# Kicks are drawn by the engine's own function.
UNIFORM = (
    "static inline double _frozen_uniform(double stream, int64_t step, int64_t neuron)"
    "{return hrsnn::frozen_uniform(stream, step, neuron);}"
)
HEADER = {"headers": ['"scene.h"'], "include_dirs": [str(Path(__file__).parent)]}
POISSON_INPUT = "rate = rates(t, i) : Hz\nneuron_id : integer (constant)\n"


def to_brian2(
    network: Network, stimulus: FloatArray | None = None, *, seed: int = 0
) -> tuple[Any, ...]:
    """The network as a `NeuronGroup` and its `Synapses`, ready to run in a script of one's own.

    Returns (neurons, synapses), or (neurons, excitatory, inhibitory) for two synaptic currents.
    Bind each to a variable, as Brian's `run` asks for, or add them to a Brian `Network`.

    stimulus: z-scored samples (K, D), shown through the network's encoder, each for one
    `timing.sample`; the last one stays. Without it every neuron has a current `I_ext` of its own
    beside its bias, 0 until the script sets it, and no noise. seed: of the initial potentials, of
    noise and of Poisson input. The group has the network's dt, whatever the default clock's. Its
    variables are those of `hrsnn describe`: v, I_syn (or I_e, I_i), spike traces s1, s2, ...

    With the same stimulus and seed its spikes are those of `simulate`. Raises InputError for a
    stimulus that is no finite (K, D) array.
    """
    if stimulus is None:
        drive = Drive(np.zeros((1, network.n_neurons)), direct=True, seed=seed)
    else:
        drive = Drive(stimulus, seed=seed)
    shape = network_shape(network, drive)
    neurons = _neurons(network, shape, drive)
    arrays = recurrent_arrays(network, shape)
    made = [neurons]
    for name, current in shape.pathways:
        synapses = b2.Synapses(
            neurons,
            neurons,
            **text.synapse_equations(current),
            delay=network.params.synapse.delay * b2.second,
            dt=network.params.timing.dt * b2.second,
        )
        pre, post = (arrays[f"{name}._synaptic_{end}"] for end in ("pre", "post"))
        if pre.size:
            synapses.connect(i=pre, j=post)
            synapses.w = arrays[f"{name}.w"]
        else:
            synapses.active = False
        made.append(synapses)
    return tuple(made)


def _neurons(network: Network, shape: ModelShape, drive: Drive) -> b2.NeuronGroup:
    system, timing = linear_system(shape), network.params.timing
    lines, namespace = _input(network, shape, drive)
    lines += text.REFRACTORY_PARAMETERS if shape.refractory else ""
    neurons = b2.NeuronGroup(
        network.n_neurons,
        "\n".join([text.differential_equations(shape) + lines, *parameter_lines(system)]),
        threshold=text.THRESHOLD,
        reset=text.reset_statements(shape),
        refractory=text.REFRACTORY if shape.refractory else False,
        method=Propagator(system),
        namespace=namespace,
        dt=timing.dt * b2.second,
    )
    values = {**neuron_arrays(network, drive, shape, system), "bias": network.bias}
    if shape.encoding == "poisson":
        order = text.ORDER["kicks"]
        neurons.run_regularly(text.POISSON_KICKS, when="start", order=order, dt=neurons.clock.dt)
    for name, value in values.items():
        variable = neurons.variables.get(name)
        if variable is not None and not variable.read_only:
            setattr(
                neurons, name, b2.Quantity(value[0] if variable.scalar else value, variable.dim)
            )
    return neurons


def _input(network: Network, shape: ModelShape, drive: Drive) -> tuple[str, dict[str, Any]]:
    """Equations of the input, and the functions they name."""
    sample = network.params.timing.sample * b2.second
    if drive.direct:
        return BIAS + OWN_INPUT, {}
    stimulus = np.vstack([drive.stimulus, drive.stimulus[-1:]])  # which then stays
    noise = _noise(network, drive, len(stimulus))
    if shape.encoding != "poisson":
        shown = b2.TimedArray(encoded(network, stimulus) + noise, sample)
        return BIAS + SHOWN_INPUT, {"shown": shown}
    tuning = tuned(network, projected_input(network, stimulus))
    rates = b2.TimedArray(tuning * network.params.encoder.rate_max * b2.Hz, sample)
    uniform = noise_function("frozen_uniform")
    uniform.implementations.add_implementation(
        "cpp", UNIFORM, name="_frozen_uniform", compiler_kwds=HEADER
    )
    shown = b2.TimedArray(noise, sample)
    functions = {"shown": shown, "rates": rates, "frozen_uniform": uniform}
    return BIAS + SHOWN_INPUT + POISSON_INPUT + text.STREAM.format(shared=", shared"), functions


def _noise(network: Network, drive: Drive, samples: int) -> FloatArray:
    """The frozen noise of the network's input (samples, N), new for every sample."""
    arrays = encoder_arrays(network, drive, network_shape(network, drive))
    sd, stream = (float(arrays[f"encoder.{name}"][0]) for name in ("sd", "stream"))
    steps = np.arange(samples)[:, None]
    return white_noise(sd, stream, steps, network.neuron_id[None, :])
