"""What a run directory holds, as a report shows it; files are read, nothing is simulated."""

import json
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.columns import Column
from hrsnn_brian.files.schema import read_schema


@dataclass(frozen=True)
class TableFacts:
    """A table: its CSV as text, rows without the header, and what its columns are."""

    name: str
    csv: str
    rows: int
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class RunFacts:
    """A run directory. config: the text of config.toml. commands: those that made it, each once, as
    typed. missing: what is not in it, "" if it is finished.
    """

    path: Path
    config: str
    provenance: Mapping[str, Any]
    tables: tuple[TableFacts, ...]
    commands: tuple[str, ...]
    missing: str

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def asked(self) -> dict[str, Any]:
        """The table [run] of config.toml: study, preset, seed, device ..."""
        return dict(tomllib.loads(self.config).get("run", {}))

    @property
    def study(self) -> str:
        return str(self.asked.get("study", ""))


def read_run(path: Path, missing: str = "") -> RunFacts:
    """The facts of a run directory; missing: what is known not to be in it.

    Raises InputError if it is none, or a table has no schema.
    """
    path = path.resolve()
    try:
        config = (path / "config.toml").read_text(encoding="utf-8")
        tomllib.loads(config)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise InputError("RUN", str(path), "is not a run directory (no config.toml)") from None
    provenance = _provenance(path)
    tables = tuple(map(_table, sorted((path / "tables").glob("*.csv"))))
    return RunFacts(
        path=path,
        config=config,
        provenance=provenance,
        tables=tables,
        commands=_commands(provenance),
        missing=missing,
    )


def _provenance(path: Path) -> Mapping[str, Any]:
    try:
        held = json.loads((path / "provenance.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}


def _commands(provenance: Mapping[str, Any]) -> tuple[str, ...]:
    words = provenance.get("command")
    if not words:
        return ()
    return (shlex.join(["hrsnn", *map(str, words[1:])]),)


def _table(path: Path) -> TableFacts:
    text = path.read_text(encoding="utf-8")
    header = text.partition("\n")[0]
    known = read_schema(path).columns
    columns = tuple(known.get(name, Column(name)) for name in header.split(","))
    return TableFacts(path.stem, text, text.count("\n") - 1, columns)
