"""`hrsnn lyapunov`: exponents of a network, a flow or a map, and the self-test of the estimator."""

import argparse
import math
from typing import TYPE_CHECKING, Any

from hrsnn_brian.cli.options import add_common, number, whole
from hrsnn_brian.cli.output import Output, note
from hrsnn_brian.errors import InputError, unknown_name

if TYPE_CHECKING:
    from hrsnn_brian.dynamics.exponents.systems import NamedSystem, ValidationOutcome

_EPILOG = """\
Networks: the k leading exponents at --dt and at half of it; with k = 1 also at a second size of
perturbation. Spike times lie inside the step, but spikes of one step do not see each other: where
the two steps disagree by more than about three combined standard errors, or their rates by more
than 5 %, or where too much happens in a step, it is halved again, at most twice. The value is that
of the shortest step. Times need a unit ("20 ms"). Flows and maps: plain numbers, in the system's
own time or in iterations.

With k = 1 the growth rate of random perturbations in 200 ms is measured, too, and under common
noise the input echo: what is left, 100 ms to 1 s later, of a step in the input, summed over samples
in units of the variance (above 2 is the eve of an explosion).

Independent noise averages out in what neurons send each other: exponents under it do not see the
coherent mode that an input excites and in which networks run away. Default networks have about
-9 /s under independent and -6.6 /s under common noise; with weights doubled, and biases that
restore their rate, about -8.5 and -3, and run away as soon as they are shown an input.

Status 1: a check failed, so that there is no value (the reason is given), or a row of the
self-test missed.

examples:
  hrsnn lyapunov --self-test
  hrsnn lyapunov --system network-C --duration "20 s"
  hrsnn lyapunov --network net.npz --k 50 --out spectrum
  hrsnn lyapunov --network net.npz --drive common
"""
_MEASURING = ("drive", "k", "duration", "dt", "d0", "t_renorm", "segments")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument("--system", metavar="NAME", help="see hrsnn list systems")
    parser.add_argument("--network", metavar="NET.npz", help="a saved network")
    parser.add_argument(
        "--self-test",
        action="store_true",
        help="measure everything whose exponents are known; a few minutes at most",
    )
    group = parser.add_argument_group("measuring")
    group.add_argument(
        "--drive",
        choices=["common", "independent"],
        help="networks: one noise for all, shown through the encoder, or one for each neuron "
        "(default independent)",
    )
    group.add_argument(
        "--k", type=whole(1), help="how many exponents (default: networks 1, flows and maps all)"
    )
    group.add_argument(
        "--duration", help='measured time: networks over all segments (default "10 s"), else each'
    )
    group.add_argument("--dt", help='longest time step (default "0.1 ms" for networks)')
    group.add_argument("--d0", type=_positive, help="distance of the copies (networks 1e-10)")
    group.add_argument("--t-renorm", help='between renormalisations (default "20 ms" for networks)')
    group.add_argument(
        "--segments",
        type=whole(1),
        help="independent inputs, or starting points, that give the standard errors (default: "
        "networks 5, flows and maps 100)",
    )
    add_common(
        parser,
        "a folder for the result and, of networks, every finished segment: a killed run resumes",
    )


def run(args: argparse.Namespace, output: Output) -> int:
    if args.self_test:
        return _self_test(args, output)
    if (args.system is None) == (args.network is None):
        given = (args.system, args.network)
        raise InputError("--system, --network", given, "give exactly one, or --self-test")
    from hrsnn_brian.dynamics.exponents.systems import SYSTEMS
    from hrsnn_brian.dynamics.exponents.validation import list_systems

    if args.system in SYSTEMS:
        return _flow_or_map(args, SYSTEMS[args.system], output)
    if args.system is not None and args.system not in list_systems():
        raise unknown_name("--system", args.system, list_systems())
    from hrsnn_brian.cli.lyapunov_network import measure_network

    return measure_network(args, output)


def _positive(text: str) -> float:
    """Reads a positive, finite number."""
    value = number(text)
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return value


# ---- flows and maps ----


