"""The model of one network on one screen: its equations as Brian is given them, its parameters."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.network.network import Network
from hrsnn_brian.settings.fields import Checked
from hrsnn_brian.settings.section import checked_fields
from hrsnn_brian.simulation import equations as text
from hrsnn_brian.simulation.drive import Drive
from hrsnn_brian.simulation.scene import encoder_arrays, network_shape, neuron_parameters
from hrsnn_brian.simulation.shape import ModelShape

# Symbols that are not called like the setting they come from, and what they then are.
_SETTINGS = {
    "refractory_steps": ("neuron.t_ref", "time steps of the refractory period"),
    "kick": ("encoder.gain", "jump of I_shot: gain/(rate_max*tau_in)"),
    "w_e": ("weights.J", "w from excitatory neurons, the jump of a current per spike"),
    "w_i": ("weights.g", "w from inhibitory neurons; of one current with its sign"),
    "sd": ("neuron.noise", "white noise added to each input (measurements add to it)"),
}
_KEYS = ("stream", "neuron_id", "intercept")  # of random streams, and what a readout brings
_UNITS = {"second": ("ms", 1e3), "Hz": ("Hz", 1.0), "1": ("1", 1.0), "integer": ("1", 1.0)}
_DECLARED = re.compile(r"^(\w+) : (\w+) \(.*constant.*\)$", re.MULTILINE)


@dataclass(frozen=True)
class Parameter:
    """A symbol of the equations: mean, sd and range over neurons or synapses, in `unit`.

    grade: whose choice its law or value is by default, "" for what is no setting.
    """

    symbol: str
    mean: float
    sd: float
    low: float
    high: float
    unit: str
    grade: str
    meaning: str


def model_equations(network: Network) -> dict[str, dict[str, str]]:
    """The arguments of every Brian object of this network, by its name."""
    shape = _shape(network)
    declarations, statements = text.encoder_equations(shape)
    neurons = {"equations": text.neuron_equations(shape), "threshold": text.THRESHOLD}
    neurons["reset"] = text.reset_statements(shape)
    if shape.refractory:
        neurons["refractory"] = text.REFRACTORY
    if shape.encoding == "poisson":
        neurons["every step"] = text.POISSON_KICKS
    found = {"neurons": neurons}
    for name, current in shape.pathways:
        found[name] = _synapses(current)
        if any(entry.get("operation") == "train" for entry in network.history):
            found[f"{name}, as trained"] = _synapses(current, plastic=True)
    return found | {
        "channels": dict(zip(("equations", "every sample"), text.CHANNELS, strict=True)),
        "projection": {"equations": text.PROJECTION},
        "encoder": {"equations": declarations, "every sample": statements},
        "readout": {"equations": text.readout_equations(shape)},
        "feedback": {"equations": text.FEEDBACK},
        "squares": {"equations": text.SUMS},
        "sums": {"equations": text.sum_equations(shape)},
        "squared": {"equations": text.SQUARED},
    }


def _synapses(current: str, plastic: bool = False) -> dict[str, str]:
    arguments = text.synapse_equations(current, plastic)
    return {"equations": arguments.pop("model"), **arguments}


def step_order(network: Network) -> list[str]:
    """What happens in the first time step of a sample, in order."""
    poisson = _shape(network).encoding == "poisson"
    steps = [meaning for name, meaning in text.STEPS.items() if poisson or name != "kicks"]
    return [*steps, *text.SLOTS]


def model_parameters(network: Network) -> list[Parameter]:
    """A row for every constant of the equations, with the values of this very network."""
    shape, drive, timing = _shape(network), Drive(np.zeros((1, 1))), network.params.timing
    values = {f"neurons.{k}": v for k, v in neuron_parameters(network, drive, shape).items()}
    values |= encoder_arrays(network, drive, shape)
    rows = [
        _row(network, name, values[f"{role}.{name}"], unit)
        for role, parts in model_equations(network).items()
        if role in ("neurons", "encoder")
        for name, unit in _DECLARED.findall(parts["equations"])
        if name not in _KEYS
    ]
    w, sign = network.W.data, -1 if shape.currents == "two" else 1
    rows += [_row(network, "w_e", w[w > 0], "1"), _row(network, "w_i", sign * w[w < 0], "1")]
    for name, time in (("delay", network.params.synapse.delay), ("dt", timing.dt)):
        rows.append(_row(network, name, np.array([time]), "second"))
    return [*rows, _row(network, "sample", np.array([timing.sample]), "second")]


def _shape(network: Network) -> ModelShape:
    return network_shape(network, Drive(np.zeros((1, 1))))


def _row(network: Network, symbol: str, values: NDArray[Any], unit: str) -> Parameter:
    """Numbers of `values`, in SI units, as a row. NaN where there are none."""
    name, factor = _UNITS[unit]
    scaled = np.asarray(values, dtype=float) * factor
    mean = sd = low = high = math.nan
    if scaled.size:
        low, high = float(scaled.min()), float(scaled.max())
        mean, sd = (low, 0.0) if low == high else (float(scaled.mean()), float(scaled.std()))
    path, meaning = _SETTINGS.get(symbol, (symbol, ""))
    path = "timing.traces" if symbol.startswith("tau_s") else path
    found = [f for known, f in _settings(network) if path in (known, known.rpartition(".")[2])]
    grade = found[0].grade if found else ""
    meaning = meaning or (found[0].meaning if found else "")
    return Parameter(symbol, mean, sd, low, high, name, grade, meaning)


def _settings(network: Network) -> Iterator[tuple[str, Checked[Any]]]:
    """(section.name, field) of every setting of a network."""
    for section, part in checked_fields(type(network.params)):
        if hasattr(part, "kind"):
            for name, field in checked_fields(part.kind):
                yield f"{section}.{name}", field
