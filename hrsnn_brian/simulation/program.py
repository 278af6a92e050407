"""A compiled program: what decides it, how its folder looks, how it is recognised."""

import hashlib
import json
import re
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hrsnn_brian.simulation.propagators import LinearSystem
from hrsnn_brian.simulation.shape import ModelShape, shape_from_dict
from hrsnn_brian.simulation.toolchain import FLAGS, Compiler, cpu_identity

# Every file whose text ends up in a program.
_SOURCES = (
    "batch.cpp",
    "equations.py",
    "generate.py",
    "main_code.py",
    "model.py",
    "own_brian.py",
    "perturbation.cpp",
    "propagators.py",
    "copies.cpp",
    "copies.h",
    "copies.py",
    "scene.cpp",
    "scene.h",
    "shape.py",
)
_KEY = re.compile(r"[0-9a-f]{24}")
_MANIFEST = {"shape", "system", "compiler"}  # what generate.py writes


@dataclass(frozen=True)
class Program:
    """A compiled program: its folder and the linear system its propagators belong to."""

    folder: Path
    shape: ModelShape
    system: LinearSystem

    @property
    def executable(self) -> Path:
        return self.folder / "program"


def program_key(shape: ModelShape, compiler: Compiler) -> str:
    """Content hash of shape, model sources, Brian, compiler, flags and CPU."""
    here = Path(__file__).parent
    parts = [
        json.dumps(shape.to_dict(), sort_keys=True),
        version("brian2"),
        compiler.version,
        " ".join([*FLAGS, *compiler.flags]),
        cpu_identity(),
        *((here / name).read_text(encoding="utf-8") for name in _SOURCES),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def read_program(folder: Path) -> Program | None:
    """The program in `folder`; None if there is none that is complete."""
    manifest = _manifest(folder)
    if manifest is None or not (folder / "program").is_file():
        return None
    system = manifest["system"]
    linear = LinearSystem(
        rows=system["rows"],
        **{k: tuple(system[k]) for k in ("states", "inputs", "parameters", "shared")},
    )
    return Program(folder, shape_from_dict(manifest["shape"]), linear)


def _manifest(folder: Path) -> dict[str, Any] | None:
    """What the folder says of its program; None if it does not read as one of ours."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) and set(manifest) == _MANIFEST else None


def is_program(folder: Path) -> bool:
    """Whether the cache made this folder: by its name and by what its manifest says."""
    named = _KEY.fullmatch(folder.name) is not None and not folder.is_symlink()
    return named and _manifest(folder) is not None
