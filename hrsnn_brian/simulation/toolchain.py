"""The C++ compiler: finding it, describing it, compiling a generated project with it."""

import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrsnn_brian.errors import CompilerMissingError, EngineError
from hrsnn_brian.files.machine import usable_cores

# No -ffast-math and no contraction: the same roundings as on the numpy target.
FLAGS = ("-O3", "-w", "-std=c++17", "-march=native", "-ffp-contract=off", "-fno-math-errno")

_QUIET: dict[str, Any] = {
    "capture_output": True,
    "encoding": "utf-8",
    "errors": "replace",
    "check": False,
}


@dataclass(frozen=True)
class Compiler:
    """A C++ compiler: the words that call it and the first line of `--version`."""

    command: tuple[str, ...]
    version: str

    @property
    def path(self) -> str:
        return shlex.join(self.command)

    @property
    def flags(self) -> tuple[str, ...]:
        """The options among the words: they decide programs, a wrapper such as ccache does not."""
        return tuple(word for word in self.command[1:] if word.startswith("-"))


def find_compiler() -> Compiler:
    """The compiler named by CXX (perhaps in several words), else g++, clang++ or c++ on the path.

    Raises CompilerMissingError, saying what to install and what works without.
    """
    wanted = os.environ.get("CXX", "").strip()
    for words in [_words(wanted)] if wanted else [["g++"], ["clang++"], ["c++"]]:
        path = shutil.which(os.path.expanduser(words[0])) if words else None
        if path is None:
            continue
        command = (os.path.abspath(path), *words[1:])  # it is called from other folders
        try:
            done = subprocess.run([*command, "--version"], **_QUIET)
        except OSError:
            continue
        if done.returncode == 0 and done.stdout.strip():
            return Compiler(command, done.stdout.strip().splitlines()[0].strip())
    named = f"CXX names {wanted!r}, which does not run; " if wanted else ""
    raise CompilerMissingError(
        f"no C++ compiler found: {named}install g++ (Debian/Ubuntu: apt install g++; "
        "Fedora: dnf install gcc-c++; macOS: xcode-select --install; conda: "
        "conda install cxx-compiler). Meanwhile --device numpy works without one."
    )


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # a quotation that does not end
        return []


def cpu_identity() -> str:
    """What -march=native depends on: architecture and, on Linux, the CPU's feature flags."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    features = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return f"{platform.machine()} {features}"


def compile_project(
    compiler: Compiler,
    folder: Path,
    sources: Sequence[str],
    output: str,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Compile the sources of `folder` and link them, `objects.h` precompiled where it can be.

    Raises EngineError with the compiler's own words.
    """
    flags = [*FLAGS, "-I."]
    prefix: list[str] = []
    if _run(compiler, folder, [*flags, "-x", "c++-header", "objects.h", "-o", "pch.h.gch"]) is None:
        (folder / "pch.h").write_text('#include "objects.h"\n')
        prefix = ["-include", "pch.h"]
    objects = [f"{source}.o" for source in sources]
    done = 0
    with ThreadPoolExecutor(max_workers=usable_cores()) as pool:
        jobs = [[*flags, *prefix, "-c", s, "-o", o] for s, o in zip(sources, objects, strict=True)]
        for error in pool.map(lambda job: _run(compiler, folder, job), jobs):
            if error is not None:
                raise EngineError(f"the generated code does not compile: {error}")
            done += 1
            on_progress(done, len(sources) + 1)
    error = _run(compiler, folder, [*objects, "-o", output])
    if error is not None:
        raise EngineError(f"the generated code does not link: {error}")
    on_progress(len(sources) + 1, len(sources) + 1)
    for name in [*objects, "pch.h.gch"]:
        (folder / name).unlink(missing_ok=True)


def _run(compiler: Compiler, folder: Path, arguments: Sequence[str]) -> str | None:
    """None when the call succeeds, else what the compiler said."""
    done = subprocess.run([*compiler.command, *arguments], cwd=folder, **_QUIET)
    if done.returncode == 0:
        return None
    if "No space left on device" in done.stderr:
        return f"no space left for {folder} or for temporary files ({tempfile.gettempdir()})"
    return (done.stderr or f"exit {done.returncode}")[-2000:]
