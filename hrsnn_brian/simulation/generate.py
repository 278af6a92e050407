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
from dataclasses import asdict
from pathlib import Path
from typing import Any

import brian2 as b2

from hrsnn_brian.errors import EngineError
from hrsnn_brian.simulation.copies import Sizes, build_copies, kernel_functions
from hrsnn_brian.simulation.main_code import (
    SYNAPSES,
    copies_code,
    loading_code,
    switching_code,
    writing_code,
)
from hrsnn_brian.simulation.model import Model, build_model
from hrsnn_brian.simulation.own_brian import default_preferences
from hrsnn_brian.simulation.shape import CopiesShape, ModelShape, shape_from_dict
from hrsnn_brian.simulation.toolchain import compile_project, find_compiler

SCENE_FILES = ("scene.h", "copies.h", "scene.cpp", "copies.cpp", "perturbation.cpp", "batch.cpp")

_UNITS = 4  # files of code objects: as many calls of the compiler, on as many cores

_NEURON = r"for\((?:int|size_t) _idx=0; _idx<\w+; _idx\+\+\)"
# No two arrays of a program overlap, which compilers cannot know: without this line no loop over
# neurons is vectorised, and runs take a quarter longer.
_APART = "\n#pragma GCC ivdep\n"
# In programs of copies the body of such a loop is handed to a function of copies.h.
_CELL = r"const int32_t cell = (\w+)\[_idx\];"
_OF_CELL = "[&](const int _idx, const int32_t cell) HRSNN_INLINE"
_UPDATES = (
    rf"(?s){_NEURON}(.*?){_CELL}(.*?\n    }})\n",
    rf"const auto _update = {_OF_CELL}\1\3;\n    hrsnn::each_neuron(_update, \2);\n",
)
# The list of spikes is written without branches, and what else a spike does is done from it.
_SPIKES = (
    rf"(?s){_NEURON}(.*?){_CELL}(.*?)"
    r"if\(_cond\) {\s*(\w+)\[_count\+\+\] = _idx;(.*?)}\s*}\n",
    rf"const auto _fires = {_OF_CELL}\1\3return _cond;}};\n"
    r"    const auto _then = [&](const int _idx) {\5};\n"
    r"    hrsnn::each_spike(_fires, _then, \4, _count, \2);\n",
)

