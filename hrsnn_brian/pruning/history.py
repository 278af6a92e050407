"""The history of a pruning run: what is measured after each iteration, when to stop, checkpoints.

A folder of checkpoints holds `settings.json`, and per finished iteration k `iteration-<k>.npz` (the
network) and then `iteration-<k>.json` (its row of the history), each written atomically: a run
that is killed loses the iteration in flight. `history.csv` is the table so far. The folder is made
when the network given has been measured, as iteration 0, and not refused.
"""

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hrsnn_brian.dynamics.cost import synaptic_ops_per_s
from hrsnn_brian.dynamics.measures import common_noise_row
from hrsnn_brian.errors import InputError
from hrsnn_brian.files.atomic import plain, remove_parts, write_json, write_text
from hrsnn_brian.files.columns import Column
from hrsnn_brian.files.identity import code_identity
from hrsnn_brian.files.schema import Schema, schema_of
from hrsnn_brian.files.tables import Row, columns_of, write_table
from hrsnn_brian.network.digest import network_digest
from hrsnn_brian.network.io import load_network, save_network
from hrsnn_brian.network.network import Network
from hrsnn_brian.pruning.iteration import Probe
from hrsnn_brian.pruning.recipe import Recipe, Stability
from hrsnn_brian.pruning.spread_modes import SpreadModes

_MARKER = "settings.json"
_PART = "seconds_"
_COLUMNS = (
    Column("added", "synapses that the step delocalisation added", "1"),
    Column("neurons_without_exponent", "neurons that got the median of the others", "1"),
)


class Clock:
    """Seconds of wall clock per part of an iteration."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = self.seconds.get(part, 0.0) + time.perf_counter() - start
            self.seconds[part] = spent

    def columns(self) -> Row:
        """`seconds` in all and `seconds_<part>`, for a row."""
        parts = {f"{_PART}{part}": spent for part, spent in self.seconds.items()}
        return {"seconds": sum(parts.values()), **parts}


def history_schema(rows: Sequence[Row]) -> Schema:
    """What the columns of a history mean, those of its recipe's own steps among them."""
    spent = [
        Column(name, f"wall clock of {name.removeprefix(_PART)} alone", "s", role="cost")
        for name in columns_of(rows)
        if name.startswith(_PART)
    ]
    return schema_of(rows, (*_COLUMNS, *spent))


def size_row(network: Network, iteration: int) -> Row:
    """What the history of every recipe says about a network."""
    return {
        "iteration": iteration,
        "neurons": network.n_neurons,
        "synapses": network.n_synapses,
        "density": network.density,
    }


def measured_row(network: Network, iteration: int, probe: Probe, recipe: Recipe) -> Row:
    """What it says where there is a stability condition: activity, dynamics, memory, cost too."""
    assert recipe.stability is not None
    rates = probe.rates(network)
    spread = recipe.step("delocalisation") or SpreadModes()
    participation, abscissa = spread.linearisation(network).measure(network.W)
    row: Row = {
        **size_row(network, iteration),
        "rate_hz": float(rates.mean()),
        "lambda_1_per_s": probe.lambda_1(network),
        "lambda_1_error_per_s": probe.lambda_1_error,
        **common_noise_row(network, probe),
        "spectral_abscissa_per_s": abscissa,
        "participation_ratio": participation,
        "memory_capacity": probe.memory_capacity(network),
        "synaptic_ops_per_s": synaptic_ops_per_s(network.W, rates, 1.0),
    }
    return {**row, "stable": not recipe.stability.failures(row)}


def check_start(network: Network, row: Row, stability: Stability) -> None:
    """Raises InputError if the network cannot be pruned: silent, exploding or unstable."""
    reasons = stability.failures(row)
    if not reasons:
        return
    change = "weaken the weights or the drive, or raise that bound"
    if row["rate_hz"] < stability.min_rate:
        change = "raise its bias or its drive"
    what = f"{network.n_neurons} neurons, {network.n_synapses} synapses"
    raise InputError("network", what, f"{' and '.join(reasons)}; {change}")


