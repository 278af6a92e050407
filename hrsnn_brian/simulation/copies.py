"""The Brian objects of many copies of one network on one weight matrix.

Neurons of all copies form one group, neuron-major: copy r of cell i has index i*copies + r.
Constants are those of the cells, reached through `cell`. Perturbed copies share one input, copy 0
is the reference; copies of a batch have inputs of their own. In compiled programs functions of
copies.h do what Brian has no object for: propagation over a shared weight matrix, the comparison
of copies, projecting and recording them. The numpy and cython targets connect every copy by
Brian's own Synapses; the equations are the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import brian2 as b2

from hrsnn_brian.simulation import equations as text
from hrsnn_brian.simulation.model import (
    Model,
    Propagator,
    add_channels,
    add_encoder,
    add_states,
    linear_system,
    link_kicks,
)
from hrsnn_brian.simulation.propagators import parameter_lines, update_statements
from hrsnn_brian.simulation.shape import CopiesShape, PerturbedShape

# Functions of copies.h that are called for what they do: when, and in which order of that slot
# (None: once per time step). An encoder of direct input has nothing to project.
KERNEL = {
    "deliver": ("synapses", None),
    "observe": ("end", None),
    "record": ("start", text.ORDER["states"]),
    "project": ("start", text.ORDER["projection"]),
}


def kernel_functions(shape: CopiesShape) -> tuple[str, ...]:
    """The functions of copies.h that a program of this shape calls."""
    if isinstance(shape, PerturbedShape):
        return ("deliver", "observe")
    return ("deliver", "record", *(["project"] if shape.has_channels else []))


class _InterpolatedPropagator(Propagator):
    """The exact step, then what it means for a neuron that is refractory for a part of it."""

    def statements(self) -> str:
        lines = update_statements(self.system).splitlines()
        new = [line for line in lines if line.startswith("_")]
        others = [line for line in lines if not line.startswith("_") and line != "v = _v"]
        return "\n".join([*new, *others, text.INTERPOLATED_UPDATE.strip()])


@dataclass(frozen=True)
class Sizes:
    """Array sizes: cells of one copy, neurons of all copies, input channels."""

    cells: int
    total: int
    channels: int


def build_copies(
    shape: CopiesShape,
    functions: Mapping[str, Any],
    sizes: Sizes,
    dt: float = 1e-4,
    sample: float = 1e-3,
    delay: float = 0.0,
) -> Model:
    """Create the objects; arrays and synapses are set by the caller, as in `build_model`.

    functions: those of `build_model` and, for compiled programs, `kernel_functions`.
    """
    b2.defaultclock.dt = dt * b2.second
    system = linear_system(shape)
    clock = b2.Clock(dt=sample * b2.second, name="sample_clock")
    model = Model(shape, system, b2.Network(name="network"), clock)
    namespace = dict(functions)
    compiled = "deliver" in functions
    add_encoder(model, namespace, sizes.total if shape.own_input else sizes.cells)
    if compiled:
        _add_cells(model, sizes.cells)
    _add_copies(model, namespace, sizes.total)
    if shape.has_channels and not (compiled and shape.own_input):
        add_channels(model, namespace, sizes.channels)
    if compiled:
        _add_kernel(model, kernel_functions(shape), namespace)
    else:
        _add_synapses(model, delay)
        if shape.own_input:
            add_states(model)
    model.objects["counts"] = b2.SpikeMonitor(model["neurons"], record=False, name="counts")
    model.network.add(*model.objects.values())
    return model


def _add_kernel(model: Model, names: tuple[str, ...], namespace: dict[str, Any]) -> None:
    kernel = b2.NeuronGroup(1, "done : 1", name="kernel", namespace=namespace)
    for name in names:
        when, order = KERNEL[name]
        clock = {} if order is None else {"clock": model.clock, "order": order}
        kernel.run_regularly(f"done = {name}(t)", when=when, name=f"{name}_copies", **clock)
    model.objects["kernel"] = kernel


def _cell_constants(model: Model) -> list[tuple[str, str]]:
    """(name, unit) of what every copy of a cell shares."""
    names = {"tau_m", "tau_e", "tau_i"} & set(model.system.parameters)
    taus = [(name, "second") for name in sorted(names)]
    return [*((name, "1") for name in model.system.own_entries()), *taus, ("v_th", "1")]


def _add_cells(model: Model, size: int) -> None:
    lines = [f"{name} : {unit} (constant)" for name, unit in _cell_constants(model)]
    model.objects["cells"] = b2.NeuronGroup(size, "\n".join(lines), name="cells")


def _add_copies(model: Model, namespace: dict[str, Any], size: int) -> None:
    shape: Any = model.shape
    interpolated = getattr(shape, "interpolated", False)
    constants = _cell_constants(model)
    names = {name for name, _ in constants}
    # Synapses cannot read linked variables: where there are any, copies own their constants.
    flag = "linked" if "cells" in model.objects else "constant"
    lines = [*text.neuron_equations(shape).splitlines(), *parameter_lines(model.system)]
    equations = "\n".join(line for line in lines if line.partition(":")[0].strip() not in names)
    equations += "\ncell : integer (constant)\n"
    equations += "\n".join(f"{name} : {unit} ({flag})" for name, unit in constants) + "\n"
    if interpolated:
        equations += text.INTERPOLATED_PARAMETERS + text.DRIVE[shape.currents]
    neurons = b2.NeuronGroup(
        size,
        equations,
        threshold=text.THRESHOLD,
        reset=text.INTERPOLATED_RESET if interpolated else text.reset_statements(shape),
        refractory=text.REFRACTORY if shape.refractory else False,
        method=(_InterpolatedPropagator if interpolated else Propagator)(model.system),
        name="neurons",
        namespace=namespace,
    )
    index = None if shape.own_input else "cell"
    neurons.I_in = b2.linked_var(model["encoder"], "I", index=index)
    for name, _ in constants if "cells" in model.objects else ():
        setattr(neurons, name, b2.linked_var(model["cells"], name, index="cell"))
    if interpolated:
        neurons.resetter["spike"].when = "after_thresholds"
    link_kicks(model, neurons)
    model.objects["neurons"] = neurons


def _add_synapses(model: Model, delay: float) -> None:
    """Every copy's own synapses, for the targets without a kernel."""
    shape: Any = model.shape
    neurons = model["neurons"]
    for name, current in shape.pathways:
        on_pre = text.ON_PRE.format(current=current)
        if getattr(shape, "interpolated", False):
            on_pre = text.interpolated_kick(current)
        model.objects[name] = b2.Synapses(
            neurons, neurons, text.SYNAPSE, on_pre=on_pre, delay=delay * b2.second, name=name
        )
