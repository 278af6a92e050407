"""From what a user says of a sweep to the plan of its run: tables, TOML files, words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.files.toml import read_toml
from hrsnn_brian.runs.runner import Plan, plan_study
from hrsnn_brian.runs.study import load_study
from hrsnn_brian.runs.sweep_options import PARTS, SweepOptions
from hrsnn_brian.runs.sweep_search import SearchOptions, SweepSearch
from hrsnn_brian.settings.reader import assignment
from hrsnn_brian.settings.section import Section, checked_fields
from hrsnn_brian.statistics.designs import SOBOL

SEARCH = "search"


@dataclass(frozen=True)
class Sweep:
    """A sweep to be run: its options; search: how they are searched, None if by the design."""

    options: SweepOptions
    search: SearchOptions | None = None

    def plan(self, seed: int = 0, device: str = "standalone") -> Plan:
        """The plan of its run. Raises InputError for a combination that cannot be."""
        table: Any = self.options.to_dict()
        return plan_study(load_study("sweep"), overrides=[table], seed=seed, device=device)

    def searching(self, seed: int = 0, jobs: int = 1, device: str = "standalone") -> SweepSearch:
        """The search of a sweep that has one. Raises InputError as `plan` does."""
        assert self.search is not None
        return SweepSearch(self.options, self.search, seed, jobs, device)


def sweep_of(*tables: "Mapping[str, Any] | str") -> Sweep:
    """The sweep of tables, or paths of TOML files; what a later one sets goes before.

    Raises InputError for an unknown key, naming the nearest, and for values that cannot be.
    """
    table: dict[str, Any] = {}
    for item in tables:
        given = read_toml(item, "sweep", item) if isinstance(item, str) else item
        for key, value in given.items():
            table[key] = _joined(key, table.get(key), value)
    table.pop("description", None)
    search = table.pop(SEARCH, None)
    known = [name for name, _ in checked_fields(SweepOptions)]
    for key in table:
        if key not in known:
            raise unknown_name("sweep", key, [*known, SEARCH])
    if search is None:
        return Sweep(SweepOptions.from_dict(table))
    if table.setdefault("design", SOBOL) != SOBOL or "draws" in table:
        raise InputError("design", table["design"], "a search proposes the points: leave it out")
    return Sweep(SweepOptions.from_dict(table), SearchOptions.from_dict(search))


def _joined(key: str, before: Any, after: Any) -> Any:
    """Two sayings of a part: settings join, names replace those before."""
    if key not in PARTS or before is None:
        return after
    called = SweepOptions.part(key).called
    tables = [one if isinstance(one, Mapping) else {called: one} for one in (before, after)]
    return {**tables[0], **tables[1]}


def part_of(words: Iterable[str], part: str) -> dict[str, Any]:
    """The table that words of the command line stand for: names, or key=values."""
    called, table = SweepOptions.part(part).called, dict[str, Any]()
    for word in words:
        named = called and "=" not in word
        key, text = (called, word) if named else assignment(word, f"--{part}")
        if key in table:
            raise InputError(f"--{part}", word, f"{key} is given twice; give its values together")
        table[key] = text
    return table


def section_of(kind: type[Section], words: Iterable[str], argument: str) -> dict[str, Any]:
    """The table of key=value words, separated by commas, or several."""
    keys, table = replace(kind.keys(), argument=argument), dict[str, Any]()
    for word in (part for text in words for part in text.split(",")):
        key, text = assignment(word, argument)
        for path in keys.paths(key):
            table[path] = keys.read(path, text)
    return table