class Checkpoints:
    """The iterations finished so far, in memory and, with a folder, on disk.

    rows: the history, row k of iteration k, row 0 of the network given; current: the network after
    the last; stable: after the last stable one.
    """

    def __init__(self, folder: Path | None, network: Network, settings: Mapping[str, Any]) -> None:
        self.folder = folder
        self.rows: list[Row] = []
        self.current = self.stable = network
        if folder is None:
            return
        code = code_identity()
        self._settings = plain({"network": network_digest(network), **settings, **code}, exact=True)
        if folder.exists():
            self._open(folder)

    def _open(self, folder: Path) -> None:
        if not folder.is_dir():
            raise InputError("work", str(folder), "is a file; give a folder")
        remove_parts(folder)
        marker = folder / _MARKER
        if marker.exists():
            held = _read(marker)
            differing = [
                name
                for name in {**self._settings, **held}
                if json.dumps(held.get(name)) != json.dumps(self._settings.get(name))
            ]
            if differing:
                what = f"holds iterations of another run (its {', '.join(differing)} differ)"
                raise InputError("work", str(folder), f"{what}; remove it or give another")
            self._resume()
        elif any(folder.iterdir()):
            raise InputError("work", str(folder), "holds other files; give a new folder")

    def _resume(self) -> None:
        while (path := self._path("iteration", "json", len(self.rows))).exists():
            row = _read(path)
            # JSON has no NaN: a number that could not be measured was stored as null
            self.rows.append({k: math.nan if v is None else v for k, v in row.items()})
        if self.rows:
            self.current = self._network(len(self.rows) - 1)
            self.stable = self._network(self.last_stable)

    def _network(self, iteration: int) -> Network:
        return load_network(self._path("iteration", "npz", iteration))

    def _path(self, stem: str, suffix: str, iteration: int) -> Path:
        assert self.folder is not None
        return self.folder / f"{stem}-{iteration:03d}.{suffix}"

    def before(self, iteration: int) -> Network:
        """The network that an iteration starts from; without a folder only the next one's."""
        latest = iteration == len(self.rows)
        return self.current if latest else self._network(iteration - 1)

    def log(self, stem: str, iteration: int) -> Path | None:
        """A file of the folder for a step's own log, None without a folder."""
        return None if self.folder is None else self._path(stem, "jsonl", iteration)

    def add(self, row: Row, network: Network) -> None:
        """An iteration is finished."""
        self.current = network
        self.stable = network if row.get("stable", True) else self.stable
        self.rows.append(row)
        if self.folder is not None:
            number = len(self.rows) - 1
            if number == 0:  # a network that is refused leaves no folder
                self.folder.mkdir(parents=True, exist_ok=True)
                text = json.dumps(self._settings, indent=2)  # inf and NaN stay what they are
                write_text(self.folder / _MARKER, text + "\n")
            save_network(network, self._path("iteration", "npz", number))
            write_json(self._path("iteration", "json", number), row)
            write_table(self.folder / "history.csv", self.rows, history_schema(self.rows))

    @property
    def last_stable(self) -> int:
        """Number of the last stable iteration, 0 if none was."""
        return max((k for k, row in enumerate(self.rows) if row.get("stable", True)), default=0)

    def stopped(self, stability: Stability | None) -> str | None:
        """Why pruning ends here, in one line; None if it goes on."""
        if stability is None or not self.rows or self.rows[-1]["stable"]:
            return None
        failed = len(self.rows) - 1 - self.last_stable
        if failed < stability.patience and self.rows[-1]["rate_hz"] > 0:
            return None
        why = " and ".join(stability.failures(self.rows[-1]))
        times = f"the last {failed} iterations were" if failed > 1 else "the last iteration was"
        stable = self.rows[self.last_stable]
        return (
            f"stopped after iteration {len(self.rows) - 1}: {times} not stable ({why}); this is "
            f"the network of iteration {self.last_stable}, with {stable['neurons']} neurons and "
            f"{stable['synapses']} synapses"
        )


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as problem:
        raise InputError("work", str(path), f"cannot be read ({problem})") from None
