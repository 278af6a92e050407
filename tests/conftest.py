"""Shared fixtures: small networks, engines, and a program cache the whole session shares."""

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from hrsnn_brian.network.network import Network
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.simulation import Engine


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Each worker begins with a stretch of whole files, and who is done takes over from the other.

    xdist's own way deals the tests out in turn: what a module makes once is made by every worker,
    and neighbours that need the same program wait for each other's build.
    """
    if config.getoption("dist") != "load":
        return None
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)


@pytest.fixture(scope="session", autouse=True)
def _program_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Programs are built once per test session, and never found from an earlier one."""
    if "HRSNN_TEST_CACHE" in os.environ:
        os.environ["HRSNN_CACHE"] = os.environ["HRSNN_TEST_CACHE"]
        return
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    os.environ["HRSNN_CACHE"] = str(shared / "programs")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout; a test that needs it skips without."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real data sets are not beside this checkout")
    return folder


@pytest.fixture
def numpy_engine() -> Engine:
    return Engine("numpy")


@pytest.fixture
def compiled_engine() -> Engine:
    return Engine("standalone")


@pytest.fixture
def cython_unoptimised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Brian's cython target compiles some thirty modules; a few steps of each need no -O3."""
    module = import_module("brian2.codegen.runtime.cython_rt.cython_rt")
    monkeypatch.setattr(module, "get_compiler_and_args", lambda: ("unix", ["-w", "-O0"]))


@pytest.fixture
def hand_made() -> Callable[..., Network]:
    """A network from explicit arrays: `hand_made(W, bias=..., tau_m=..., **parameter tables)`."""

    def make(W: np.ndarray, **values: object) -> Network:
        n = len(W)
        neuron = {"t_ref": "0 ms", **dict(values.pop("neuron", {}))}
        tables = {
            name: values.pop(name)
            for name in ("synapse", "encoder", "timing", "graph")
            if name in values
        }
        params = HRSNNParams.from_dict({"N": n, "neuron": neuron, **tables})
        columns = np.asarray(W).sum(axis=0)
        arrays = {
            "tau_m": 20e-3,
            "tau_e": 5e-3,
            "tau_i": 5e-3,
            "v_th": 1.0,
            "bias": 0.0,
            "center": 0.0,
        } | values
        return Network(
            W=sparse.csr_array(np.asarray(W, dtype=float)),
            is_e=columns >= 0,
            cluster=np.zeros(n, dtype=int),
            neuron_id=np.arange(n),
            params=params,
            seed=0,
            n_original=n,
            synapses_original=int(np.count_nonzero(W)),
            **{k: np.broadcast_to(np.asarray(v, dtype=float), n) for k, v in arrays.items()},
        )

    return make
