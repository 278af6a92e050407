"""Why the harmonic mean of signed exponents is not used, and how reliable node exponents are.

For every synapse of networks A-D: the harmonic mean of its neurons' growth factors (in use)
against the harmonic mean of their signed exponents (unsound: it has a pole where they cancel). One
row per network, seed and neighbourhood, with the split-half reliability of the node exponents.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hrsnn_brian.files.columns import Column
from hrsnn_brian.files.tables import Row, text_table
from hrsnn_brian.network.presets import LYAPUNOV_NETWORKS, load_preset, preset_names
from hrsnn_brian.runs.options import Names, Options, StudyOptions
from hrsnn_brian.runs.study import Point, Study
from hrsnn_brian.settings.fields import Whole
from hrsnn_brian.studies.exponent_rows import whole

if TYPE_CHECKING:
    from hrsnn_brian.simulation import Engine

T = 80e-3  # s, the time over which a node's perturbation grows


def points(options: Options, seed: int) -> list[Point]:
    """One point per network and seed."""
    return [
        {"network": name, "seed": seed + number, "segments": options["segments"]}
        for name in options["networks"]
        for number in range(options["seeds"])
    ]


def run(point: Point, engine: "Engine") -> list[Row]:
    """One row per neighbourhood; synapses of neurons without an exponent are left out."""
    from hrsnn_brian.dynamics.exponents.edges import edge_exponents, signed_harmonic_mean
    from hrsnn_brian.dynamics.exponents.finite_time import split_half_reliability
    from hrsnn_brian.dynamics.exponents.nodes import NodeProtocol, node_exponents
    from hrsnn_brian.network.build import build_network

    network = build_network(load_preset(point["network"]), point["seed"])
    nodes = node_exponents(
        network,
        engine=engine,
        protocol=NodeProtocol(T=T, segments=point["segments"]),
        seed=point["seed"],
    )
    known = np.isfinite(nodes.segments).all(axis=0)
    reliability = split_half_reliability(nodes.segments[:, known])
    rows = []
    for neighbourhood in ("endpoints", "union"):
        sound = edge_exponents(network.W, nodes.exponents, T, neighbourhood)
        signed = signed_harmonic_mean(network.W, nodes.exponents, neighbourhood)
        used = np.isfinite(sound) & np.isfinite(signed)
        rows.append(
            whole(point["network"], network, point["seed"])
            | {
                "neighbourhood": neighbourhood,
                "edges": int(used.sum()),
                "sound_min_per_s": float(sound[used].min()),
                "sound_max_per_s": float(sound[used].max()),
                "signed_min_per_s": float(signed[used].min()),
                "signed_max_per_s": float(signed[used].max()),
                "signs_differ": float(np.mean(np.sign(signed[used]) != np.sign(sound[used]))),
                "node_min_per_s": float(np.nanmin(nodes.exponents)),
                "node_max_per_s": float(np.nanmax(nodes.exponents)),
                "reliability_half": reliability.half,
                "reliability_full": reliability.full,
            }
        )
    return rows


def summary(rows: Sequence[Row]) -> str:
    """Ranges of both means, how often their signs differ, and the reliability."""
    header = [
        "network",
        "seed",
        "edges by",
        "nodes, 1/s",
        "sound, 1/s",
        "signed, 1/s",
        "signs differ",
    ]
    lines = [
        [
            row["network"],
            row["seed"],
            row["neighbourhood"],
            *(
                f"{row[f'{kind}_min_per_s']:.3g} .. {row[f'{kind}_max_per_s']:.3g}"
                for kind in ("node", "sound", "signed")
            ),
            f"{100 * row['signs_differ']:.0f} %",
        ]
        for row in rows
    ]
    half = ", ".join(
        f"{row['network']} {row['reliability_half']:.2f}/{row['reliability_full']:.2f}"
        for row in rows
        if row["neighbourhood"] == "endpoints"
    )
    return (
        f"{text_table(lines, header)}\n\nnode exponents, reliability of half/all segments: {half}"
    )


@dataclass(frozen=True)
class EdgeOptions(StudyOptions):
    """Which networks are measured, and how often."""

    seeds: Whole = Whole(1, low=1).about("seeds, counted from the root seed on")
    networks: Names = Names(preset_names(), LYAPUNOV_NETWORKS).about("presets of networks")
    segments: Whole = Whole(20, low=4).about("independent inputs per node exponent")


STUDY = Study(
    name="edge_exponents",
    description="why the signed harmonic mean of exponents is not used; reliability of nodes",
    points=points,
    run=run,
    options=EdgeOptions,
    presets={"quick": {}, "paper": {"seeds": 10, "segments": 40}},
    summary=summary,
    columns=(
        Column("neighbourhood", "whose exponents a synapse has", role="identity"),
        Column("edges", "synapses with an exponent", "1"),
        *(
            Column(f"{kind}_{end}_per_s", f"{word} {what}", "1/s")
            for kind, what in (
                ("sound", "exponent of a synapse, by growth factors"),
                ("signed", "harmonic mean of signed exponents"),
                ("node", "exponent of a neuron"),
            )
            for end, word in (("min", "smallest"), ("max", "largest"))
        ),
        Column("signs_differ", "synapses at which the two means differ in sign", "1"),
        Column("reliability_half", "split-half reliability of node exponents", "1"),
        Column("reliability_full", "the same, of all segments", "1"),
    ),
)
