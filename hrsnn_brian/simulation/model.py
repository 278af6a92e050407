"""The Brian objects of a model: the same for the standalone, cython and numpy targets.

The order within a step is `equations.ORDER`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import brian2 as b2
import sympy
from brian2.parsing.sympytools import str_to_sympy, sympy_to_str
from brian2.stateupdaters.base import StateUpdateMethod

from hrsnn_brian.errors import EngineError
from hrsnn_brian.simulation import equations as text
from hrsnn_brian.simulation.propagators import LinearSystem, parameter_lines, update_statements
from hrsnn_brian.simulation.shape import SQUARES, ModelShape


def linear_system(shape: ModelShape) -> LinearSystem:
    """Read the model's equations as x' = A x + B q, with q held during a step.

    Raises EngineError for an equation that is not linear, a coefficient that is not constant, or
    a variable frozen in the refractory period that drives another one.
    """
    equations = b2.Equations(text.differential_equations(shape))
    states = tuple(sorted(equations.diff_eq_names))
    constants = {e.varname for e in equations.values() if "constant" in e.flags}
    shared = {e.varname for e in equations.values() if "shared" in e.flags}
    rows: dict[str, dict[str, str]] = {}
    inputs: list[str] = []
    for state in states:
        expression = sympy.expand(str_to_sympy(equations[state].expr.code))
        names = {str(s) for s in expression.free_symbols}
        variables = sorted((names - constants) | (names & set(states)))
        symbols = [s for s in expression.free_symbols if str(s) in variables]
        coefficients = {str(s): sympy.diff(expression, s) for s in symbols}
        rest = expression - sum(coefficients[str(s)] * s for s in symbols)
        if sympy.simplify(rest) != 0 or any(
            c.free_symbols & set(symbols) for c in coefficients.values()
        ):
            raise EngineError(f"the equation of {state!r} is not linear: {expression}")
        rows[state] = {n: sympy_to_str(sympy.simplify(coefficients[n])) for n in variables}
        inputs.extend(n for n in variables if n not in states and n not in inputs)
        for name in variables:
            frozen = name in states and "unless refractory" in equations[name].flags
            if frozen and name != state:
                raise EngineError(f"{name!r} is frozen while refractory and drives {state!r}")
    return LinearSystem(
        states=states,
        inputs=tuple(inputs),
        rows=rows,
        parameters=tuple(sorted(constants)),
        shared=tuple(sorted(shared & constants)),
    )


class Propagator(StateUpdateMethod):
    """Brian's hook: the statements of `update_statements` for this one system."""

    def __init__(self, system: LinearSystem) -> None:
        self.system = system

    def __call__(self, equations: Any, variables: Any = None, method_options: Any = None) -> str:
        if set(equations.diff_eq_names) != set(self.system.states):
            raise EngineError("the neuron's equations are not those the propagators were made for")
        return self.statements()

    def statements(self) -> str:
        return update_statements(self.system)


@dataclass
class Model:
    """The Brian objects of a simulation, by role; what a shape does not need is absent."""

    shape: ModelShape
    system: LinearSystem
    network: b2.Network
    clock: b2.Clock
    objects: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.objects[name]

    @property
    def monitors(self) -> dict[str, b2.StateMonitor]:
        """The recordings by the names of their states; none where a kernel records."""
        names = {f"states_{name}": name for name in self.shape.state_names}
        return {name: self[role] for role, name in names.items() if role in self.objects}

    def optional(self) -> dict[str, list[Any]]:
        """The objects that a scene can switch off, by the name of its switch."""
        if "spikes" not in self.objects:
            return {}
        monitors = self.monitors
        switches = {f"record_{name}": [monitors[name]] for name in self.shape.state_names}
        switches["record_spikes"] = [self["spikes"]]
        if self.shape.has_channels:
            switches["closed_loop"] = [
                self["readout"].summed_updaters["from_states_post"],
                self["feedback"].summed_updaters["from_u_post"],
            ]
        if "squared" in self.objects:
            switches["squares"] = [
                self["sums"].summed_updaters["h_post"],
                self["squared"].summed_updaters["from_squares_post"],
            ]
        return switches


def build_model(
    shape: ModelShape,
    functions: Mapping[str, Any],
    n_neurons: int,
    n_channels: int,
    dt: float = 1e-3,
    sample: float = 20e-3,
    delay: float = 0.0,
) -> Model:
    """Create the objects; parameters, synapses and initial values are set by the caller.

    functions: `stimulus`, `free`, `frozen_uniform`, `white_noise` as Brian functions.
    n_neurons, n_channels: array sizes (the capacity for a standalone program). dt, sample and
    delay in seconds.
    """
    b2.defaultclock.dt = dt * b2.second
    system = linear_system(shape)
    clock = b2.Clock(dt=sample * b2.second, name="sample_clock")
    model = Model(shape, system, b2.Network(name="network"), clock)
    namespace = dict(functions)
    encoder = add_encoder(model, namespace, n_neurons)
    neurons = _add_neurons(model, namespace, n_neurons, encoder)
    delays = {"pre": delay * b2.second} | ({"post": 0 * b2.second} if shape.plastic else {})
    for name, current in shape.pathways:
        arguments = text.synapse_equations(current, shape.plastic)
        model.objects[name] = b2.Synapses(neurons, neurons, **arguments, delay=delays, name=name)
    if shape.has_channels:
        add_channels(model, namespace, n_channels)
        _add_readout(model)
    _add_monitors(model)
    model.network.add(*model.objects.values())
    return model


