"""Where a result comes from: versions, commit, compiler, machine, seeds, time and cost.

provenance.json of a run has one entry per session, so that a resumed or shared run shows all of
them; each process keeps its own in sessions/.
"""

import json
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from hrsnn_brian.errors import EngineError
from hrsnn_brian.files.atomic import write_json
from hrsnn_brian.files.identity import PACKAGE, package_version, version_of
from hrsnn_brian.files.machine import usable_cores
from hrsnn_brian.runs.claims import KILLED, RUNNING, sessions
from hrsnn_brian.runs.progress import clock_text
from hrsnn_brian.runs.run_directory import RunDirectory

LIBRARIES = (
    "brian2",
    "numpy",
    "scipy",
    "pandas",
    "matplotlib",
    "sympy",
    "cython",
    "joblib",
    "threadpoolctl",
)


def library_versions() -> dict[str, str]:
    """Installed versions of the libraries that can change a number."""
    found = {name: version_of(name) for name in LIBRARIES}
    return {name: version for name, version in found.items() if version}


def git_commit() -> str | None:
    """Commit of the checkout this package runs from, "+changes" added, or was installed from.

    None where neither is known; the digest of the package says which sources ran in every case.
    """
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return _installed_commit()

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, timeout=10, check=True
        )
        return done.stdout.strip()

    try:
        commit = git("rev-parse", "HEAD")
        return commit + ("+changes" if git("status", "--porcelain") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _installed_commit() -> str | None:
    """The commit that pip noted when it installed from a repository (PEP 610)."""
    try:
        noted = metadata.distribution(PACKAGE).read_text("direct_url.json")
        commit = json.loads(noted or "{}").get("vcs_info", {}).get("commit_id")
    except (metadata.PackageNotFoundError, ValueError):
        return None
    return str(commit) if commit else None


def compiler_text() -> str | None:
    """Path and version of the C++ compiler, None if there is none."""
    from hrsnn_brian.simulation.toolchain import find_compiler

    try:
        compiler = find_compiler()
    except EngineError:
        return None
    return f"{compiler.path} ({compiler.version})"


def cpu_model() -> str:
    """The processor's name, as far as the platform tells."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def utc_now() -> str:
    """The time as ISO 8601 in UTC, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def environment() -> dict[str, Any]:
    """Everything about program and machine that is known before the work begins."""
    from hrsnn_brian.files.identity import package_digest

    return {
        "command": sys.argv,
        "hrsnn_brian": package_version(),
        "package_digest": package_digest(),
        "git_commit": git_commit(),
        "python": platform.python_version(),
        "libraries": library_versions(),
        "compiler": compiler_text(),
        "platform": platform.platform(),
        "cpu": cpu_model(),
        "cores": usable_cores(),
    }


def add_costs(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Key by key sum of the numbers of two engine statistics."""
    keys = [*first, *(key for key in second if key not in first)]
    return {key: first.get(key, 0) + second.get(key, 0) for key in keys}


def cost_since(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Key by key growth of the numbers of an engine's statistics; what is no number is left out."""
    numbers = {key: value for key, value in after.items() if isinstance(value, int | float)}
    return {key: value - before.get(key, 0) for key, value in numbers.items()}


@dataclass(frozen=True)
class Session:
    """This process's share of a run. Makes its entry at once, so that a killed one shows too.

    jobs: pieces at a time. total: points of the run. executor: where they are computed.
    """

    run: RunDirectory
    seed: int
    jobs: int
    device: str
    total: int
    executor: str = ""
    started: str = field(default_factory=utc_now)
    clock: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        path = self.run.path / "provenance.json"
        facts = environment() | {"seed": self.seed, "device": self.device}
        self._note(RUNNING, 0, {})
        held = json.loads(path.read_text()) if path.exists() else {}
        write_json(path, held | facts | {"sessions": self._sessions()})

    def seconds(self) -> float:
        """Wall time of this session so far."""
        return time.monotonic() - self.clock

    def write(
        self, status: str, points: int, computed: int, engine: Mapping[str, Any], total: object
    ) -> None:
        """Updates the entry: points computed and engine cost of this session, and `total` cost."""
        path = self.run.path / "provenance.json"
        self._note(status, computed, engine)
        held = json.loads(path.read_text())
        held |= {"status": status, "points": points, "engine_total": total}
        write_json(path, held | {"sessions": self._sessions()})

    def _sessions(self) -> list[dict[str, Any]]:
        """What every process that worked here has noted."""
        found = [
            entry if alive or entry.get("status") != RUNNING else entry | {"status": KILLED}
            for entry, alive, _ in sessions(self.run.path)
        ]
        hidden = ("machine", "birth")
        return [{k: v for k, v in entry.items() if k not in hidden} for entry in found]

    def _note(self, status: str, computed: int, engine: Mapping[str, Any]) -> None:
        seconds = self.seconds()
        entry = {
            "started": self.started,
            "ended": utc_now(),
            "status": status,
            "jobs": self.jobs,
            "executor": self.executor,
            "points_total": self.total,
            "points_computed": computed,
            "wall_seconds": round(seconds, 3),
            "wall_time": clock_text(seconds),
            "engine": dict(engine),
        }
        write_json(self.run.owner.path, self.run.owner.facts | entry)
