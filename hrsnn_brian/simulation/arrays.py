"""Named arrays in one file: the format in which programs read scenes and write results."""

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import EngineError

Arrays = dict[str, NDArray]

# What programs write is double precision but for these.
_RESULT_TYPES = {"spike_count": np.int32, "spike_i": np.int32}


def write_arrays(path: Path, arrays: Mapping[str, NDArray]) -> None:
    """Write named arrays in the record format of scene.h."""
    with path.open("wb") as file:
        for name, array in arrays.items():
            data = np.ascontiguousarray(array)
            encoded = name.encode()
            file.write(
                struct.pack(f"=i{len(encoded)}siq", len(encoded), encoded, data.itemsize, data.size)
            )
            file.write(data.data)  # tofile would not say why it fails


def read_arrays(path: Path) -> Arrays:
    """Read the arrays a program wrote."""
    arrays: Arrays = {}
    with path.open("rb") as file:
        while head := file.read(4):
            name = file.read(struct.unpack("=i", head)[0]).decode()
            size, count = struct.unpack("=iq", file.read(12))
            dtype = np.dtype(_RESULT_TYPES.get(name, np.float64))
            if dtype.itemsize != size:
                raise EngineError(f"result {name!r} has items of {size} bytes")
            arrays[name] = np.fromfile(file, dtype=dtype, count=count)
            if arrays[name].size != count:
                raise EngineError(f"result {name!r} is cut short")
    return arrays