def _flow_or_map(args: argparse.Namespace, system: "NamedSystem", output: Output) -> int:
    from hrsnn_brian.cli.lyapunov_result import claimed, say_spectrum
    from hrsnn_brian.dynamics.exponents.systems import system_exponents

    if args.drive is not None:
        raise InputError("--drive", args.drive, f"goes with networks, {system.name} has no input")
    settings = _own_settings(args, system)
    chosen = {"k": args.k, "segments": args.segments, "d0": args.d0}
    given = settings | {name: value for name, value in chosen.items() if value is not None}
    config = {"run": {"system": system.name, "seed": args.seed}, "options": given}
    with claimed(args.out, config) as folder:
        result = system_exponents(system.name, seed=args.seed, **given)
        output.say(system.description)
        unit = "per unit time" if system.kind == "flow" else "per iteration"
        say_spectrum(result, unit, output, known=system.expected)
        facts = {"command": "lyapunov", "system": system.name, "seed": args.seed, "unit": unit}
        folder.finish(facts, result.to_dict(), output)
    return 0 if result.valid else 1


def _own_settings(args: argparse.Namespace, system: "NamedSystem") -> dict[str, float]:
    """--duration, --dt and --t-renorm in the system's own time."""
    is_map = system.kind == "map"
    if is_map and args.dt is not None:
        raise InputError("--dt", args.dt, f"{system.name} is a map: it has no time step")
    names = ("n", "dt", "n_renorm") if is_map else ("duration", "dt", "t_renorm")
    texts = (args.duration, args.dt, args.t_renorm)
    options = ("--duration", "--dt", "--t-renorm")
    return {
        name: _own_time(text, option, is_map)
        for name, text, option in zip(names, texts, options, strict=True)
        if text is not None
    }


def _own_time(text: str, option: str, is_map: bool) -> float:
    value = number(text)
    if is_map:
        if not (value >= 1 and value == math.floor(value)):
            raise InputError(option, text, "must be a whole number of iterations >= 1")
        return int(value)
    if not (math.isfinite(value) and value > 0):
        raise InputError(option, text, "must be a positive number without a unit for a flow")
    return value


# ---- self-test ----


def _self_test(args: argparse.Namespace, output: Output) -> int:
    options = ("system", "network", *_MEASURING)
    given = [name for name in options if getattr(args, name) is not None]
    if given:
        option = f"--{given[0].replace('_', '-')}"
        allowed = "does not go with --self-test, whose settings are fixed"
        raise InputError(option, getattr(args, given[0]), allowed)
    from hrsnn_brian.cli.description import engine_facts, make_engine
    from hrsnn_brian.cli.lyapunov_result import claimed
    from hrsnn_brian.dynamics.exponents import validation

    engine = make_engine(args.device)
    rows = validation.validation_rows(engine)
    with claimed(args.out, {"run": {"self_test": True, "device": args.device}}) as folder:
        note(f"{len(rows)} rows, the networks on the {args.device} device")
        output.say(_LINE.format("case and quantity", "expected", "found", "tolerance", ""))
        outcomes = validation.run_self_test(rows, lambda outcome: _say_outcome(outcome, output))
        missed = sum(not outcome.passed for outcome in outcomes)
        seconds = sum(outcome.seconds for outcome in outcomes)
        passed = len(outcomes) - missed
        output.say(f"{passed} of {len(outcomes)} rows passed in {seconds:.0f} s")
        facts = {
            "command": "lyapunov",
            "self_test": True,
            "passed": not missed,
            "rows": [entry for outcome in outcomes for entry in outcome_facts(outcome)],
            "engine": engine_facts(engine),
        }
        folder.finish(facts, {}, output)
    return 1 if missed else 0


_LINE = "{:<62} {:>10} {:>11} {:>10}  {}"


def _say_outcome(outcome: "ValidationOutcome", output: Output) -> None:
    output.say(f"{outcome.row.name} ({outcome.seconds:.1f} s)")
    for fact in outcome_facts(outcome):
        numbers = (f"{fact[name]:.5g}" for name in ("expected", "found", "tolerance"))
        output.say(_LINE.format(f"  {fact['quantity']}", *numbers, _verdict(fact["passed"])))


def _verdict(passed: bool) -> str:
    return "pass" if passed else "MISS"


def outcome_facts(outcome: "ValidationOutcome") -> list[dict[str, Any]]:
    """One entry per quantity of a row; what was not measured is NaN and a miss."""
    row = outcome.row
    missing = len(row.expected) - len(outcome.found)
    found = (*outcome.found, *[math.nan] * missing)
    return [
        {
            "case": row.name,
            "quantity": quantity,
            "expected": expected,
            "found": value,
            "tolerance": tolerance,
            "passed": abs(value - expected) <= tolerance,
            "seconds": outcome.seconds,
        }
        for quantity, expected, value, tolerance in zip(
            row.quantities, row.expected, found, row.tolerance, strict=True
        )
    ]
