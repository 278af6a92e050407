"""What `hrsnn lyapunov` says, and where it leaves its result: a run directory, or nowhere."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrsnn_brian.cli.output import Output
from hrsnn_brian.dynamics.exponents.result import SpectrumResult
from hrsnn_brian.errors import InputError
from hrsnn_brian.files.tables import text_table
from hrsnn_brian.runs.run_directory import RunDirectory


@dataclass(frozen=True)
class ResultFolder:
    """The claimed run directory, None without --out."""

    run: RunDirectory | None

    def segments(self, name: str) -> Path | None:
        """The folder of the finished segments of one computation."""
        return None if self.run is None else self.run.points / name

    def log(self, text: str) -> None:
        """A line for the log.txt of the directory."""
        if self.run is not None:
            self.run.log(text)

    def finish(self, facts: Mapping[str, Any], details: Mapping[str, Any], output: Output) -> None:
        """Hand over the result: `facts` and `details` to result.json, less the convergence history
        to standard output."""
        from hrsnn_brian.files.atomic import write_json
        from hrsnn_brian.runs.provenance import utc_now

        if self.run is not None:
            path = self.run.path / "result.json"
            write_json(path, {**facts, **details})
            self.run.finish(utc_now())
            output.say(f"wrote {path}")
        output.result({**facts, **_without_history(details)})


def _without_history(details: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _without_history(value) if isinstance(value, Mapping) else value
        for name, value in details.items()
        if name not in ("history", "times")
    }


@contextmanager
def claimed(out: str | None, config: Mapping[str, Any]) -> Iterator[ResultFolder]:
    """The directory `out` for a computation of `config`, resumed if it holds that very one.

    Raises InputError if it cannot be written or holds something else. If the computation turns
    out to be impossible, a directory that was made for it goes again.
    """
    if out is None:
        yield ResultFolder(None)
        return
    from hrsnn_brian.files.identity import code_identity
    from hrsnn_brian.runs.provenance import environment

    new = not os.path.lexists(out)
    whole = {**code_identity(), "command": "lyapunov", **config}
    with RunDirectory.claim(out, whole) as run:
        try:
            if not (run.path / "provenance.json").exists():
                from hrsnn_brian.files.atomic import write_json

                write_json(run.path / "provenance.json", environment())
            yield ResultFolder(run)
        except InputError:
            if new:
                shutil.rmtree(run.path, ignore_errors=True)
            raise
        except BaseException as error:
            run.log(f"stopped by {type(error).__name__}; the same command resumes")
            raise


def say_spectrum(
    result: SpectrumResult, unit: str, output: Output, known: tuple[float, ...] = ()
) -> None:
    """The exponents as a table, what follows from them, and the reasons if there are none."""
    header = ["j", f"lambda_j, {unit}", "standard error"] + ["known"] * bool(known)
    rows: list[list[object]] = []
    for j, (value, error) in enumerate(
        zip(result.exponents.tolist(), result.standard_error.tolist(), strict=True)
    ):
        rows.append([j + 1, value, error, *known[j : j + 1]])
    output.say(text_table(rows, header))
    for flag in result.flags:
        output.say(f"no value: {flag}")
    if not result.valid:
        return
    unknown = f"not determined by {len(rows)} exponents with these errors"
    dimension, entropy = result.kaplan_yorke, result.entropy_rate
    output.say(f"Kaplan-Yorke dimension: {unknown if dimension is None else f'{dimension:.4g}'}")
    bound = unknown if entropy is None else f"{entropy:.4g}"
    output.say(f"entropy rate in nats, {unit}, at most: {bound}")