# What is rewritten in code objects, those of programs of copies apart: patterns by name. Loops
# over neurons stop at the active ones.
_LOOPS: dict[str, tuple[tuple[str, str], ...]] = {
    "neurons_stateupdater_codeobject": (
        (r"const int _N = N;", "const int _N = hrsnn::n_active;"),
        (_NEURON, rf"{_APART}\g<0>"),
    ),
    "neurons_spike_thresholder_codeobject": ((r"_idx<N;", "_idx<hrsnn::n_active;"),),
    "encode_codeobject": ((r"const int _N = N;", "const int _N = hrsnn::n_inputs;"),),
    "kicks_codeobject": ((r"const int _N = N;", "const int _N = hrsnn::n_active;"),),
    r"states_\w+_codeobject": (
        (r"const size_t _num_indices = \d+;", "const size_t _num_indices = hrsnn::n_active;"),
    ),
}
_COPIES_LOOPS = _LOOPS | {
    "neurons_stateupdater_codeobject": (_UPDATES,),
    "neurons_spike_thresholder_codeobject": (_SPIKES,),
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


def _kernel_function(name: str) -> b2.Function:
    """A function of copies.h that is called once per step for what it does."""
    made = b2.Function(_unavailable, arg_units=[b2.second], return_unit=1, stateless=False)
    code = f"static inline double _{name}(double t){{return hrsnn::{name}();}}"
    made.implementations.add_implementation(
        "cpp", code, name=f"_{name}", compiler_kwds={"headers": ['"copies.h"']}
    )
    return made


def rewrite_loops(folder: Path, sources: list[str], copies: bool) -> None:
    """Let loops over neurons stop at the active ones, and be vectorised.

    Raises EngineError when Brian's generated code no longer reads as expected.
    """
    for source in sources:
        name = Path(source).stem
        loops = _COPIES_LOOPS if copies else _LOOPS
        changes = [of for key, of in loops.items() if re.fullmatch(key, name)]
        if not changes:
            continue
        path = folder / source
        code = path.read_text(encoding="utf-8")
        for pattern, replacement in changes[0]:
            code, n = re.subn(pattern, replacement, code)
            if n < 1:
                raise EngineError(
                    f"Brian {b2.__version__} generates {name} differently: no {pattern!r}"
                )
        header = "copies.h" if copies else "scene.h"
        path.write_text(f'#include "{header}"\n{code}', encoding="utf-8")


def unite(folder: Path, sources: list[str]) -> list[str]:
    """Gathers the code objects in `_UNITS` files; returns the sources that are to be compiled then.

    Some thirty calls of the compiler on a few lines each, below the same headers, are half of what
    a build costs. Every code object brings helpers of the same names, which get a namespace each.
    Raises EngineError when Brian's generated code no longer reads as expected.
    """
    gathered = [source for source in sources if source.startswith("code_objects/")]
    for source in gathered:
        path = folder / source
        code, own = path.read_text(encoding="utf-8"), f"of_{path.stem}"
        helpers, body = "\nnamespace {", "using namespace brian;"
        if code.count(helpers) != 1 or body not in code:
            raise EngineError(f"Brian {b2.__version__} generates {path.stem} differently")
        code = code.replace(helpers, f"\nnamespace {own} {{")
        path.write_text(code.replace(body, f"{body} using namespace {own};"), encoding="utf-8")
    units = [f"unit_{number}.cpp" for number in range(_UNITS)]
    for number, unit in enumerate(units):
        lines = [f'#include "{source}"\n' for source in gathered[number::_UNITS]]
        (folder / unit).write_text("".join(lines), encoding="utf-8")
    return [*units, *(source for source in sources if source not in gathered)]


def leave_unoptimised(source: Path) -> None:
    """Code that sets up and tears down needs no optimiser: a quarter of what a build costs.

    The includes stay above, so that what is inline in them is compiled as everywhere else.
    """
    code = source.read_text(encoding="utf-8")
    opening = "namespace brian {"
    if opening not in code:
        raise EngineError(f"Brian {b2.__version__} generates {source.name} differently")
    unoptimised = f'#pragma GCC optimize("O0")\n{opening}'
    source.write_text(code.replace(opening, unoptimised, 1), encoding="utf-8")


def generate_project(shape: ModelShape, folder: Path) -> tuple[list[str], Model]:
    """Write the C++ project of `shape` to `folder`; returns its source files and the model."""
    b2.set_device("cpp_standalone", build_on_run=False, directory=str(folder))
    functions = scene_functions()
    copies = isinstance(shape, CopiesShape)
    if isinstance(shape, CopiesShape):
        functions |= {name: _kernel_function(name) for name in kernel_functions(shape)}
        sizes = Sizes(shape.capacity, shape.total, shape.channels)
        model = build_copies(shape, functions, sizes)
    else:
        model = build_model(shape, functions, shape.capacity, shape.channels)
    for role in SYNAPSES:
        if role in model.objects:  # one placeholder: the scene brings the real ones
            model[role].connect(i=[0], j=[0])
    b2.device.insert_code("main", loading_code(model) + (copies_code(model) if copies else ""))
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
    rewrite_loops(folder, sources, copies)
    sources = unite(folder, sources)
    leave_unoptimised(folder / "objects.cpp")
    main = folder / "main.cpp"
    code = main.read_text(encoding="utf-8")
    main.write_text(f'#include "copies.h"\n{code}', encoding="utf-8")
    own = [name for name in SCENE_FILES if name.endswith(".cpp")] if copies else ["scene.cpp"]
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
