"""The C++ that a generated program has in its `main` besides Brian's: scene in, results out."""

from collections.abc import Iterable, Iterator
from typing import Any

import brian2 as b2
from brian2.core.variables import ArrayVariable

from hrsnn_brian.simulation.equations import PLASTIC_STATE
from hrsnn_brian.simulation.model import Model
from hrsnn_brian.simulation.shape import BatchShape, CopiesShape

GROUPS = ("neurons", "cells", "encoder", "channels", "squares")
SYNAPSES = (
    *("recurrent", "excitatory", "inhibitory", "projection"),
    *("readout", "feedback", "sums", "squared"),
)
BRIANS_OWN = ("lastspike", "not_refractory")  # arrays of a neuron that Brian adds
OF_COPIES = ("stream",)  # arrays whose values in a scene are those of every copy


def run_time_arrays(group: Any) -> Iterator[tuple[str, ArrayVariable]]:
    """The parameters and state variables a user sets: neither linked, summed nor Brian's own."""
    for name, equation in group.equations.items():
        variable = group.variables[name]
        if name in BRIANS_OWN or "linked" in equation.flags or "summed" in equation.flags:
            continue
        if isinstance(variable, ArrayVariable):
            yield name, variable


def loading_code(model: Model) -> str:
    """C++ that fills every array from the scene, before Brian prepares the run."""
    array = b2.device.get_array_name
    lines = [
        'hrsnn::Scene scene(std::getenv("HRSNN_SCENE"));',
        "hrsnn::load_globals(scene);",
        *(
            f'scene.fill("{name}", {array(clock.variables["dt"])}, 1, true);'
            for name, clock in (("dt", b2.defaultclock), ("sample", model.clock))
        ),
    ]
    for role in GROUPS:
        if role not in model.objects:
            continue
        for name, variable in run_time_arrays(model[role]):
            exact = "true" if variable.scalar else "false"
            room = 1 if variable.scalar else variable.size
            lines.append(f'scene.fill("{role}.{name}", {array(variable)}, {room}, {exact});')
    for role in SYNAPSES:
        if role not in model.objects:
            continue
        synapses = model[role]
        variables = synapses.variables
        ends = [
            array(variables[n], access_data=False)
            for n in ("_synaptic_pre", "_synaptic_post", "N_outgoing", "N_incoming")
        ]
        lines.append(
            f'hrsnn::connect(scene, "{role}", {ends[0]}, {ends[1]}, {array(variables["N"])}, '
            f"{ends[2]}, {ends[3]}, {len(synapses.source)}, {len(synapses.target)});"
        )
        arrays = [(f"{role}.{name}", variable) for name, variable in run_time_arrays(synapses)]
        if role in dict(model.shape.pathways):
            arrays.append(("delay", synapses.pre.variables["delay"]))
        lines.extend(
            f'scene.assign("{name}", {array(variable, access_data=False)});'
            for name, variable in arrays
        )
        lines.extend(
            f"{array(variables[name], access_data=False)}.assign({ends[0]}.size(), 0.0);"
            for name in (PLASTIC_STATE if role in _plastic(model) else ())
        )
    return "\n".join(lines)


def _plastic(model: Model) -> tuple[str, ...]:
    """The synapses that learn."""
    return tuple(name for name, _ in model.shape.pathways) if model.shape.plastic else ()


