"""What the encoder makes of an input, in numpy: for runs by currents and for Brian scripts.

The same as `equations.ENCODER`, whose tuning curve is evaluated here.
"""

import numpy as np

from hrsnn_brian.network.network import Network
from hrsnn_brian.simulation.drive import FloatArray
from hrsnn_brian.simulation.equations import TUNING


def projected_input(network: Network, trials: FloatArray) -> FloatArray:
    """Inputs (..., D) along each neuron's direction: x (..., N)."""
    return trials @ network.directions(trials.shape[-1]).T


def tuned(network: Network, x: FloatArray) -> FloatArray:
    """The tuning curves at projected inputs x (..., N), values in 0 .. 1."""
    known = {"x": x, "center": network.center, "width": network.params.encoder.width}
    return np.asarray(eval(TUNING, {"__builtins__": {}, "exp": np.exp}, known))


def encoded(network: Network, trials: FloatArray) -> FloatArray:
    """Currents (..., N) that the encoder makes of inputs (..., D), see `EncoderParams`.

    Of Poisson input its mean, before the filter.
    """
    x = projected_input(network, trials)
    encoder = network.params.encoder
    return encoder.gain * (x if encoder.kind == "current" else tuned(network, x))