def add_encoder(model: Model, namespace: dict[str, Any], size: int) -> b2.NeuronGroup:
    """The group that holds the input currents and renews them once per sample."""
    declarations, statements = text.encoder_equations(model.shape)
    encoder = b2.NeuronGroup(
        size, declarations, clock=model.clock, name="encoder", namespace=namespace
    )
    encoder.run_regularly(
        statements, clock=model.clock, when="start", order=text.ORDER["encode"], name="encode"
    )
    model.objects["encoder"] = encoder
    return encoder


def _add_neurons(
    model: Model, namespace: dict[str, Any], size: int, encoder: b2.NeuronGroup
) -> b2.NeuronGroup:
    shape = model.shape
    neurons = b2.NeuronGroup(
        size,
        text.neuron_equations(shape) + "\n".join(parameter_lines(model.system)),
        threshold=text.THRESHOLD,
        reset=text.reset_statements(shape),
        refractory=text.REFRACTORY if shape.refractory else False,
        method=Propagator(model.system),
        name="neurons",
        namespace=namespace,
    )
    neurons.I_in = b2.linked_var(encoder, "I")
    link_kicks(model, neurons)
    model.objects["neurons"] = neurons
    return neurons


def link_kicks(model: Model, neurons: b2.NeuronGroup) -> None:
    """Poisson input at the encoder's rates, where the encoder is of that kind."""
    if model.shape.encoding == "poisson":
        neurons.rate = b2.linked_var(model["encoder"], "rate")
        order = text.ORDER["kicks"]
        neurons.run_regularly(text.POISSON_KICKS, when="start", order=order, name="kicks")


def add_channels(model: Model, namespace: dict[str, Any], size: int) -> None:
    """The input channels u and their projection on the encoder."""
    declarations, statements = text.CHANNELS
    channels = b2.NeuronGroup(
        size, declarations, clock=model.clock, name="channels", namespace=namespace
    )
    channels.run_regularly(
        statements, clock=model.clock, when="start", order=text.ORDER["channels"], name="update_u"
    )
    model.objects["channels"] = channels
    projection = b2.Synapses(channels, model["encoder"], text.PROJECTION, name="projection")
    _schedule_sum(projection, "x_post", "projection")
    model.objects["projection"] = projection


def _add_readout(model: Model) -> None:
    shape, neurons, channels = model.shape, model["neurons"], model["channels"]
    readout = b2.Synapses(neurons, channels, text.readout_equations(shape), name="readout")
    _schedule_sum(readout, "from_states_post", "readout")
    feedback = b2.Synapses(channels, channels, text.FEEDBACK, name="feedback")
    _schedule_sum(feedback, "from_u_post", "feedback")
    model.objects.update(readout=readout, feedback=feedback)
    if shape.traces:
        _add_squares(model)
    model.objects["predictions"] = b2.StateMonitor(
        channels,
        "u",
        record=True,
        clock=model.clock,
        when="start",
        order=text.ORDER["predictions"],
        name="predictions",
    )


def _add_squares(model: Model) -> None:
    squares = b2.NeuronGroup(SQUARES, text.SUMS, clock=model.clock, name="squares")
    sums = b2.Synapses(model["neurons"], squares, text.sum_equations(model.shape), name="sums")
    _schedule_sum(sums, "h_post", "sums")
    squared = b2.Synapses(squares, model["channels"], text.SQUARED, name="squared")
    _schedule_sum(squared, "from_squares_post", "squared")
    model.objects.update(squares=squares, sums=sums, squared=squared)


def _schedule_sum(synapses: b2.Synapses, variable: str, role: str) -> None:
    updater = synapses.summed_updaters[variable]
    updater.when, updater.order = "start", text.ORDER[role]


def _add_monitors(model: Model) -> None:
    model.objects["counts"] = b2.SpikeMonitor(model["neurons"], record=False, name="counts")
    model.objects["spikes"] = b2.SpikeMonitor(model["neurons"], name="spikes")
    add_states(model)


def add_states(model: Model) -> None:
    """Recording of every neuron's state, once per sample: each on its own, as a scene asks."""
    for state in model.shape.state_names:
        name = f"states_{state}"
        model.objects[name] = b2.StateMonitor(
            model["neurons"],
            state,
            record=True,
            clock=model.clock,
            when="start",
            order=text.ORDER["states"],
            name=name,
        )
