"""Run a scene on Brian's numpy or cython target: no compiled program, the same model."""

import gc
from collections.abc import Mapping
from typing import Any

import brian2 as b2
import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.simulation import randomness
from hrsnn_brian.simulation.copies import Sizes, build_copies
from hrsnn_brian.simulation.copies_runtime import Observer
from hrsnn_brian.simulation.main_code import GROUPS, SYNAPSES, run_time_arrays
from hrsnn_brian.simulation.model import Model, build_model
from hrsnn_brian.simulation.own_brian import own_brian
from hrsnn_brian.simulation.scene import projection_arrays
from hrsnn_brian.simulation.shape import CopiesShape, ModelShape, PerturbedShape


def runtime_functions(scene: Mapping[str, NDArray]) -> dict[str, Any]:
    """Stimulus, free flags and frozen noise as Brian functions over the scene's arrays."""
    sample = float(scene["sample"][0]) * b2.second
    shape = (int(scene["stimulus_rows"][0]), int(scene["stimulus_columns"][0]))
    return {
        "stimulus": b2.TimedArray(scene["stimulus"].reshape(shape), dt=sample),
        "free": b2.TimedArray(scene["free"], dt=sample),
        "frozen_uniform": noise_function("frozen_uniform"),
        "white_noise": noise_function("white_noise"),
    }


def noise_function(name: str) -> b2.Function:
    """Frozen noise for equations on Brian's own targets, see `randomness`."""
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
    if "input_directions" in scene:  # a batch brings them as a matrix (N, D)
        cells = int(scene["n_cells"][0])
        scene = {**scene, **projection_arrays(scene["input_directions"].reshape(cells, -1))}
    gc.collect()  # the names of an earlier run's objects become free
    with own_brian(target):
        return _run(shape, scene)


def _run(shape: ModelShape, scene: Mapping[str, NDArray]) -> dict[str, NDArray]:
    times = {key: float(scene[key][0]) for key in ("dt", "sample", "delay")}
    functions, n = runtime_functions(scene), int(scene["n_active"][0])
    channels = int(scene["stimulus_columns"][0])
    if isinstance(shape, CopiesShape):
        sizes = Sizes(int(scene["n_cells"][0]), n, channels)
        model = build_copies(shape, functions, sizes, **times)
    else:
        model = build_model(shape, functions, n, channels, **times)
    for role in SYNAPSES:
        if role in model.objects and f"{role}._synaptic_pre" in scene:
            _connect(model[role], role, scene)
    for role in GROUPS:
        if role in model.objects:
            for name, variable in run_time_arrays(model[role]):
                key = f"{role}.{name}" if f"{role}.{name}" in scene else f"cells.{name}"
                values = scene[key]  # neurons that come in copies share those of their cell
                repeated = np.repeat(values, variable.size // values.size)
                variable.set_value(values[0] if variable.scalar else repeated)
    for switch, objects in model.optional().items():
        for item in objects:
            item.active = scene[switch][0] != 0
    duration = float(scene["duration"][0]) * b2.second
    if isinstance(shape, PerturbedShape):
        observer = Observer(model, scene)
        model.network.add(observer.operation())
        model.network.run(duration)
        result = observer.result()
    else:
        model.network.run(duration)
        result = _recorded(model)
        if "recorded" in scene:
            kept = np.flatnonzero(scene["recorded"]) + 1  # row 0 came before the first sample
            result = {k: v.reshape(-1, n)[kept].ravel() for k, v in result.items()}
    result["spike_count"] = np.array(model["counts"].count[:], dtype=np.int32)
    return result | {"steps": np.atleast_1d(b2.defaultclock.timestep[:])}


def _connect(synapses: b2.Synapses, role: str, scene: Mapping[str, NDArray]) -> None:
    """Connect as the scene says, each copy by synapses of its own where both ends have copies."""
    pre, post = scene[f"{role}._synaptic_pre"], scene[f"{role}._synaptic_post"]
    if pre.size == 0:
        synapses.active = False
        return
    copies = int(scene["copies"][0]) if _has_copies(role, scene) else 1
    copy = np.arange(copies)
    synapses.connect(
        i=(pre[:, None] * copies + copy).ravel(), j=(post[:, None] * copies + copy).ravel()
    )
    for name, variable in run_time_arrays(synapses):
        variable.set_value(np.repeat(scene[f"{role}.{name}"], copies))


def _has_copies(role: str, scene: Mapping[str, NDArray]) -> bool:
    return "copies" in scene and (role != "projection" or "recorded" in scene)


def _recorded(model: Model) -> dict[str, NDArray]:
    result: dict[str, NDArray] = {}
    if "spikes" in model.objects:
        spikes = model["spikes"]
        result["spike_i"] = np.array(spikes.i[:], dtype=np.int32)
        result["spike_t"] = np.array(spikes.t_[:])
    for name, monitor in model.monitors.items():
        result[f"states.{name}"] = np.array(getattr(monitor, f"{name}_")).T.ravel()
    for role, _ in model.shape.pathways if model.shape.plastic else ():
        result[f"{role}.w"] = np.array(model[role].w[:])
    if "predictions" in model.objects:
        result["predictions.u"] = np.array(model["predictions"].u_).T.ravel()
    return result
