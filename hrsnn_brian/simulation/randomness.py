"""Frozen noise: random numbers that are a function of (stream, step, neuron), not of any state.

The same three numbers give the same value on every device, in any order, for any number of
workers or neurons, in closed loop as well as open: nothing has to be stored or replayed. The
mixing is the finaliser of splitmix64 (Steele, Lea & Flood 2014), applied once per input word.
`stream` is a whole number below 2**53, carried as a double.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))

CYTHON_CODE = """
cdef unsigned long long _hrsnn_mix(unsigned long long z) nogil:
    z = z + <unsigned long long>0x9E3779B97F4A7C15
    z = (z ^ (z >> 30)) * <unsigned long long>0xBF58476D1CE4E5B9
    z = (z ^ (z >> 27)) * <unsigned long long>0x94D049BB133111EB
    return z ^ (z >> 31)

cdef double {name}({arguments}double stream, long long step, long long neuron) nogil:
    cdef unsigned long long z
    z = _hrsnn_mix(_hrsnn_mix(_hrsnn_mix(<unsigned long long>stream) ^ <unsigned long long>step)
                   ^ <unsigned long long>neuron)
    {body}
"""
CYTHON_PARTS = {
    "frozen_uniform": ("", "return <double>(z >> 11) * 1.1102230246251565e-16"),
    "white_noise": (
        "double sd, ",
        "return sd * _hrsnn_sqrt(-2.0 * _hrsnn_log((<double>(z >> 11) + 0.5)"
        " * 1.1102230246251565e-16)) * _hrsnn_cos(6.283185307179586"
        " * <double>(_hrsnn_mix(z) >> 11) * 1.1102230246251565e-16)",
    ),
}
CYTHON_IMPORTS = """
from libc.math cimport sqrt as _hrsnn_sqrt, log as _hrsnn_log, cos as _hrsnn_cos
"""


def _mix(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    with np.errstate(over="ignore"):
        z = z + _GOLDEN
        z = (z ^ (z >> np.uint64(30))) * _MIX[0]
        z = (z ^ (z >> np.uint64(27))) * _MIX[1]
    return z ^ (z >> np.uint64(31))


def _hash(stream: ArrayLike, step: ArrayLike, neuron: ArrayLike) -> NDArray[np.uint64]:
    words = [np.asarray(w).astype(np.int64).astype(np.uint64) for w in (stream, step, neuron)]
    return _mix(_mix(_mix(words[0]) ^ words[1]) ^ words[2])


def frozen_uniform(stream: ArrayLike, step: ArrayLike, neuron: ArrayLike) -> NDArray[np.float64]:
    """Uniform numbers in [0, 1); the arguments broadcast. Source: our choice."""
    return np.asarray((_hash(stream, step, neuron) >> np.uint64(11)) * 2.0**-53)


def white_noise(
    sd: ArrayLike, stream: ArrayLike, step: ArrayLike, neuron: ArrayLike
) -> NDArray[np.float64]:
    """Normal numbers of standard deviation sd (Box-Muller on two hashes); arguments broadcast."""
    z = _hash(stream, step, neuron)
    radius = np.sqrt(-2.0 * np.log(((z >> np.uint64(11)) + 0.5) * 2.0**-53))
    return sd * radius * np.cos(2 * np.pi * (_mix(z) >> np.uint64(11)) * 2.0**-53)
