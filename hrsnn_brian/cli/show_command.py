"""`hrsnn show`: what a saved network is and does, measured under noise."""

import argparse
import math

from hrsnn_brian.cli.options import add_common, user_path
from hrsnn_brian.cli.output import Output, check_output_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("network", metavar="NET.npz", type=user_path, help="a saved network")
    add_common(parser, "a JSON file for the same")


def run(args: argparse.Namespace, output: Output) -> int:
    from hrsnn_brian.cli.description import activity_noted, history_lines, make_engine
    from hrsnn_brian.dynamics.summary import summarise
    from hrsnn_brian.network.io import load_network

    check_output_file(args.out, [".json"])
    network = load_network(args.network)
    with activity_noted():
        facts = summarise(network, make_engine(args.device), args.seed)
    output.say(f"{args.network}: seed {network.seed}")
    for fact in facts:
        output.say(f"  {fact.meaning:<44} {fact.text}")
    if network.history:
        output.say("what was done to it, oldest first:")
        output.say("\n".join(f"  {line}" for line in history_lines(network.history)))
    values = {fact.name: None if _unknown(fact.value) else fact.value for fact in facts}
    errors = {fact.name: fact.error for fact in facts if fact.error is not None}
    result = {"file": args.network, **values, "standard_errors": errors}
    output.result({**result, "history": list(network.history)}, args.out)
    return 0


def _unknown(value: float) -> bool:
    return isinstance(value, float) and math.isnan(value)
