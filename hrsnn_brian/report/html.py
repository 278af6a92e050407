"""One self-contained HTML page of runs: no request leads anywhere, the same runs give its bytes."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hrsnn_brian.report.report import comparison_row
from hrsnn_brian.report.run_facts import RunFacts
from hrsnn_brian.report.verdict import Verdict

TEMPLATES = Path(__file__).parent / "templates"
STATIC_ROWS = 12  # of a table that are there without scripts, and on paper
SIGNS = {"holds": "✓", "does not hold": "✗", "not tested": "–"}
_COMPARED = (
    *("task", "keep", "neuron_fraction", "match", "rival", "measure", "pairs"),
    *("method_mean", "rival_mean", "mean_difference", "low", "high", "p_t_holm", "outcome"),
)
_PROVENANCE = {
    "hrsnn_brian": "version",
    "git_commit": "commit",
    "package_digest": "digest of the sources",
    "python": "Python",
    "compiler": "compiler",
    "platform": "platform",
    "cpu": "processor",
    "cores": "cores",
    "device": "device",
    "seed": "seed",
}


@dataclass(frozen=True)
class Figure:
    """A figure of a report. svg: the file's bytes, empty if it is missing, with the reason.

    alt: what it shows, in words. caption: that, and what n, bars and controls are.
    """

    name: str
    alt: str
    caption: str = ""
    svg: bytes = b""
    missing: str = ""

    @property
    def uri(self) -> str:
        """The picture as a data URI."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.svg).decode("ascii")


@dataclass(frozen=True)
class Part:
    """A run in a report. description: of its study. summary: its numbers as text."""

    run: RunFacts
    description: str = ""
    figures: Sequence[Figure] = ()
    summary: str = ""
    missing: Sequence[str] = ()
    """What the run should hold and does not, each in words."""


@dataclass(frozen=True)
class Page:
    """All of a report. verdicts: on the paper's claims, of recipe `method`; warnings: about runs
    that do not go together.
    """

    title: str
    parts: Sequence[Part]
    verdicts: Mapping[str, Sequence[Verdict]] = field(default_factory=dict)
    warnings: Sequence[str] = ()


def render(page: Page) -> str:
    """The page as text."""
    environment = _environment()
    template = environment.get_template("report.html.jinja")
    claims = {
        method: [_claim(verdict) for verdict in found] for method, found in page.verdicts.items()
    }
    return str(
        template.render(
            page=page,
            claims=claims,
            overview=_overview(claims),
            compared=_COMPARED,
            parts=[_part(part, number) for number, part in enumerate(page.parts, 1)],
            style=(TEMPLATES / "report.css").read_text(encoding="utf-8"),
            script=(TEMPLATES / "report.js").read_text(encoding="utf-8"),
        )
    )


def render_network(
    title: str, facts: Sequence[tuple[str, str]], history: str, figures: Sequence[Figure]
) -> str:
    """A page of one network: facts as (name, value), what was done to it, and its plots."""
    template = _environment().get_template("network.html.jinja")
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    return str(
        template.render(title=title, facts=facts, history=history, figures=figures, style=style)
    )


def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )


def _overview(claims: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """A line per claim: its sign and verdict for every recipe."""
    names = dict.fromkeys(claim["name"] for found in claims.values() for claim in found)
    by_name = [{claim["name"]: claim for claim in found} for found in claims.values()]
    return [
        {
            "name": name,
            "cells": [f"{held[name]['sign']} {held[name]['verdict']}" for held in by_name],
        }
        for name in names
    ]


def _claim(verdict: Verdict) -> dict[str, Any]:
    comparisons = [c for cell in verdict.cells for c in cell.comparisons]
    rows = [[_text(row[name]) for name in _COMPARED] for row in map(comparison_row, comparisons)]
    return {
        "name": verdict.claim.name,
        "text": verdict.claim.text,
        "source": verdict.claim.source,
        "verdict": verdict.verdict,
        "sign": SIGNS[verdict.verdict],
        "direction": verdict.direction if verdict.verdict == "does not hold" else "",
        "why": verdict.why,
        "rows": rows,
    }


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _part(part: Part, number: int) -> dict[str, Any]:
    run = part.run
    tables = []
    for table in run.tables:
        lines = table.csv.splitlines()[1 : 1 + STATIC_ROWS]
        tables.append(
            {
                "id": f"table-{number}-{table.name}",
                "name": table.name,
                "rows": table.rows,
                "columns": table.columns,
                "static": list(_cells(lines)),
                "json": json.dumps(table.csv).replace("<", "\\u003c"),
            }
        )
    facts = {
        label: _text(run.provenance[key])
        for key, label in _PROVENANCE.items()
        if run.provenance.get(key) is not None
    }
    libraries = run.provenance.get("libraries") or {}
    facts["libraries"] = ", ".join(f"{name} {version}" for name, version in libraries.items())
    sessions = [
        {key: _text(entry.get(key)) for key in ("started", "status", "jobs", "points_computed")}
        | {"time": _text(entry.get("wall_time"))}
        for entry in run.provenance.get("sessions") or []
    ]
    return {
        "id": f"run-{number}",
        "part": part,
        "run": run,
        "tables": tables,
        "facts": {name: value for name, value in facts.items() if value},
        "sessions": sessions,
    }


def _cells(lines: Sequence[str]) -> Any:
    import csv

    yield from csv.reader(lines)
