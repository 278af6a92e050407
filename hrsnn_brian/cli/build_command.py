"""`hrsnn build`: a network from a preset and overrides, saved as .npz."""

import argparse
import warnings

from hrsnn_brian.cli.options import add_common, add_settings
from hrsnn_brian.cli.output import Output, check_output_file, note


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_settings(parser, "parameters to start from (default: default; see hrsnn list presets)")
    add_common(parser, "the file to write, NET.npz", out_required=True)


def run(args: argparse.Namespace, output: Output) -> int:
    from hrsnn_brian.cli.description import describe, network_facts
    from hrsnn_brian.connectivity.statistics import degree_statistics
    from hrsnn_brian.network.build import build_network
    from hrsnn_brian.network.io import save_network
    from hrsnn_brian.network.runaway import RunawayWarning
    from hrsnn_brian.parameters.presets import DEFAULT_PRESET, load_preset

    check_output_file(args.out, [".npz"])
    preset = args.preset or DEFAULT_PRESET
    params = load_preset(preset, args.settings)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", RunawayWarning)
        network = build_network(params, args.seed)
    cautions = [str(warning.message) for warning in said]
    for caution in cautions:
        note(f"warning: {caution}")
    save_network(network, args.out)
    facts = network_facts(network)
    output.say(describe(network))
    output.say(f"wrote {args.out}")
    output.result(
        {
            "command": "build",
            "file": args.out,
            "seed": args.seed,
            "preset": preset,
            **facts,
            "warnings": cautions,
            "statistics": degree_statistics(network.W).to_dict(),
            "parameters": network.params.to_dict(),
        }
    )
    return 0
