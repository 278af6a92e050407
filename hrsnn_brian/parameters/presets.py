"""Named configurations: the TOML files beside this module, each with a one-line description.

"default" is "sparse". Its honest objections: about a fifth of the neurons are nearly silent and
peaks reach the refractory ceiling; spiking at constant input is clock-like (CV about 0.1); 100 ms
synapses need an NMDA-like reading. The presets network-A to network-D are its asynchronous and
irregular counterpart.
"""

import tomllib
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from hrsnn_brian.errors import unknown_name
from hrsnn_brian.parameters.model import HRSNNParams
from hrsnn_brian.parameters.overrides import apply_overrides

DEFAULT_PRESET = "default"
_ALIASES = {DEFAULT_PRESET: "sparse"}
_SUFFIX = ".toml"


def _folder() -> Any:
    return files("hrsnn_brian.parameters").joinpath("presets")


def _read(name: str) -> dict[str, Any]:
    stem = _ALIASES.get(name, name)
    table: dict[str, Any] = tomllib.loads(_folder().joinpath(stem + _SUFFIX).read_text("utf-8"))
    return table


def preset_names() -> tuple[str, ...]:
    """The names of all presets, the default first."""
    names = (entry.name for entry in _folder().iterdir() if entry.name.endswith(_SUFFIX))
    return (*_ALIASES, *sorted(name.removesuffix(_SUFFIX) for name in names))


def list_presets() -> dict[str, str]:
    """Name -> one-line description of all presets, the default first."""
    return {name: str(_read(name)["description"]) for name in preset_names()}


def preset_table(name: str = DEFAULT_PRESET) -> dict[str, Any]:
    """The table a preset's file holds, what it leaves out being default.

    Raises InputError for an unknown name, naming the nearest one.
    """
    if name not in preset_names():
        raise unknown_name("preset", name, preset_names())
    table = _read(name)
    del table["description"]
    return table


def load_preset(name: str = DEFAULT_PRESET, overrides: Iterable[str] = ()) -> HRSNNParams:
    """The parameters of a preset, changed by texts such as "N=300" or "neuron.t_ref=0 ms".

    Raises InputError for an unknown preset, as `apply_overrides` does, and for unusable values.
    """
    return HRSNNParams.from_dict(apply_overrides(preset_table(name), overrides))