def copies_code(model: Model) -> str:
    """C++ that tells copies.h where the arrays are."""
    array = b2.device.get_array_name
    neurons, cells = model["neurons"].variables, model["cells"].variables
    shape: Any = model.shape
    currents = [current for _, current in shape.pathways]
    batch = isinstance(shape, BatchShape)
    states = shape.state_names if batch else ()
    fields = {
        "spikes": array(neurons["_spikespace"]),
        "spikes_size": str(neurons["_spikespace"].size),
        "pathways": _listed(f'"{name}"' for name, _ in shape.pathways),
        "currents": _listed(array(neurons[c]) for c in currents),
        "taus": _listed(array(cells["tau_i" if c == "I_i" else "tau_e"]) for c in currents),
        "signs": _listed("-1.0" if c == "I_i" else "1.0" for c in currents),
        "tau_m": array(cells["tau_m"]),
        "v": array(neurons["v"]),
        "own": _listed(f"{{{name}, sizeof(*{name})}}" for name in _own_arrays(model)),
        "x": array(model["encoder"].variables["x"]) if batch and shape.has_channels else "nullptr",
        "states": _listed(array(neurons[name]) for name in states),
        "state_names": _listed(f'"{name}"' for name in states),
    }
    for name in ("remaining", "mobile", "since"):
        fields[name] = array(neurons[name]) if name in neurons else "nullptr"
    lines = [f"hrsnn::arrays.{name} = {value};" for name, value in fields.items()]
    use = "batch" if batch else "perturbation"
    return "\n".join(["", *lines, "hrsnn::load_copies(scene);", f"hrsnn::load_{use}(scene);"])


def _listed(items: Iterable[str]) -> str:
    return "{" + ", ".join(items) + "}"


def _own_arrays(model: Model) -> list[str]:
    """Names of the arrays that hold one value per copy, which a scene gives per cell."""
    groups = [model["neurons"], *([model["encoder"]] if model.shape.own_input else [])]
    own = [
        variable
        for group in groups
        for name, variable in run_time_arrays(group)
        if not variable.scalar and name not in OF_COPIES
    ]
    neurons = model["neurons"].variables
    own += [neurons[name] for name in BRIANS_OWN if name in neurons]
    own.append(model["counts"].variables["count"])
    return [b2.device.get_array_name(variable) for variable in own]


def writing_code(model: Model) -> str:
    """C++ that writes what was recorded and ends the program before Brian writes everything."""
    array = b2.device.get_array_name
    count = array(model["counts"].variables["count"])
    lines = [
        'hrsnn::Writer writer(std::getenv("HRSNN_RESULT"));',
        f"const double steps = brian::{array(b2.defaultclock.variables['timestep'])}[0];",
        'writer.record("steps", 8, 1, &steps);',
        f'writer.record("spike_count", 4, hrsnn::n_active, brian::{count});',
    ]
    if isinstance(model.shape, CopiesShape):
        use = "batch" if isinstance(model.shape, BatchShape) else "perturbation"
        return "\n".join([*lines, f"hrsnn::write_{use}(writer);", "writer.close();", "return 0;"])
    for name, size in (("i", 4), ("t", 8)):
        vector = "brian::" + array(model["spikes"].variables[name], access_data=False)
        lines.append(f'writer.record("spike_{name}", {size}, {vector}.size(), {vector}.data());')
    for role in _plastic(model):
        vector = "brian::" + array(model[role].variables["w"], access_data=False)
        lines.append(f'writer.record("{role}.w", 8, {vector}.size(), {vector}.data());')
    matrices = [
        (f"states.{name}", monitor.variables[name]) for name, monitor in model.monitors.items()
    ]
    if "predictions" in model.objects:
        matrices.append(("predictions.u", model["predictions"].variables["u"]))
    for name, variable in matrices:
        matrix = "brian::" + array(variable, access_data=False)
        lines.append(
            f'writer.head("{name}", 8, (int64_t){matrix}.n * {matrix}.m);\n'
            f"for (int row = 0; row < {matrix}.n; row++)"
            f" writer.data({matrix}(row).data(), {matrix}.m * sizeof(double));"
        )
    return "\n".join([*lines, "writer.close();", "return 0;"])


def switching_code(model: Model) -> str:
    """C++ that takes what the scene does not want out of the network."""
    return "\n".join(
        f'if (scene.number("{switch}") == 0.0) '
        f"hrsnn::drop(network.objects, _run_{item.codeobj.name});"
        for switch, items in model.optional().items()
        for item in items
    )
