"""provenance.json of a run: one entry per session, so that a resumed run shows all of them."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hrsnn_brian.files.atomic import write_json
from hrsnn_brian.runs.progress import clock_text
from hrsnn_brian.runs.provenance import environment, utc_now
from hrsnn_brian.runs.run_directory import RunDirectory


@dataclass(frozen=True)
class Session:
    """This process's share of a run. Makes its entry at once, so that a killed one shows too."""

    run: RunDirectory
    seed: int
    jobs: int
    device: str
    started: str = field(default_factory=utc_now)
    clock: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        path = self.run.path / "provenance.json"
        held = json.loads(path.read_text())["sessions"] if path.exists() else []
        earlier = [
            entry | {"status": "killed"} if entry["status"] == "running" else entry
            for entry in held
        ]
        facts = environment() | {"seed": self.seed, "device": self.device}
        write_json(path, facts | {"sessions": [*earlier, self._entry("running", {}, 0)]})

    def seconds(self) -> float:
        """Wall time of this session so far."""
        return time.monotonic() - self.clock

    def write(
        self, status: str, points: int, computed: int, engine: Mapping[str, Any], total: object
    ) -> None:
        """Updates the entry: points computed and engine cost of this session, and `total` cost."""
        path = self.run.path / "provenance.json"
        held = json.loads(path.read_text())
        held |= {"status": status, "points": points, "engine_total": total}
        entry = self._entry(status, engine, computed)
        write_json(path, held | {"sessions": [*held["sessions"][:-1], entry]})

    def _entry(self, status: str, engine: Mapping[str, Any], computed: int) -> dict[str, Any]:
        seconds = self.seconds()
        return {
            "started": self.started,
            "ended": utc_now(),
            "status": status,
            "jobs": self.jobs,
            "points_computed": computed,
            "wall_seconds": round(seconds, 3),
            "wall_time": clock_text(seconds),
            "engine": dict(engine),
        }
