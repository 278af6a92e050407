"""`hrsnn describe`: the equations and parameters of a saved network, on one screen."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from hrsnn_brian.cli.options import add_common, user_path
from hrsnn_brian.cli.output import Output, check_output_file

if TYPE_CHECKING:
    from hrsnn_brian.simulation.description import Parameter


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("network", metavar="NET.npz", type=user_path, help="a saved network")
    add_common(parser, "a JSON file for the same")


def run(args: argparse.Namespace, output: Output) -> int:
    from hrsnn_brian.cli.description import describe, history_lines, network_facts
    from hrsnn_brian.network.io import load_network
    from hrsnn_brian.simulation.description import model_equations, model_parameters, step_order

    check_output_file(args.out, [".json"])
    network = load_network(args.network)
    equations, rows = model_equations(network), model_parameters(network)
    order = step_order(network)
    output.say(describe(network))
    for name, parts in equations.items():
        for part, text in parts.items():
            output.say(f"\n{name}, {part}:")
            output.say("\n".join(f"    {line}" for line in text.splitlines() if line))
    output.say("\norder in the first time step of a sample:")
    output.say("\n".join(f"    {number}. {what}" for number, what in enumerate(order, 1)))
    output.say("\nparameters (mean +- sd over neurons or synapses, and their range):")
    output.say("\n".join(_table(rows)))
    if network.history:
        output.say("\nwhat was done to it, oldest first:")
        output.say("\n".join(f"    {line}" for line in history_lines(network.history)))
    facts = {"command": "describe", "file": args.network, **network_facts(network)}
    parameters = [asdict(row) for row in rows]
    result = {"equations": equations, "order": order, "parameters": parameters}
    result["history"] = list(network.history)
    output.result({**facts, **result}, args.out)
    return 0


def _table(rows: "list[Parameter]") -> list[str]:
    cells = [("symbol", "value", "unit", "grade", "meaning")]
    for row in rows:
        value = f"{row.mean:.4g}"
        if row.sd:
            value += f" +- {row.sd:.3g} ({row.low:.3g} to {row.high:.3g})"
        grade = f"[{row.grade}]" if row.grade else ""
        cells.append((row.symbol, value, row.unit, grade, row.meaning))
    widths = [max(len(line[k]) for line in cells) for k in range(4)]
    return [
        "    "
        + "  ".join(f"{cell:<{w}}" for cell, w in zip(line, [*widths, 0], strict=True)).rstrip()
        for line in cells
    ]
