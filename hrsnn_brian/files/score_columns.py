"""Names of score columns: with the unit when a table is written, with a label when it is read.

`rmse_h6_m_per_s` is the RMSE six samples ahead in m/s, `nrmse_h6` has no unit,
`vpt_lyapunov_times` is the valid prediction time in Lyapunov times.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_SPELT = {"h": "hours", "1": "", "%": "percent", "°C": "celsius", "°": "degrees"}
_LABELS = {
    "m_per_s": "m/s",
    "usd": "USD",
    "hours": "h",
    "lyapunov_times": "Lyapunov times",
    "percent": "%",
    "celsius": "°C",
    "degrees": "°",
}
_ERROR = re.compile(r"(?P<kind>n?rmse)_h(?P<horizon>\d+)(?:_(?P<unit>\w+))?")
_TIME = re.compile(r"vpt_(?!mean|sem|median|capped|starts|threshold)(?P<unit>\w+)")


def unit_word(unit: str) -> str:
    """A unit as part of a column name: "m/s" is m_per_s, "1" is nothing."""
    word = re.sub(r"\W+", "_", _SPELT.get(unit, unit).lower().replace("/", "_per_"))
    return word.strip("_")


def with_units(scores: Mapping[str, Any], unit: str) -> dict[str, Any]:
    """`scores` with the units in the names.

    unit: that of the series, for `rmse_h<h>`. The unit of `vpt_mean`, `vpt_sem` and `vpt_median`
    is taken from `vpt_unit`, which leaves; the mean becomes `vpt_<unit>`.
    """
    time, data = unit_word(str(scores.get("vpt_unit", ""))), unit_word(unit)
    named: dict[str, Any] = {}
    for name, value in scores.items():
        if name in ("vpt_mean", "vpt_sem", "vpt_median"):
            named[f"{name.replace('_mean', '')}_{time}"] = value
        elif name == "vpt_threshold":
            named["vpt_threshold_sd"] = value
        elif re.fullmatch(r"rmse_h\d+", name):
            named[f"{name}_{data}".rstrip("_")] = value
        elif name != "vpt_unit":
            named[name] = value
    return named


@dataclass(frozen=True)
class Score:
    """A score column and how to speak of it. `better` is "higher" or "lower"."""

    column: str
    label: str
    better: str
    horizon: int = 0


def is_score(column: str) -> bool:
    """Whether a column holds an error or a prediction time."""
    return bool(_ERROR.fullmatch(column) or _TIME.fullmatch(column))


def scores_in(columns: Iterable[str], unit: str | None = None) -> list[Score]:
    """The scores worth a panel among a task's `columns`: errors first, then prediction time.

    RMSE where it has a unit, else NRMSE; of several horizons the shortest and the longest. unit:
    that of the series as it is to be shown, since names of columns have small letters alone.
    """
    columns = list(columns)
    errors = [_error(match, unit) for name in columns if (match := _ERROR.fullmatch(name))]
    with_unit = [score for score in errors if score.label.endswith(")")]
    scale_free = [score for score in errors if score.column.startswith("nrmse")]
    chosen = sorted(with_unit or scale_free, key=lambda score: score.horizon)
    times = [_time(match) for name in columns if (match := _TIME.fullmatch(name))]
    return [*chosen[:1], *chosen[1:][-1:], *times]


def _error(match: re.Match[str], shown: str | None) -> Score:
    steps = int(match["horizon"])
    unit = f" ({shown or _label(match['unit'])})" if match["unit"] else ""
    ahead = f"{steps} step{'s' if steps > 1 else ''} ahead"
    return Score(match.string, f"{match['kind'].upper()} {ahead}{unit}", "lower", steps)


def _time(match: re.Match[str]) -> Score:
    return Score(match.string, f"VPT ({_label(match['unit'])})", "higher")


def _label(word: str) -> str:
    return _LABELS.get(word, word.replace("_", " "))
