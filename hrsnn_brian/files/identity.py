"""What decides the numbers of a run besides its settings: code, libraries and files, as digests.

Two runs of equal identity and settings give equal tables. Figures and verdicts, which only read
tables, are no part of it: a change of a plot makes no run another.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hrsnn_brian.errors import InputError

PACKAGE = "hrsnn-brian"


def package_version() -> str:
    """The installed version of this package, "unknown" when run from an uninstalled copy."""
    return version_of(PACKAGE) or "unknown"


def version_of(name: str) -> str | None:
    """The version of an installed distribution, None if there is none of that name."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


# Those whose version can change a number; optional ones count where they are installed.
NUMERICAL = ("brian2", "numpy", "scipy", "sympy", "igraph", "bayesian-optimization", "scikit-learn")
_SOURCES = (".py", ".cpp", ".h", ".toml", ".csv")
_READ_TABLES_ONLY = ("figures", "report")
_LENGTH = 16


def file_digest(path: Path | str) -> str:
    """A short hash of a file's content. Raises OSError if it cannot be read."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:_LENGTH]


def joint_digest(digests: Mapping[str, str]) -> str:
    """One hash for named digests, whatever their order."""
    text = "".join(f"{name}\0{digest}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


@cache
def package_digest() -> str:
    """A hash of the sources, presets and data of this package as this process found them.

    Names are those inside the package, so that a checkout and an installation of it agree.
    """
    return joint_digest({name: file_digest(path) for name, path in _package_files()})


def _package_files() -> Iterator[tuple[str, Path]]:
    root = Path(__file__).resolve().parents[1]
    yield from _sources(root, "", skip=(*_READ_TABLES_ONLY, "studies"))
    studies = find_spec("hrsnn_brian.studies")  # a folder of its own in a checkout
    for folder in (studies.submodule_search_locations or ()) if studies else ():
        yield from _sources(Path(folder), "studies/", skip=("benchmarks", "results"))


def _sources(root: Path, prefix: str, skip: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    for path in root.rglob("*"):
        inner = path.relative_to(root)
        if path.suffix in _SOURCES and inner.parts[0] not in skip and path.is_file():
            yield prefix + inner.as_posix(), path


def code_identity() -> dict[str, Any]:
    """The package's version and digest and the versions of the numerical libraries."""
    found = {name: version_of(name) for name in NUMERICAL}
    return {
        "hrsnn_brian": package_version(),
        "package": package_digest(),
        "libraries": {name: version for name, version in found.items() if version},
    }


def files_named(options: Any) -> dict[str, str]:
    """Path -> digest of every existing file that a text among nested `options` is the path of."""
    if isinstance(options, Mapping):
        options = list(options.values())
    if isinstance(options, list | tuple):
        return {path: digest for item in options for path, digest in files_named(item).items()}
    if not isinstance(options, str) or not (os.sep in options or Path(options).suffix):
        return {}  # a word such as "wind" is a name, whatever else the folder holds
    try:
        return {options: file_digest(_place(options))} if _place(options).is_file() else {}
    except OSError as error:
        raise InputError("file", options, f"cannot be read ({error.strerror})") from None


def _place(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # no such user: "~" is a part of the name then
        return Path(path)


_verified: dict[tuple[str, str], tuple[int, int]] = {}


def require_unchanged(files: Mapping[str, str]) -> None:
    """Raises InputError if a file no longer has its digest; reads only what was touched since."""
    for path, digest in files.items():
        try:
            status = _place(path).stat()
            touched = (status.st_mtime_ns, status.st_size)
            if _verified.get((path, digest)) == touched:
                continue
            same = file_digest(_place(path)) == digest
        except OSError:
            same = False
        if not same:
            what = "was changed while the study ran; put it back to go on, or begin with --fresh"
            raise InputError("file", path, f"{what} (one that it writes must not be there before)")
        _verified[path, digest] = touched
