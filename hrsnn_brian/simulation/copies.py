"""The Brian objects of perturbed copies of one network: one input, one weight matrix.

Neurons of all copies form one group, neuron-major: copy r of cell i has index i*copies + r, copy 0
is the reference. Constants and input are those of the cells, reached through `cell`. In compiled
programs two functions of copies.h do what Brian has no object for: propagation over a shared
weight matrix and the comparison of copies. The numpy and cython targets connect every copy by
Brian's own Synapses and compare in Python; the equations are the same.
"""

from collections.abc import Mapping
from typing import Any

import brian2 as b2

from hrsnn_brian.simulation import equations as text
from hrsnn_brian.simulation.model import Model, Propagator, add_channels, add_encoder, linear_system
from hrsnn_brian.simulation.propagators import LinearSystem, update_statements
from hrsnn_brian.simulation.shape import PerturbedShape


class _InterpolatedPropagator(Propagator):
    """The exact step, then what it means for a neuron that is refractory for a part of it."""

    def statements(self) -> str:
        lines = update_statements(self.system).splitlines()
        new = [line for line in lines if line.startswith("_")]
        others = [line for line in lines if not line.startswith("_") and line != "v = _v"]
        return "\n".join([*new, *others, text.INTERPOLATED_UPDATE.strip()])


def build_copies(
    shape: PerturbedShape,
    functions: Mapping[str, Any],
    n_cells: int,
    n_total: int,
    n_channels: int,
    dt: float = 1e-4,
    sample: float = 1e-3,
) -> Model:
    """Create the objects; arrays and synapses are set by the caller, as in `build_model`.

    functions: those of `build_model` and, for compiled programs, `deliver` and `observe`.
    """
    b2.defaultclock.dt = dt * b2.second
    system = linear_system(shape)
    clock = b2.Clock(dt=sample * b2.second, name="sample_clock")
    model = Model(shape, system, b2.Network(name="network"), clock)
    namespace = dict(functions)
    compiled = "deliver" in functions
    add_encoder(model, namespace, n_cells)
    if compiled:
        _add_cells(model, n_cells)
    _add_copies(model, namespace, n_total)
    if shape.has_channels:
        add_channels(model, namespace, n_channels)
    if compiled:
        kernel = b2.NeuronGroup(1, "done : 1", name="kernel", namespace=namespace)
        kernel.run_regularly("done = deliver(t)", when="synapses", name="deliver_spikes")
        kernel.run_regularly("done = observe(t)", when="end", name="observe_copies")
        model.objects["kernel"] = kernel
    else:
        _add_synapses(model)
    model.objects["counts"] = b2.SpikeMonitor(model["neurons"], record=False, name="counts")
    model.network.add(*model.objects.values())
    return model


def _cell_constants(system: LinearSystem) -> list[tuple[str, str]]:
    """(name, unit) of what every copy of a cell shares."""
    constants = [(name, "1") for name, _, _, _ in system.entries()]
    taus = [(name, "second") for name in system.parameters if name in ("tau_m", "tau_e", "tau_i")]
    return [*constants, *taus, ("v_th", "1")]


def _add_cells(model: Model, size: int) -> None:
    lines = [f"{name} : {unit} (constant)" for name, unit in _cell_constants(model.system)]
    model.objects["cells"] = b2.NeuronGroup(size, "\n".join(lines), name="cells")


def _add_copies(model: Model, namespace: dict[str, Any], size: int) -> None:
    shape: Any = model.shape
    constants = _cell_constants(model.system)
    names = {name for name, _ in constants}
    equations = "\n".join(
        line
        for line in text.differential_equations(shape).splitlines()
        if line.partition(":")[0].strip() not in names
    )
    equations += "\nI_in : 1 (linked)\ncell : integer (constant)\n"
    # Synapses cannot read linked variables: where there are any, copies own their constants.
    flag = "linked" if "cells" in model.objects else "constant"
    equations += "\n".join(f"{name} : {unit} ({flag})" for name, unit in constants) + "\n"
    if shape.interpolated:
        drive = "I_syn" if shape.currents == "one" else "I_e - I_i"
        equations += text.INTERPOLATED_PARAMETERS + f"drive = {drive} + I_in : 1\n"
    elif shape.refractory:
        equations += text.REFRACTORY_PARAMETERS
    neurons = b2.NeuronGroup(
        size,
        equations,
        threshold=text.THRESHOLD,
        reset=text.INTERPOLATED_RESET if shape.interpolated else text.reset_statements(shape),
        refractory=text.REFRACTORY if shape.refractory and not shape.interpolated else False,
        method=(_InterpolatedPropagator if shape.interpolated else Propagator)(model.system),
        name="neurons",
        namespace=namespace,
    )
    neurons.I_in = b2.linked_var(model["encoder"], "I", index="cell")
    for name, _ in constants if "cells" in model.objects else ():
        setattr(neurons, name, b2.linked_var(model["cells"], name, index="cell"))
    if shape.interpolated:
        neurons.resetter["spike"].when = "after_thresholds"
    model.objects["neurons"] = neurons


def _add_synapses(model: Model) -> None:
    """Every copy's own synapses, for the targets without a kernel."""
    shape: Any = model.shape
    neurons = model["neurons"]
    for name, current in shape.pathways:
        on_pre = text.interpolated_kick(current) if shape.interpolated else f"{current}_post += w"
        model.objects[name] = b2.Synapses(
            neurons, neurons, "w : 1 (constant)", on_pre=on_pre, name=name
        )
