"""The points of a study and their rows: asked for, checked, named in every error, and filed."""

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrsnn_brian.errors import HrsnnError, InputError, StudyError
from hrsnn_brian.files.atomic import plain
from hrsnn_brian.files.tables import Row
from hrsnn_brian.runs.study import Options, Point, Study
from hrsnn_brian.runs.study_file import failure, line_of

if TYPE_CHECKING:
    from hrsnn_brian.simulation import Engine


def points_of(study: Study, options: Options, seed: int) -> list[Point]:
    """The points of a study, checked.

    Raises InputError if there are none, one is no dict that JSON can hold or comes twice, or an
    own study fails to say them.
    """
    try:
        found = list(study.points(options, seed))
    except HrsnnError:
        raise
    except Exception as error:
        if not study.source.endswith(".py"):
            raise
        raise failure(error, Path(study.source), "points()") from error
    if not found:
        raise InputError("study", study.name, "these options give no points")
    seen: set[str] = set()
    for point in found:
        if not isinstance(point, dict):
            what = f"points() gives {point!r} ({type(point).__name__}): a point is a dict"
            raise InputError("study", study.name, what)
        try:
            text = exact_text(point)
        except TypeError as error:
            raise InputError("study", study.name, f"the point {named(point)}: {error}") from None
        if text in seen:
            what = f"the point {named(point)} comes twice: its rows would count double"
            raise InputError("study", study.name, what)
        seen.add(text)
    return found


def exact_text(value: object) -> str:
    """`value` as JSON that tells NaN, inf and None apart, for hashes and comparisons.

    Raises TypeError for what has no plain form.
    """
    return json.dumps(plain(value, exact=True), sort_keys=True)


def named(point: Point, settings: Collection[str] = ()) -> str:
    """The point's short settings, as a line of progress or an error calls it.

    settings: to which it is limited, if the point has one of them.
    """
    told = _short(point)
    told = {k: v for k, v in told.items() if k in settings} or told
    text = " ".join(f"{k}={v}" for k, v in told.items())
    return text or repr(point)[:100]


def _short(point: Point) -> dict[str, Any]:
    short = (str, int, float, bool, type(None))
    return {k: v for k, v in point.items() if isinstance(v, short) and v != ""}


def telling(points: Collection[Point]) -> list[str]:
    """Short settings that tell points apart: not all the same, no truth value beside those that do.

    A truth value stays where without it fewer points were told apart.
    """
    told = [_short(point) for point in points]
    values = {
        key: [exact_text(short.get(key)) for short in told]
        for key in dict.fromkeys(key for short in told for key in short)
    }
    differ = [key for key, found in values.items() if len(set(found)) > 1]
    words = [key for key in differ if not {*values[key]} <= {"true", "false"}]

    def told_apart(keys: list[str]) -> int:
        return len(set(zip(*(values[key] for key in keys), strict=True)))

    return words if told_apart(words) == told_apart(differ) else differ


def rows_of(study: Study, point: Point, engine: "Engine") -> list[Row]:
    """The rows of a point: a list of dicts from whatever iterable, one dict, or None for none.

    Raises InputError if something else is returned, and StudyError if the study fails; both name
    the point.
    """
    try:
        returned = study.run(point, engine)
        rows = _listed(returned)
    except InputError as error:
        what = f"{error.allowed} (at the point {named(point)})"
        raise InputError(error.argument, error.value, what) from error
    except (HrsnnError, MemoryError):
        raise
    except Exception as error:
        at = line_of(error, Path(study.source)) if study.source.endswith(".py") else ""
        what = f"study {study.name} fails at the point {named(point)}"
        raise StudyError(f"{what}: {type(error).__name__}: {error}{at}") from error
    for row in rows:
        if not isinstance(row, Mapping):
            what = f"the point {named(point)} returned {returned!r:.80} ({type(returned).__name__})"
            raise InputError("study", study.name, f"{what}: give dicts, one per row, or None")
        _check_row(study, point, row)
    return [dict(row) for row in rows]


def _listed(returned: Any) -> list[Any]:
    if returned is None:
        return []
    one = isinstance(returned, Mapping | str) or not isinstance(returned, Iterable)
    return [returned] if one else list(returned)


def _check_row(study: Study, point: Point, row: Mapping[str, Any]) -> None:
    for column, value in row.items():
        try:
            plain(value)
        except TypeError as error:
            what = f"the point {named(point)} returned {column} of a kind no table holds: {error}"
            raise InputError("study", study.name, what) from None
