"""`hrsnn build`: a network from a preset and overrides, saved as .npz."""

import argparse
import warnings
from typing import TYPE_CHECKING

from hrsnn_brian.cli.options import add_common, add_settings
from hrsnn_brian.cli.output import Output, check_output_file, note

if TYPE_CHECKING:
    from hrsnn_brian.network.network import Network

STRONG = 3.0  # times the J of a preset: default networks of J = 0.3 begin to saturate [our choice]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--preset", help="parameters to start from (default: default; see hrsnn list presets)"
    )
    add_settings(parser, "a parameter, e.g. N=300", "PRESET")
    add_common(parser, "the file to write, NET.npz", out_required=True)


def run(args: argparse.Namespace, output: Output) -> int:
    from hrsnn_brian.cli.description import describe, network_facts
    from hrsnn_brian.network.build import build_network
    from hrsnn_brian.network.effect import meaningful
    from hrsnn_brian.network.io import save_network
    from hrsnn_brian.network.presets import DEFAULT_PRESET, load_preset
    from hrsnn_brian.network.runaway import RunawayWarning
    from hrsnn_brian.network.statistics import degree_statistics

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
    if network.params.graph.kind == "matrix":
        facts["weights"] = _say_matrix(network, preset, output)
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
            "parameters": meaningful(network.params),
        }
    )
    return 0


def _say_matrix(network: "Network", preset: str, output: Output) -> dict[str, float]:
    """Says what a weight of the user's matrix is, and warns if it is far above the preset's."""
    from hrsnn_brian.cli.description import describe_matrix, times_as_strong, weight_scale
    from hrsnn_brian.network.presets import load_preset

    usual = load_preset(preset).weights
    output.say(describe_matrix(network, preset, usual.J, usual.g))
    times, graph = times_as_strong(network, usual.J, usual.g), network.params.graph
    unscaled = graph.scale == "as-given" and network.params.weights.spectral_radius is None
    if unscaled and times > STRONG:
        note(
            f"warning: the weights of W are {times:.2g} times those of preset {preset}; for a "
            "matrix in units of J, build with --set 'graph.scale=J/sqrt(K)'"
        )
    return weight_scale(network)
