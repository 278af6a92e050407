"""What `hrsnn tune` searches: settings of the network by name, each with its range."""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import getattr_static
from typing import Any, cast

from hrsnn_brian.errors import InputError
from hrsnn_brian.evaluation.evaluate import READOUTS
from hrsnn_brian.evaluation.quadratic import QUADRATIC
from hrsnn_brian.network.distributions import Distribution
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.network.presets import load_preset, preset_table
from hrsnn_brian.runs.options import Names, StudyNetwork, StudyOptions
from hrsnn_brian.settings.fields import Flag, OneOf, OptionalText, Text, Whole
from hrsnn_brian.settings.ranges import Range
from hrsnn_brian.settings.reader import Settings, assignments, read
from hrsnn_brian.settings.units import SECOND, format_seconds
from hrsnn_brian.statistics.search import SEARCHES

SEARCHED = {
    "J": "strength of excitation",
    "g": "strength of inhibition",
    "tau_m": "mean membrane time constant",
    "e_slower": "how many times slower excitatory membranes are",
    "gain": "encoder gain",
    "width": "encoder width",
    "bias": "offset of all biases",
    "tau_syn": "synaptic time constant",
    "sample": "time per sample",
}
"""The settings that can be searched; each is a field of `TuneOptions` that holds its range."""

Point = tuple[float, ...]


@dataclass(frozen=True)
class TuneOptions(StudyOptions):
    """What is searched, from where, and on how many networks each trial is scored."""

    seeds: Whole = Whole(2, low=1).about("networks per trial, seeds counted from the root seed on")
    method: OneOf = OneOf("bayesian", SEARCHES).about("how trials are proposed")
    quick: Flag = Flag(False).about("the tasks with shorter blocks, for a first look")
    data: OptionalText = OptionalText("a folder, or an .npz file").about(
        "where the images are, of tasks that come in files"
    )
    starts: Whole = Whole(20, low=1).about("starts of free runs, of tasks that have them")
    readout: OneOf = OneOf("spikes", dict.fromkeys((*READOUTS, QUADRATIC), "")).about(
        "what the readout sees beside the present input"
    )
    vary: Names = Names(SEARCHED, SEARCHED).about("what is searched; the rest stays")
    J: Range = Range(0.03, 0.2).about("range of weights.J")
    g: Range = Range(2.0, 12.0).about("range of weights.g")
    tau_m: Range = Range("8 ms", "50 ms", SECOND).about("range of the mean of neuron.tau_m")
    e_slower: Range = Range(0.5, 5.0).about("range of neuron.e_slower")
    gain: Range = Range(2.0, 64.0).about("range of encoder.gain")
    width: Range = Range(0.2, 1.0).about("range of encoder.width")
    bias: Range = Range(-1.5, 1.0, signed=True).about("range of an offset on neuron.bias")
    tau_syn: Range = Range("50 ms", "200 ms", SECOND).about("range of synapse.tau_syn")
    sample: Range = Range("10 ms", "60 ms", SECOND).about("range of timing.sample")
    preset: Text = Text("default").about("of the first trial, a name or FILE.toml")
    network: StudyNetwork = StudyNetwork().about("the network of the first trial")

    def __post_init__(self) -> None:
        for name in self.vary:
            _value(name, self.network)

    @property
    def start(self) -> Point:
        """The point nearest to the network that the search starts from."""
        return tuple(
            _range(name).level(getattr(self, name), _value(name, self.network))
            for name in self.vary
        )

    def values(self, point: Point) -> dict[str, float]:
        """What a point of the unit cube stands for, by name, SI; `start` is the network itself."""
        if point == self.start:
            return {name: _value(name, self.network) for name in self.vary}
        found = {
            name: _range(name).at(getattr(self, name), level)
            for name, level in zip(self.vary, point, strict=True)
        }
        if "sample" in found:
            dt = self.network.timing.dt
            found["sample"] = max(1, round(found["sample"] / dt)) * dt
        return found

    def params(self, point: Point) -> HRSNNParams:
        """The network's parameters at a point. Raises InputError for what has no effect on it."""
        if point == self.start:
            return self.network
        table: dict[str, Any] = {}
        for name, value in self.values(point).items():
            table |= _setting(name, value, self.network)
        return read(HRSNNParams, self.network.to_dict(), table)


def tune_options(settings: Settings) -> TuneOptions:
    """The options that settings stand for: "J=0.05,0.15", "seeds=3", "network.N=1000", ...

    Raises InputError as `settings.reader.read` does, for a preset that cannot be read, and for
    something to be searched that the network does not have.
    """
    preset = assignments(TuneOptions.keys(), settings).get("preset", TuneOptions().preset)
    preset_table(preset)  # refused by its own name
    table = {"preset": preset, "network": load_preset(preset).to_dict()}
    return read(TuneOptions, table, settings, see="tune")


def _range(name: str) -> Range:
    return cast("Range", getattr_static(TuneOptions, name))


def _value(name: str, params: HRSNNParams) -> float:
    """What the network has. Raises InputError if it has no such number."""
    if name == "tau_m" and params.neuron.tau_m_clusters:
        raise InputError("vary", name, "means nothing beside neuron.tau_m_clusters")
    plain = {
        "J": params.weights.J,
        "g": params.weights.g,
        "e_slower": params.neuron.e_slower,
        "gain": params.encoder.gain,
        "width": params.encoder.width,
        "sample": params.timing.sample,
    }
    if name == "bias":
        _shifted(params.neuron.bias, 0.0)
        return 0.0
    if name in plain:
        return plain[name]
    spread = {"tau_m": params.neuron.tau_m, "tau_syn": params.synapse.tau_e}[name]
    return float(getattr(spread, _centre(name, spread)))


def _setting(name: str, value: float, params: HRSNNParams) -> Mapping[str, Any]:
    """The keys, as `--set` names them, that give the network this value."""
    if name == "bias":
        return {"neuron.bias": _shifted(params.neuron.bias, value)}
    if name == "sample":
        return {"timing.sample": format_seconds(value)}
    if name == "tau_m":
        return {"neuron.tau_m": _recentred(name, params.neuron.tau_m, value)}
    if name == "tau_syn":
        return {
            "synapse.tau_e": _recentred(name, params.synapse.tau_e, value),
            "synapse.tau_i": _recentred(name, params.synapse.tau_i, value),
        }
    section = {"J": "weights", "g": "weights", "e_slower": "neuron"}.get(name, "encoder")
    return {f"{section}.{name}": value}


def _centre(name: str, spread: Distribution) -> str:
    """The field of a distribution that moves all of it."""
    for field in ("value", "mean"):
        if hasattr(spread, field):
            return field
    raise InputError("vary", name, f"cannot be searched: {spread.to_dict()} has no mean")


def _recentred(name: str, spread: Distribution, value: float) -> dict[str, Any]:
    return spread.to_dict() | {_centre(name, spread): format_seconds(value)}


def _shifted(spread: Distribution, offset: float) -> dict[str, Any]:
    table = spread.to_dict()
    ends = {"uniform": ("low", "high"), "constant": ("value",)}.get(spread.family)
    if ends is None:
        allowed = f"cannot be searched: neuron.bias = {table} is neither uniform nor constant"
        raise InputError("vary", "bias", allowed)
    return table | {end: float(f"{table[end] + offset:.6g}") for end in ends}
