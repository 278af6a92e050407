"""The exponents of networks for `hrsnn lyapunov`: segment by segment, resumable."""

import argparse
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hrsnn_brian.cli.description import describe, engine_facts, make_engine, network_facts
from hrsnn_brian.cli.lyapunov_folder import ResultFolder, claimed
from hrsnn_brian.cli.lyapunov_report import say_spectrum
from hrsnn_brian.cli.output import Output
from hrsnn_brian.errors import InputError
from hrsnn_brian.exponents.result import SpectrumResult
from hrsnn_brian.exponents.spiking import Protocol, largest_exponent, lyapunov_spectrum
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.io import load_network
from hrsnn_brian.network.network import NEURON_ARRAYS, Network
from hrsnn_brian.parameters.presets import load_preset
from hrsnn_brian.parameters.units import format_seconds, seconds
from hrsnn_brian.runs.progress import Progress
from hrsnn_brian.runs.tables import text_table
from hrsnn_brian.simulation import Engine

_CHECK_D0 = (1e-6, 1e-10)  # the size that lambda_inf is checked at, and the one if d0 is near it


def measure_network(args: argparse.Namespace, output: Output) -> int:
    """Measure what the options say and report it; returns the status of the command."""
    if args.network is not None:
        network = load_network(args.network)
    else:
        network = build_network(load_preset(args.system), args.seed)
    plan = _protocol(args)
    k = args.k or 1
    identity = {"network": _digest(network), "seed": args.seed, "device": args.device, "k": k}
    with claimed(args.out, {"run": identity, "options": asdict(plan)}) as folder:
        work = _Work(network, make_engine(args.device), k, args.seed, _plans(plan, k), folder)
        results = work.results()
        output.say(describe(network))
        report = _report_spectrum if k > 1 else _report_largest
        details, valid = report(results, output)
        facts = {
            "command": "lyapunov",
            **{name: getattr(args, name) for name in ("system", "network") if getattr(args, name)},
            "seed": args.seed,
            "unit": "1/s",
            **network_facts(network),
            "engine": engine_facts(work.engine),
        }
        folder.finish(facts, details, output)
    return 0 if valid else 1


def _protocol(args: argparse.Namespace) -> Protocol:
    given: dict[str, Any] = {
        name: float(seconds(getattr(args, name), f"--{name.replace('_', '-')}"))
        for name in ("duration", "dt", "t_renorm")
        if getattr(args, name) is not None
    }
    given |= {n: getattr(args, n) for n in ("d0", "segments") if getattr(args, n) is not None}
    plan = Protocol(**given)
    steps = plan.t_renorm / plan.dt
    if round(steps) < 1 or abs(steps - round(steps)) > 1e-9 * steps:
        allowed = f"must be a whole number of time steps of {format_seconds(plan.dt)}"
        raise InputError("--t-renorm", format_seconds(plan.t_renorm), allowed)
    return plan


def _plans(plan: Protocol, k: int) -> tuple[Protocol, ...]:
    """One protocol for a spectrum; for lambda_inf two time steps and the check of d0."""
    if k > 1:
        return (plan,)
    usual, other = _CHECK_D0
    check = usual if plan.d0 < 0.1 * usual else other
    return plan, replace(plan, dt=plan.dt / 2), replace(plan, d0=check)


def _digest(network: Network) -> str:
    """A hash of everything that decides a network's exponents."""
    parts = hashlib.sha256(json.dumps(network.params.to_dict(), sort_keys=True).encode())
    for name in NEURON_ARRAYS:
        parts.update(getattr(network, name).tobytes())
    for array in (network.W.indptr, network.W.indices):
        parts.update(array.astype("int64").tobytes())
    parts.update(network.W.data.tobytes())
    return parts.hexdigest()[:20]


@dataclass(frozen=True)
class _Work:
    """The computations of one command."""

    network: Network
    engine: Engine
    k: int
    seed: int
    plans: tuple[Protocol, ...]
    folder: ResultFolder

    def results(self) -> list[SpectrumResult]:
        """The spectrum of each protocol; segments on disk are not computed again."""
        folders = [self._folder(plan) for plan in self.plans]
        found = {path for folder in folders if folder for path in folder.glob("segment-*.json")}
        total = sum(plan.segments for plan in self.plans)
        results = []
        with Progress("segments", total, already=len(found), log=self.folder.log) as progress:
            for plan, folder in zip(self.plans, folders, strict=True):

                def advance(
                    done: int, total: int, plan: Protocol = plan, folder: Path | None = folder
                ) -> None:
                    if folder is None or folder / f"segment-{done - 1}.json" not in found:
                        progress.advance(f"dt = {format_seconds(plan.dt)}, d0 = {plan.d0:g}")

                results.append(
                    lyapunov_spectrum(
                        self.network,
                        engine=self.engine,
                        k=self.k,
                        protocol=plan,
                        seed=self.seed,
                        folder=folder,
                        on_segment=advance,
                    )
                )
        return results

    def _folder(self, plan: Protocol) -> Path | None:
        return self.folder.segments(f"dt-{plan.dt:g}-d0-{plan.d0:g}")


def _report_spectrum(
    results: list[SpectrumResult], output: Output
) -> tuple[Mapping[str, Any], bool]:
    (result,) = results
    output.say(f"spectrum, dt = {format_seconds(result.settings['dt'])}")
    say_spectrum(result, "1/s", output)
    output.say(_context(result))
    return result.to_dict(), result.valid


def _report_largest(
    results: list[SpectrumResult], output: Output
) -> tuple[Mapping[str, Any], bool]:
    found = largest_exponent(*results)
    rows = [
        [format_seconds(dt), float(result.exponents[0]), float(result.standard_error[0])]
        for dt, result in found.at_dt.items()
    ]
    output.say(text_table(rows, ["dt", "lambda_inf, 1/s", "standard error"]))
    first, check = results[0].settings["d0"], results[-1].settings["d0"]
    output.say(f"d0 = {first:g} and {check:g} differ by {found.d0_difference:.2g}/s")
    output.say(_context(results[0]))
    output.say(f"lambda_inf = {found.value:.4g} +- {found.standard_error:.2g} /s")
    for flag in found.flags:
        output.say(f"no value: {flag}")
    finest = results[1].to_dict()
    if found.flags:
        finest |= {"kaplan_yorke": None, "entropy_rate": None}
    details = {
        **finest,
        "quantity": "lambda_inf",
        "lambda_inf": found.value,
        "exponents": [found.value],
        "at_dt": {format_seconds(dt): result.to_dict() for dt, result in found.at_dt.items()},
        "d0_difference": found.d0_difference,
        "valid": not found.flags,
        "flags": list(found.flags),
    }
    return details, not found.flags


def _context(result: SpectrumResult) -> str:
    leak, rate = result.settings["passive_per_s"], result.settings["rate_hz"]
    return f"rate {rate:.3g} Hz; a silent network would have its slowest leak, {leak:.4g} /s"
