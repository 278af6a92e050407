"""A user's own study: a Python file, and the modules beside it that it imports.

They are found by reading the import statements, in functions too, so that the identity of a run
does not depend on what has been imported when. What is imported by other means is not seen.
"""

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from traceback import extract_tb
from types import ModuleType

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.identity import file_digest

PACKAGE = "hrsnn_brian"
_folders: set[str] = set()


def digests_of(path: Path) -> dict[str, str]:
    """Name inside the folder of `path` -> digest, of that study file and of its neighbours."""
    files = [path, *_neighbours(path).values()]
    return {file.relative_to(path.parent).as_posix(): file_digest(file) for file in files}


def module_from(path: Path) -> ModuleType:
    """The module of a study file, with its folder first on the path, as Python runs a script.

    Neighbours are read anew: one of the same name from another folder, or as it was before a
    change, would not be the file whose digest the run records.
    Raises InputError for a file that is missing, cannot be read or fails, with the line.
    """
    if not path.is_file():
        raise InputError("study", str(path), "no such file")
    _make_way(path)
    name = f"hrsnn_user_study_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses of the file look themselves up here
    wrote, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        raise failure(error, path, "the file") from error
    finally:
        sys.dont_write_bytecode = wrote
    return module


def failure(error: BaseException, path: Path, what: str) -> InputError:
    """The one line about an error in a study file: what failed, how and in which line."""
    line = f"{what} fails with {type(error).__name__}: {error}{line_of(error, path)}"
    return InputError("study", str(path), line)


def line_of(error: BaseException, path: Path) -> str:
    """ " (line 3)", or with the name of a neighbour; nothing if the error is from elsewhere."""
    for frame in reversed(extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if file == path:
            return f" (line {frame.lineno})"
        if file.is_relative_to(path.parent) and "site-packages" not in file.parts:
            return f" ({file.relative_to(path.parent)}, line {frame.lineno})"
    return ""


def _make_way(path: Path) -> None:
    folder = str(path.parent)
    _folders.add(folder)
    if folder in sys.path:
        sys.path.remove(folder)
    sys.path.insert(0, folder)
    for name in _neighbours(path):
        loaded = getattr(sys.modules.get(name), "__file__", None)
        if loaded is not None and any(Path(loaded).is_relative_to(f) for f in _folders):
            del sys.modules[name]
    importlib.invalidate_caches()


def _neighbours(path: Path) -> dict[str, Path]:
    """Module name -> file, of all that the file imports from its folder, directly or through."""
    found: dict[str, Path] = {}
    waiting = [("", path)]
    while waiting:
        name, file = waiting.pop()
        package = name if file.name == "__init__.py" else name.rpartition(".")[0]
        for module, place in _files_of(_imports(file, package), path.parent).items():
            if module not in found and place != path:
                found[module] = place
                waiting.append((module, place))
    return found


def _imports(file: Path, package: str) -> Iterator[str]:
    """The full names of modules that a file's import statements may mean."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return  # running it says what is wrong
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - (node.level - 1)]
            parts = [*(above if node.level else []), *filter(None, [node.module])]
            base = ".".join(filter(None, parts))
            yield base
            yield from (f"{base}.{alias.name}".lstrip(".") for alias in node.names)


def _files_of(names: Iterator[str], folder: Path) -> Mapping[str, Path]:
    """Module name -> file in `folder`, packages above a module included."""
    found: dict[str, Path] = {}
    for name in names:
        parts = name.split(".")
        if parts[0] in (PACKAGE, ""):
            continue
        for depth in range(1, len(parts) + 1):
            inner = folder.joinpath(*parts[:depth])
            for file in (inner.with_name(f"{inner.name}.py"), inner / "__init__.py"):
                if file.is_file():
                    found[".".join(parts[:depth])] = file
    return found
