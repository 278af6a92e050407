"""The exponents of networks for `hrsnn lyapunov`: segment by segment, resumable."""

import argparse
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hrsnn_brian.cli.description import describe, engine_facts, make_engine, network_facts
from hrsnn_brian.cli.lyapunov_result import ResultFolder, claimed, say_spectrum
from hrsnn_brian.cli.output import Output
from hrsnn_brian.dynamics.echo import EXPLOSIVE
from hrsnn_brian.dynamics.exponents.result import SpectrumResult
from hrsnn_brian.dynamics.exponents.spiking import (
    DRIVES,
    Protocol,
    SegmentLog,
    lyapunov_spectrum,
)
from hrsnn_brian.dynamics.exponents.time_step import (
    REFINEMENTS,
    Agreement,
    agree,
    check_step,
    checked_at,
    largest_exponent,
)
from hrsnn_brian.dynamics.measures import echo_columns
from hrsnn_brian.dynamics.probe import COMMON, INDEPENDENT, Measurements
from hrsnn_brian.errors import InputError
from hrsnn_brian.files.tables import text_table
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.digest import network_digest
from hrsnn_brian.network.io import load_network
from hrsnn_brian.network.network import Network
from hrsnn_brian.network.presets import load_preset
from hrsnn_brian.network.runaway import runaway_message
from hrsnn_brian.runs.progress import Lines, Progress
from hrsnn_brian.settings.units import format_seconds, seconds
from hrsnn_brian.simulation import Engine


def measure_network(args: argparse.Namespace, output: Output) -> int:
    """Measure what the options say and report it; returns the status of the command."""
    if args.network is not None:
        network = load_network(args.network)
    else:
        network = build_network(load_preset(args.system), args.seed)
    plan = _protocol(args)
    k, drive = args.k or 1, args.drive or INDEPENDENT
    identity = {
        "network": network_digest(network),
        "seed": args.seed,
        "device": args.device,
        "drive": drive,
        "k": k,
    }
    with claimed(args.out, {"run": identity, "options": asdict(plan)}) as folder:
        work = _Work(network, make_engine(args.device), drive, k, args.seed, plan, folder)
        details, valid = work.measure(output)
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


@dataclass(frozen=True)
class _Work:
    """The computations of one command."""

    network: Network
    engine: Engine
    drive: str
    k: int
    seed: int
    plan: Protocol
    folder: ResultFolder

    def measure(self, output: Output) -> tuple[Mapping[str, Any], bool]:
        """The spectrum, or lambda_inf and its check, reported; segments on disk are not computed
        again. Returns the details of the result and whether it is valid."""
        plan, steps = self.plan, (self.plan.dt, self.plan.dt / 2)
        runs = [replace(plan, dt=dt) for dt in steps]
        if self.k == 1:
            runs.append(checked_at(plan, plan.dt))
        already = sum(len(self._finished(run)) for run in runs)
        total = plan.segments * len(runs)
        progress = Progress(
            "segments",
            total,
            already=already,
            lines=Lines(log=self.folder.log),
            overhead=lambda: self.engine.stats.build_seconds,
        )
        with progress:

            def spectrum(run: Protocol) -> SpectrumResult:
                if run not in runs:
                    progress.extend(plan.segments)
                return self._spectrum(run, progress)

            found = agree(
                lambda dt: spectrum(replace(plan, dt=dt)),
                steps,
                lambda: runaway_message(self.network),
            )
            check = None
            if self.k == 1:
                last = checked_at(plan, check_step(found))
                if found.flags or last not in runs:  # the one that was foreseen falls away
                    progress.extend(-plan.segments)
                check = None if found.flags else spectrum(last)
        output.say(describe(self.network))
        if self.k > 1:
            return _report_spectrum(found, output)
        details, valid = _report_largest(found, check, output)
        return {**details, **self._short(output)}, valid

    def _short(self, output: Output) -> dict[str, Any]:
        """Growth in 200 ms and, under common noise, the input echo, reported."""
        probe = Measurements(self.engine, self.seed)
        growth = probe.short_growth(self.network, self.drive)
        value = f"{growth.value:.4g} +- {growth.standard_error:.2g} /s"
        output.say(f"growth of random perturbations in {format_seconds(growth.T)}: {value}")
        for flag in growth.flags:
            output.say(f"no value: {flag}")
        found = {"growth_per_s": growth.value, "growth_error_per_s": growth.standard_error}
        if self.drive == COMMON:
            found |= echo_columns(self.network, probe)
            value = f"{found['input_echo']:.3g} +- {found['input_echo_se']:.2g}"
            output.say(f"input echo S = {value}; above {EXPLOSIVE:g}: the eve of an explosion")
        return found

    def _spectrum(self, plan: Protocol, progress: Progress) -> SpectrumResult:
        finished = self._finished(plan)

        def advance(done: int, total: int) -> None:
            if f"segment-{done - 1}.json" not in finished:
                progress.advance(f"dt = {format_seconds(plan.dt)}, d0 = {plan.d0:g}")

        return lyapunov_spectrum(
            self.network,
            engine=self.engine,
            k=self.k,
            protocol=plan,
            drive=DRIVES[self.drive],
            seed=self.seed,
            log=SegmentLog(self._folder(plan), advance),
        )

    def _folder(self, plan: Protocol) -> Path | None:
        return self.folder.segments(f"dt-{plan.dt:g}-d0-{plan.d0:g}")

    def _finished(self, plan: Protocol) -> set[str]:
        folder = self._folder(plan)
        return {path.name for path in folder.glob("segment-*.json")} if folder else set()


