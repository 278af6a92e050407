"""Named configurations: the TOML files beside this module, each with a one-line description.

"default" is "sparse". Its honest objections: about a fifth of the neurons are nearly silent and
peaks reach the refractory ceiling; spiking at constant input is clock-like (CV about 0.1); 100 ms
synapses need an NMDA-like reading. The presets network-A to network-D are its asynchronous and
irregular counterpart.
"""

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.files.toml import read_toml
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.settings.reader import read

DEFAULT_PRESET = "default"
_ALIASES = {DEFAULT_PRESET: "sparse"}
_SUFFIX = ".toml"
# Asynchronous and irregular, to measure exponents of.
LYAPUNOV_NETWORKS = tuple(f"network-{letter}" for letter in "ABCD")


def _folder() -> Any:
    return files("hrsnn_brian.network").joinpath("preset_files")


def _read(name: str) -> dict[str, Any]:
    """The table of a preset's file. Raises InputError if it is no TOML in UTF-8."""
    source = (
        Path(name) if name.endswith(_SUFFIX) else _folder() / (_ALIASES.get(name, name) + _SUFFIX)
    )
    return read_toml(source, "preset", name)


def preset_names() -> tuple[str, ...]:
    """The names of all presets, the default first."""
    names = (entry.name for entry in _folder().iterdir() if entry.name.endswith(_SUFFIX))
    return (*_ALIASES, *sorted(name.removesuffix(_SUFFIX) for name in names))


def list_presets() -> dict[str, str]:
    """Name -> one-line description of all presets, the default first.

    One that cannot be read is listed with the reason, so that it does not hide the others.
    """
    return {name: _description(name) for name in preset_names()}


def _description(name: str) -> str:
    try:
        return " ".join(str(_read(name).get("description", "(no description)")).split())
    except InputError as error:
        return f"CANNOT BE USED: {error.allowed}"


def preset_table(name: str = DEFAULT_PRESET) -> dict[str, Any]:
    """The table a preset's file holds, what it leaves out being default.

    name: of a preset, or the path of a file of one's own that ends in .toml. Raises InputError
    for an unknown name, naming the nearest one, and for a file that cannot be read.
    """
    if not name.endswith(_SUFFIX) and name not in preset_names():
        raise unknown_name("preset", name, preset_names())
    table = _read(name)
    table.pop("description", None)
    return table


def load_preset(name: str = DEFAULT_PRESET, overrides: Iterable[str] = ()) -> HRSNNParams:
    """The parameters of a preset, changed by texts such as "N=300" or "neuron.t_ref=0 ms".

    Raises InputError for an unknown preset, and as `settings.reader.read` does.
    """
    return read(HRSNNParams, preset_table(name), overrides, see=name)
