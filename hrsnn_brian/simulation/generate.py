"""Generate and compile the standalone program of a shape, in a process of its own.

    python -m hrsnn_brian.simulation.generate SHAPE.json FOLDER

Brian generates the C++ project; lines inserted in its `main` read every array from one file
before the run and write the recorded ones to another after it, so that one binary serves any
network up to the shape's capacity, any dt, input and duration. A fresh process per build, because
Brian's standalone device keeps global state.
"""

import json
import logging
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import brian2 as b2
from brian2.core.variables import ArrayVariable

from hrsnn_brian.errors import EngineError
from hrsnn_brian.simulation.copies import build_copies
from hrsnn_brian.simulation.model import Model, build_model
from hrsnn_brian.simulation.own_brian import default_preferences
from hrsnn_brian.simulation.shape import ModelShape, PerturbedShape, shape_from_dict
from hrsnn_brian.simulation.toolchain import compile_project, find_compiler

GROUPS = ("neurons", "cells", "encoder", "channels")
SYNAPSES = ("recurrent", "excitatory", "inhibitory", "projection", "readout", "feedback")
BRIANS_OWN = ("lastspike", "not_refractory")  # arrays of a neuron that Brian adds
SCENE_FILES = ("scene.h", "scene.cpp", "copies.h", "copies.cpp")

# Code objects whose loops run over the active neurons only.
_ACTIVE_LOOPS = {
    "neurons_stateupdater_codeobject": (r"const int _N = N;", "const int _N = hrsnn::n_active;"),
    "neurons_spike_thresholder_codeobject": (r"_idx<N;", "_idx<hrsnn::n_active;"),
    "encode_codeobject": (r"const int _N = N;", "const int _N = hrsnn::n_inputs;"),
    "kicks_codeobject": (r"const int _N = N;", "const int _N = hrsnn::n_active;"),
    "states_codeobject": (
        r"const size_t _num_indices = \d+;",
        "const size_t _num_indices = hrsnn::n_active;",
    ),
}


def scene_functions() -> dict[str, b2.Function]:
    """The functions of the equations, implemented in scene.h."""
    second = b2.second

    def function(name: str, units: list[Any], code: str) -> b2.Function:
        made = b2.Function(_unavailable, arg_units=units, return_unit=1, stateless=True)
        made.implementations.add_implementation(
            "cpp", code, name=name, compiler_kwds={"headers": ['"scene.h"']}
        )
        return made

    return {
        "stimulus": function(
            "_stimulus",
            [second, 1],
            "static inline double _stimulus(double t, int64_t i){return hrsnn::stimulus(t, i);}",
        ),
        "free": function(
            "_free",
            [second],
            "static inline double _free(double t){return hrsnn::is_free(t);}",
        ),
        "frozen_uniform": function(
            "_frozen_uniform",
            [1, 1, 1],
            "static inline double _frozen_uniform(double stream, int64_t step, int64_t neuron)"
            "{return hrsnn::frozen_uniform(stream, step, neuron);}",
        ),
        "white_noise": function(
            "_white_noise",
            [1, 1, 1, 1],
            "static inline double _white_noise(double sd, double stream, int64_t step, "
            "int64_t neuron){return hrsnn::white_noise(sd, stream, step, neuron);}",
        ),
    }


def _unavailable(*arguments: Any) -> None:
    raise EngineError("this function exists in compiled programs only")


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
        arrays = list(run_time_arrays(synapses))
        if role in dict(model.shape.pathways):
            arrays.append(("delay", synapses.pre.variables["delay"]))
        lines.extend(
            f'scene.assign("{role}.{name}", {array(variable, access_data=False)});'
            for name, variable in arrays
        )
    return "\n".join(lines)


def _kernel_function(name: str) -> b2.Function:
    """A function of copies.h that is called once per step for what it does."""
    made = b2.Function(_unavailable, arg_units=[b2.second], return_unit=1, stateless=False)
    code = f"static inline double _{name}(double t){{return hrsnn::{name}();}}"
    made.implementations.add_implementation(
        "cpp", code, name=f"_{name}", compiler_kwds={"headers": ['"copies.h"']}
    )
    return made


