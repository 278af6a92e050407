"""Keys that mean nothing beside others: refused where the user sets them, not taken in silence."""

from collections.abc import Mapping
from typing import Any

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.parameters import HRSNNParams

# Beside a matrix: the file says who is connected to whom and how strongly.
BESIDE_A_MATRIX = (
    *("N", "fraction_e", "graph.K", "graph.rewire", "graph.within"),
    *("weights.family", "weights.cv", "weights.J", "weights.g"),
)
# Elsewhere: the key that decides, and for which of its values this one has an effect.
_NEEDS = {
    "graph.rewire": ("graph.kind", ("small_world",)),
    "graph.within": ("graph.kind", ("clustered",)),
    "weights.cv": ("weights.family", ("gamma", "lognormal")),
    "neuron.v_reset": ("neuron.reset", ("hard",)),
    "encoder.width": ("encoder.kind", ("population", "poisson")),
    "encoder.center": ("encoder.kind", ("population", "poisson")),
    "encoder.rate_max": ("encoder.kind", ("poisson",)),
    "encoder.tau_in": ("encoder.kind", ("poisson",)),
}


def get_value(params: HRSNNParams, path: str) -> Any:
    """The value at a dotted path such as "graph.K"."""
    value: Any = params
    for part in path.split("."):
        value = getattr(value, part)
    return value


def meaningless(path: str, value: object) -> InputError:
    """The refusal of a key that means nothing beside a matrix."""
    why = "means nothing beside graph.matrix, whose file gives neurons and weights (scale those by"
    return InputError(path, value, f"{why} graph.scale); leave it out")


def with_effect(
    table: Mapping[str, Any], changed: dict[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """`changed`, the table of a preset after the user's changes, without what means nothing.

    given: what the user set, by full path. Keys beside a matrix that are the preset's own, not the
    user's, are left out. A key set to the value it has anyway passes, but for those of a matrix.

    Raises InputError for a key the user set that has no effect, and as `HRSNNParams.from_dict`.
    """
    if changed.get("graph", {}).get("kind") == "matrix":
        for path in BESIDE_A_MATRIX:
            if path in given:
                raise meaningless(path, given[path])
        if table.get("graph", {}).get("kind") != "matrix":
            for path in BESIDE_A_MATRIX:
                section, _, key = path.rpartition(".")
                (changed.get(section, {}) if section else changed).pop(key, None)
    params, usual = HRSNNParams.from_dict(changed), HRSNNParams()
    for path, value in given.items():
        path = ".".join(path.split(".")[:2])  # a distribution, not what is in it
        if path not in _NEEDS or get_value(params, path) == get_value(usual, path):
            continue
        key, values = _NEEDS[path]
        if get_value(params, key) not in values:
            names = " or ".join(values)
            raise InputError(path, value, f"has no effect unless {key} is {names}")
    return changed


def meaningful(params: HRSNNParams) -> dict[str, Any]:
    """The parameters as a table without those that mean nothing beside its matrix, if it has one.

    N, fraction_e and graph.K stay: in a network they are those of the matrix.
    """
    table = params.to_dict()
    if params.graph.kind == "matrix":
        for path in BESIDE_A_MATRIX:
            section, _, key = path.rpartition(".")
            if section and key != "K":
                del table[section][key]
    return table
