"""Parameters of networks: units, distributions, the model's dataclasses, presets, overrides."""

from hrsnn_brian.parameters.distributions import (
    Constant,
    Distribution,
    Gamma,
    Lognormal,
    Uniform,
    distribution_from_dict,
)
from hrsnn_brian.parameters.model import (
    EncoderParams,
    GraphParams,
    HRSNNParams,
    NeuronParams,
    SynapseParams,
    TimingParams,
    WeightParams,
)
from hrsnn_brian.parameters.overrides import apply_overrides
from hrsnn_brian.parameters.presets import list_presets, load_preset
from hrsnn_brian.parameters.units import hertz, seconds

__all__ = [
    "Constant",
    "Distribution",
    "EncoderParams",
    "Gamma",
    "GraphParams",
    "HRSNNParams",
    "Lognormal",
    "NeuronParams",
    "SynapseParams",
    "TimingParams",
    "Uniform",
    "WeightParams",
    "apply_overrides",
    "distribution_from_dict",
    "hertz",
    "list_presets",
    "load_preset",
    "seconds",
]