def _report_spectrum(found: Agreement, output: Output) -> tuple[Mapping[str, Any], bool]:
    result = found.result
    _say_steps(found, output)
    output.say(f"spectrum, dt = {format_seconds(result.settings['dt'])}")
    say_spectrum(result, "1/s", output)
    output.say(_context(result))
    return result.to_dict() | _steps(found), result.valid


def _report_largest(
    found: Agreement, check: SpectrumResult | None, output: Output
) -> tuple[Mapping[str, Any], bool]:
    largest = largest_exponent(found, check)
    _say_steps(found, output)
    if check is not None:
        first, second = found.result.settings["d0"], check.settings["d0"]
        output.say(f"d0 = {first:g} and {second:g} differ by {largest.d0_difference:.2g}/s")
    output.say(_context(found.result))
    output.say(f"lambda_inf = {largest.value:.4g} +- {largest.standard_error:.2g} /s")
    for flag in largest.flags:
        output.say(f"no value: {flag}")
    details = found.result.to_dict()
    if largest.flags:
        details |= {"kaplan_yorke": None, "entropy_rate": None}
    details |= {
        **_steps(found),
        "quantity": "lambda_inf",
        "lambda_inf": largest.value,
        "exponents": [largest.value],
        "d0_difference": largest.d0_difference,
        "valid": not largest.flags,
        "flags": list(largest.flags),
    }
    return details, not largest.flags


def _say_steps(found: Agreement, output: Output) -> None:
    """The leading exponent and the rate at every step, and why steps were refined."""
    rows = [
        [
            format_seconds(dt),
            float(result.exponents[0]),
            float(result.standard_error[0]),
            result.settings["rate_hz"],
        ]
        for dt, result in found.at_dt.items()
    ]
    output.say(text_table(rows, ["dt", "lambda_inf, 1/s", "standard error", "rate, Hz"]))
    for reason in found.abandoned:
        output.say(f"a shorter step was tried: {reason}")
    if len(found.abandoned) == REFINEMENTS and found.flags:
        output.say(f"the step was halved {REFINEMENTS} times, the most that is tried")


def _steps(found: Agreement) -> dict[str, Any]:
    return {
        "at_dt": {format_seconds(dt): result.to_dict() for dt, result in found.at_dt.items()},
        "abandoned": list(found.abandoned),
    }


def _context(result: SpectrumResult) -> str:
    leak, rate = result.settings["passive_per_s"], result.settings["rate_hz"]
    drive = result.settings["drive"]
    return (
        f"{drive} noise, rate {rate:.3g} Hz; a silent network would have its slowest leak, "
        f"{leak:.4g} /s"
    )