def _copies_code(model: Model) -> str:
    """C++ that tells copies.h where the arrays are."""
    array = b2.device.get_array_name
    neurons, cells = model["neurons"].variables, model["cells"].variables
    currents = [current for _, current in model.shape.pathways]
    taus = ["tau_i" if current == "I_i" else "tau_e" for current in currents]
    signs = ["-1.0" if current == "I_i" else "1.0" for current in currents]
    fields = {
        "spikes": array(neurons["_spikespace"]),
        "spikes_size": str(neurons["_spikespace"].size),
        "currents": "{" + ", ".join(array(neurons[c]) for c in currents) + "}",
        "taus": "{" + ", ".join(array(cells[t]) for t in taus) + "}",
        "signs": "{" + ", ".join(signs) + "}",
        "tau_m": array(cells["tau_m"]),
        "v": array(neurons["v"]),
    }
    for name in ("remaining", "mobile", "since"):
        fields[name] = array(neurons[name]) if name in neurons else "nullptr"
    own = [variable for _, variable in run_time_arrays(model["neurons"]) if not variable.scalar]
    own += [neurons[name] for name in BRIANS_OWN if name in neurons]
    own.append(model["counts"].variables["count"])
    names = [array(variable) for variable in own]
    fields["own"] = "{" + ", ".join(f"{{{name}, sizeof(*{name})}}" for name in names) + "}"
    lines = [f"hrsnn::arrays.{name} = {value};" for name, value in fields.items()]
    return "\n".join(["", *lines, "hrsnn::load_copies(scene);"])


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
    if isinstance(model.shape, PerturbedShape):
        return "\n".join([*lines, "hrsnn::write_copies(writer);", "writer.close();", "return 0;"])
    for name, size in (("i", 4), ("t", 8)):
        vector = "brian::" + array(model["spikes"].variables[name], access_data=False)
        lines.append(f'writer.record("spike_{name}", {size}, {vector}.size(), {vector}.data());')
    matrices = [
        (monitor, name)
        for monitor, names in (("states", model.shape.state_names), ("predictions", ("u",)))
        if monitor in model.objects
        for name in names
    ]
    for monitor, name in matrices:
        matrix = "brian::" + array(model[monitor].variables[name], access_data=False)
        lines.append(
            f'writer.head("{monitor}.{name}", 8, (int64_t){matrix}.n * {matrix}.m);\n'
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


def restrict_loops(folder: Path, sources: list[str]) -> None:
    """Let loops over neurons stop at the active ones.

    Raises EngineError when Brian's generated code no longer reads as expected.
    """
    for source in sources:
        name = Path(source).stem
        if name not in _ACTIVE_LOOPS:
            continue
        pattern, replacement = _ACTIVE_LOOPS[name]
        path = folder / source
        code, n = re.subn(pattern, replacement, path.read_text(encoding="utf-8"))
        if n < 1:
            raise EngineError(
                f"Brian {b2.__version__} generates {name} differently: no {pattern!r}"
            )
        path.write_text(f'#include "scene.h"\n{code}', encoding="utf-8")


def generate_project(shape: ModelShape, folder: Path) -> tuple[list[str], Model]:
    """Write the C++ project of `shape` to `folder`; returns its source files and the model."""
    b2.set_device("cpp_standalone", build_on_run=False, directory=str(folder))
    functions = scene_functions()
    if isinstance(shape, PerturbedShape):
        functions |= {name: _kernel_function(name) for name in ("deliver", "observe")}
        model = build_copies(shape, functions, shape.capacity, shape.total, shape.channels)
    else:
        model = build_model(shape, functions, shape.capacity, shape.channels)
    for role in SYNAPSES:
        if role in model.objects:  # one placeholder: the scene brings the real ones
            model[role].connect(i=[0], j=[0])
    copies = isinstance(shape, PerturbedShape)
    b2.device.insert_code("main", loading_code(model) + (_copies_code(model) if copies else ""))
    model.network.run(0 * b2.second)
    b2.device.insert_code(
        "main",
        switching_code(model) + "\nhrsnn::run_reporting(network, scene);",
    )
    b2.device.insert_code("before_end", writing_code(model))
    b2.device.build(directory=str(folder), compile=False, run=False)
    sources = sorted(b2.device.writer.source_files)
    for name in SCENE_FILES:
        shutil.copyfile(Path(__file__).parent / name, folder / name)
    restrict_loops(folder, sources)
    main = folder / "main.cpp"
    code = main.read_text(encoding="utf-8")
    main.write_text(f'#include "copies.h"\n{code}', encoding="utf-8")
    own = ["scene.cpp", "copies.cpp"] if copies else ["scene.cpp"]
    return [*sources, *own], model


def build_program(shape: ModelShape, folder: Path) -> None:
    """Generate and compile the program of a shape in `folder`, progress on standard output."""
    default_preferences()
    logging.getLogger("brian2").setLevel(logging.ERROR)
    compiler = find_compiler()
    sources, model = generate_project(shape, folder)
    compile_project(
        compiler,
        folder,
        sources,
        "program",
        lambda done, total: print(f"progress {done / total:.6f}", flush=True),
    )
    manifest = {
        "shape": shape.to_dict(),
        "system": asdict(model.system),
        "compiler": asdict(compiler),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def main(shape_file: str, target: str) -> int:
    """`build_program` of the shape in a JSON file; what a user can mend is said in one line."""
    try:
        shape = shape_from_dict(json.loads(Path(shape_file).read_text(encoding="utf-8")))
        build_program(shape, Path(target))
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename or target}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
