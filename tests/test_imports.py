"""Imports run one way: every module is parsed, and no folder knows one above it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ORDER = [
    "errors", "seeds", "files", "settings", "statistics", "readout", "network", "simulation",
    "dynamics", "pruning", "training", "tasks", "evaluation", "runs", "report", "figures",
    "studies", "cli",
]  # fmt: skip
# Folders that read files and nothing else: what they may import beside themselves.
READERS = {
    "figures": {"errors", "files", "settings", "statistics"},
    "report": {"errors", "files", "settings", "statistics", "runs"},
}
# Names of modules as text, of which nothing is known but that they are there: the folder in
# which studies are looked up by name, and whose files belong to the identity of a run.
BY_NAME = {("runs.study", "hrsnn_brian.studies"), ("files.identity", "hrsnn_brian.studies")}


def modules() -> dict[str, str]:
    """Name within the package (`network.build`) -> source, `studies` and `figures` included."""
    found = {}
    for base in (ROOT / "hrsnn_brian", ROOT / "studies", ROOT / "figures"):
        parent = base if base.name == "hrsnn_brian" else ROOT
        for path in base.rglob("*.py"):
            parts = path.relative_to(parent).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            if name not in ("", "__main__"):  # the package itself, whose names are lazy
                found[name] = path.read_text()
    return found


def imported(source: str) -> set[str]:
    """All modules a source imports, wherever: in functions, for types, or by a name in quotes."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            assert node.module is not None
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = node.value.split(".")
            if words[0] == "hrsnn_brian" and all(word.isidentifier() for word in words):
                found.add(node.value)
    return found


def upward(name: str, source: str) -> set[str]:
    """What `name` imports and may not."""
    known = {text for module, text in BY_NAME if module == name}
    own = name.split(".")[0]
    below = {*ORDER[: ORDER.index(own) + 1]}
    allowed = READERS.get(own, below) | {own}
    parts = {text: text.split(".") for text in imported(source) - known}
    return {
        text
        for text, part in parts.items()
        if part[0] == "hrsnn_brian" and len(part) > 1 and part[1] not in allowed
    }


def test_every_folder_has_a_place_in_the_order() -> None:
    assert {name.split(".")[0] for name in modules()} <= set(ORDER)


def test_no_folder_imports_one_above_it() -> None:
    found = {name: sorted(upward(name, source)) for name, source in modules().items()}
    assert {name: names for name, names in found.items() if names} == {}


def test_only_the_simulation_knows_brian() -> None:
    knowing = {
        name.split(".")[0]
        for name, source in modules().items()
        if any(text.split(".")[0] == "brian2" for text in imported(source))
    }
    assert knowing == {"simulation"}


@pytest.mark.parametrize(
    "source",
    [
        "import hrsnn_brian.cli.main",
        "from hrsnn_brian import cli",
        "def f():\n    from hrsnn_brian.pruning.prune import prune",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import hrsnn_brian.runs.study",
        "from importlib import import_module\nimport_module('hrsnn_brian.simulation')",
        "STUDIES = 'hrsnn_brian.studies'",
    ],
)
def test_an_import_upwards_is_seen_wherever_it_hides(source: str) -> None:
    assert upward("network.build", source)
    assert not upward("cli.main", source)


def test_readers_of_files_may_not_know_the_network_below_them() -> None:
    for folder in READERS:
        assert upward(f"{folder}.x", "from hrsnn_brian.network.network import Network")
        assert not upward(f"{folder}.x", "from hrsnn_brian.files.tables import read_table")


@pytest.mark.parametrize("folder", READERS)
def test_figures_and_report_come_without_brian_and_the_engine(folder: str) -> None:
    """In a fresh interpreter, so that what they import imports is counted, too."""
    names = [f"hrsnn_brian.{name}" for name in modules() if name.split(".")[0] == folder]
    assert len(names) > 5
    program = (
        "import importlib, sys\n"
        f"for name in {names!r}:\n"
        "    importlib.import_module(name)\n"
        "print([m for m in sys.modules if m in ('brian2', 'hrsnn_brian.simulation')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
