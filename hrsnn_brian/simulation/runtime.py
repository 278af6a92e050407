"""Run a scene on Brian's numpy or cython target: no compiled program, the same model."""

import gc
from collections.abc import Mapping
from typing import Any

import brian2 as b2
import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.simulation import randomness
from hrsnn_brian.simulation.copies import build_copies
from hrsnn_brian.simulation.copies_runtime import Observer, connect_copies
from hrsnn_brian.simulation.generate import GROUPS, SYNAPSES, run_time_arrays
from hrsnn_brian.simulation.model import Model, build_model
from hrsnn_brian.simulation.own_brian import own_brian
from hrsnn_brian.simulation.shape import ModelShape, PerturbedShape


def runtime_functions(scene: Mapping[str, NDArray]) -> dict[str, Any]:
    """Stimulus, free flags and frozen noise as Brian functions over the scene's arrays."""
    sample = float(scene["sample"][0]) * b2.second
    shape = (int(scene["stimulus_rows"][0]), int(scene["stimulus_columns"][0]))
    return {
        "stimulus": b2.TimedArray(scene["stimulus"].reshape(shape), dt=sample),
        "free": b2.TimedArray(scene["free"], dt=sample),
        "frozen_uniform": _noise_function("frozen_uniform"),
        "white_noise": _noise_function("white_noise"),
    }


def _noise_function(name: str) -> b2.Function:
    arguments, body = randomness.CYTHON_PARTS[name]
    made = b2.Function(
        getattr(randomness, name),
        arg_units=[1] * (4 if arguments else 3),
        return_unit=1,
        stateless=True,
    )
    code = randomness.CYTHON_CODE.format(name=f"_hrsnn_{name}", arguments=arguments, body=body)
    made.implementations.add_implementation(
        "cython", randomness.CYTHON_IMPORTS + code, name=f"_hrsnn_{name}"
    )
    return made


def run_on_target(
    target: str, shape: ModelShape, scene: Mapping[str, NDArray]
) -> dict[str, NDArray]:
    """Simulate a scene with Brian's runtime device; target is "numpy" or "cython".

    Returns the same arrays as a compiled program writes.
    """
    gc.collect()  # the names of an earlier run's objects become free
    with own_brian(target):
        return _run(shape, scene)


def _run(shape: ModelShape, scene: Mapping[str, NDArray]) -> dict[str, NDArray]:
    sizes: dict[str, Any] = {"n_channels": int(scene["stimulus_columns"][0])}
    sizes |= {key: float(scene[key][0]) for key in ("dt", "sample")}
    functions, n = runtime_functions(scene), int(scene["n_active"][0])
    if isinstance(shape, PerturbedShape):
        cells = int(scene["n_cells"][0])
        model = build_copies(shape, functions, n_cells=cells, n_total=n, **sizes)
        connect_copies(model, scene)
    else:
        delay = float(scene[f"{shape.pathways[0][0]}.delay"][0])
        model = build_model(shape, functions, n_neurons=n, delay=delay, **sizes)
    for role in SYNAPSES:
        if role in model.objects and f"{role}._synaptic_pre" in scene:
            _connect(model[role], role, scene)
    for role in GROUPS:
        if role in model.objects:
            for name, variable in run_time_arrays(model[role]):
                values = _values(scene, role, name)
                variable.set_value(values[0] if variable.scalar else values[: variable.size])
    for switch, objects in model.optional().items():
        for item in objects:
            item.active = scene[switch][0] != 0
    duration = float(scene["duration"][0]) * b2.second
    if isinstance(shape, PerturbedShape):
        observer = Observer(model, scene)
        model.network.add(observer.operation())
        model.network.run(duration)
        result = observer.result() | {"spike_count": np.array(model["counts"].count[:])}
    else:
        model.network.run(duration)
        result = _recorded(model)
    return result | {"steps": np.atleast_1d(b2.defaultclock.timestep[:])}


def _values(scene: Mapping[str, NDArray], role: str, name: str) -> NDArray:
    """An array of the scene; neurons that come in copies share that of their cell."""
    key = f"{role}.{name}" if f"{role}.{name}" in scene else f"cells.{name}"
    copies = int(scene["copies"][0]) if role == "neurons" and "copies" in scene else 1
    return np.repeat(scene[key], copies)


def _connect(synapses: b2.Synapses, role: str, scene: Mapping[str, NDArray]) -> None:
    pre, post = scene[f"{role}._synaptic_pre"], scene[f"{role}._synaptic_post"]
    if pre.size == 0:
        synapses.active = False
        return
    synapses.connect(i=pre, j=post)
    for name, variable in run_time_arrays(synapses):
        variable.set_value(scene[f"{role}.{name}"])


def _recorded(model: Model) -> dict[str, NDArray]:
    spikes, states = model["spikes"], model["states"]
    result: dict[str, NDArray] = {
        "spike_count": np.array(model["counts"].count[:], dtype=np.int32),
        "spike_i": np.array(spikes.i[:], dtype=np.int32),
        "spike_t": np.array(spikes.t_[:]),
    }
    for name in model.shape.state_names:
        result[f"states.{name}"] = np.array(getattr(states, f"{name}_")).T.ravel()
    if model.shape.has_channels:
        result["predictions.u"] = np.array(model["predictions"].u_).T.ravel()
    return result
