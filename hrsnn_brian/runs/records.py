"""The files of a run's points: one per finished point, one per point that failed, each whole."""

import hashlib
import json
import platform
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import reduce
from pathlib import Path
from typing import Any

from hrsnn_brian.errors import unknown_name
from hrsnn_brian.files.atomic import plain, write_text
from hrsnn_brian.files.machine import peak_memory
from hrsnn_brian.files.schema import complete, schema_from_dict, scores_told
from hrsnn_brian.files.tables import Row, Table, columns_of
from hrsnn_brian.runs.points import exact_text
from hrsnn_brian.runs.provenance import add_costs, utc_now
from hrsnn_brian.runs.study import TABLE, Point, Study

Record = dict[str, Any]
POINTS, FAILED = "points", "failed"


def point_name(study: Study, point: Point) -> str:
    """Name of a point's file: a hash of what decides its rows, and of nothing else."""
    identity = [study.name, study.code, point]
    return hashlib.sha256(exact_text(identity).encode()).hexdigest()[:20]


class Records:
    """The points of a study and their files in the run directory `run`."""

    def __init__(self, study: Study, points: Sequence[Point], run: Path) -> None:
        self.study, self.points, self.run = study, points, run
        self._names = {id(point): point_name(study, point) for point in points}

    def name(self, point: Point) -> str:
        """Of the files of `point`, and of its claim."""
        return self._names.get(id(point)) or point_name(self.study, point)

    def finished(self, point: Point) -> Record | None:
        """The record of a finished point, None if there is none that can be trusted."""
        record = self._read(POINTS, point)
        return record if record and {"rows", "scores"} <= record.keys() else None

    def failed(self, point: Point) -> Record | None:
        """The record of a point that failed."""
        return self._read(FAILED, point)

    def is_settled(self, point: Point) -> bool:
        """Whether nothing is left to do for `point`."""
        return self.finished(point) is not None or self.failed(point) is not None

    def forget_failures(self, points: Iterable[Point]) -> None:
        """Points that failed are to be computed again."""
        for point in points:
            self._path(FAILED, point).unlink(missing_ok=True)

    def tables(self) -> dict[str, Table]:
        """The rows of the finished points, in the order of the points, with their schema, by table.

        The main table is always there. Raises InputError for a row of a table the study has not.
        """
        records = [record for point in self.points if (record := self.finished(point))]
        sorted_rows: dict[str, list[Row]] = {self.study.main_table: []}
        for row in (row for record in records for row in record["rows"]):
            name = self.study.main_table
            if self.study.tables:
                name = row.pop(TABLE, name)
                if name not in self.study.tables:
                    raise unknown_name(TABLE, str(name), self.study.tables)
            sorted_rows.setdefault(name, []).append(row)
        told = [schema_from_dict(record["scores"]) for record in records]
        own = self.study.columns
        return {
            name: Table(rows, complete(columns_of(rows), own, [each.of(rows) for each in told]))
            for name, rows in sorted_rows.items()
        }

    def file(self, point: Point, rows: list[Row], cost: dict[str, Any], seconds: float) -> None:
        """Files a finished point: infinite numbers as they are, NaN in a row as missing."""
        kept = [
            {name: None if value != value else value for name, value in row.items()}
            for row in plain(rows, exact=True)
        ]
        self._write(
            POINTS,
            point,
            {
                "rows": kept,
                "scores": scores_told(rows).to_dict(),
                "engine": cost,
                "seconds": seconds,
                "peak_memory": peak_memory(),
            },
        )

    def file_failure(self, point: Point, error: str, traceback: str = "") -> None:
        """Files that `point` failed."""
        (self.run / FAILED).mkdir(exist_ok=True)
        told = {"error": error, "traceback": traceback, "host": platform.node(), "at": utc_now()}
        self._write(FAILED, point, told)

    def path(self, point: Point) -> Path:
        """The file of `point` when it is finished."""
        return self._path(POINTS, point)

    def _path(self, folder: str, point: Point) -> Path:
        return self.run / folder / f"{self.name(point)}.json"

    def _write(self, folder: str, point: Point, told: Record) -> None:
        record = {"point": plain(point, exact=True), **told}
        text = json.dumps(record, indent=2) + "\n"
        write_text(self._path(folder, point), text, flush_folder=False)  # else it is computed again

    def _read(self, folder: str, point: Point) -> Record | None:
        with suppress(FileNotFoundError, ValueError):  # a damaged one is none
            record = json.loads(self._path(folder, point).read_text(encoding="utf-8"))
            if isinstance(record, dict) and exact_text(record.get("point")) == exact_text(point):
                return record
        return None


def total_cost(records: Iterable[Record]) -> dict[str, Any]:
    """What the engine took for all of them."""
    return reduce(add_costs, (record["engine"] for record in records), {})
