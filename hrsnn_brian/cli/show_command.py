"""`hrsnn show`: what a saved network is and does, measured under noise."""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hrsnn_brian.cli.options import add_common, user_path
from hrsnn_brian.cli.output import Output, check_output_file, note

if TYPE_CHECKING:
    from hrsnn_brian.dynamics.summary import Fact
    from hrsnn_brian.network.network import Network
    from hrsnn_brian.simulation import Engine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("network", metavar="NET.npz", type=user_path, help="a saved network")
    parser.add_argument(
        "--html", type=user_path, metavar="FILE.html", help="one page of the same with all plots"
    )
    add_common(parser, "a JSON file for the same")


def run(args: argparse.Namespace, output: Output) -> int:
    from hrsnn_brian.cli.description import activity_noted, history_lines, make_engine
    from hrsnn_brian.dynamics.summary import summarise
    from hrsnn_brian.network.io import load_network

    check_output_file(args.out, [".json"])
    check_output_file(args.html, [".html"], "--html")
    network = load_network(args.network)
    engine = make_engine(args.device)
    with activity_noted():
        facts = summarise(network, engine, args.seed)
    output.say(f"{args.network}: seed {network.seed}")
    for fact in facts:
        output.say(f"  {fact.meaning:<44} {fact.text}")
    if network.history:
        output.say("what was done to it, oldest first:")
        output.say("\n".join(f"  {line}" for line in history_lines(network.history)))
    if args.html is not None:
        _write_page(args.html, network, engine, args.seed, facts)
        output.say(args.html)
    values = {fact.name: None if _unknown(fact.value) else fact.value for fact in facts}
    errors = {fact.name: fact.error for fact in facts if fact.error is not None}
    result = {"file": args.network, **values, "standard_errors": errors}
    output.result({**result, "history": list(network.history)}, args.out)
    return 0


def _write_page(
    path: str, network: "Network", engine: "Engine", seed: int, facts: "Sequence[Fact]"
) -> None:
    from hrsnn_brian.cli.description import activity_noted, history_lines
    from hrsnn_brian.dynamics.portrait import KINDS, Portrait
    from hrsnn_brian.figures.portraits import side_by_side
    from hrsnn_brian.figures.style import svg_of
    from hrsnn_brian.files.atomic import write_text
    from hrsnn_brian.report.html import Figure, render_network

    look, figures, name = Portrait(network, engine, seed), [], Path(path).stem
    for done, (kind, (meaning, _)) in enumerate(KINDS.items(), 1):
        with activity_noted():
            table = look.tables([kind])[kind]
        svg = svg_of(side_by_side(kind, [table], [name]))
        figures.append(Figure(kind, meaning, f"{meaning}; seed {seed}, independent noise", svg))
        note(f"show: plot {done}/{len(KINDS)}: {kind}")
    told = [(fact.meaning, fact.text) for fact in facts]
    history = "\n".join(history_lines(network.history))
    write_text(path, render_network(name, told, history, figures))


def _unknown(value: float) -> bool:
    return isinstance(value, float) and math.isnan(value)
