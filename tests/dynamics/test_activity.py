"""Silent and saturated networks are warned about, with the share of neurons at the ceiling."""

import json
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

import hrsnn_brian as hb
import hrsnn_brian.evaluation.evaluate as evaluation
from hrsnn_brian.cli import prune_command
from hrsnn_brian.cli.description import activity_noted
from hrsnn_brian.cli.main import main
from hrsnn_brian.dynamics.cost import ActivityWarning, activity_warning, saturated_fraction
from hrsnn_brian.dynamics.probe import noise_covariance
from hrsnn_brian.network.network import Network
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.network.presets import load_preset
from hrsnn_brian.simulation import Drive, Engine, simulate
from hrsnn_brian.tasks.task import Task


def network(*settings: str) -> Network:
    return hb.build_network(load_preset("default", ["N=40", *settings]), 1)


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return replace(hb.own_series_task(series(tmp_path), "x"), vpt=None)


def series(folder: Path) -> str:
    path = folder / "own.csv"
    path.write_text("\n".join(["x", *map(str, np.sin(np.arange(400) / 5))]))
    return str(path)


def test_neurons_at_the_ceiling_are_those_refractory_for_more_than_half_of_the_time() -> None:
    counts = np.array([0, 499, 500, 501, 1000])  # in 2 s, ceiling 500 Hz: above 250 Hz
    assert saturated_fraction(counts, 2.0, 500.0) == 0.4
    assert "40% of the neurons" in str(activity_warning(counts, 2.0, 500.0))
    share = np.repeat([0, 1000], [95, 5])
    assert activity_warning(share, 2.0, 500.0) is None
    share[0] = 1000
    assert "6% of the neurons" in str(activity_warning(share, 2.0, 500.0))
    assert "silent" in str(activity_warning(np.zeros(3), 2.0, 500.0))


@pytest.mark.parametrize(("t_ref", "ceiling"), [("2 ms", 500.0), ("5 ms", 200.0), ("0 ms", 1000.0)])
def test_no_neuron_exceeds_the_ceiling_and_strong_input_reaches_it(
    numpy_engine: Engine, t_ref: str, ceiling: float
) -> None:
    params = load_preset("default", ["N=40", f"t_ref={t_ref}", "bias=1000", "J=0"])
    assert params.ceiling_hz == pytest.approx(ceiling)
    drive = Drive(np.zeros((50, 1)), seed=0)
    recording = simulate(numpy_engine, hb.build_network(params, 1), drive)
    assert recording.spike_count.min() == recording.spike_count.max()
    assert recording.rate_hz == pytest.approx(ceiling, rel=0.01)
    assert HRSNNParams(timing={"dt": "0.1 ms"}, neuron={"t_ref": "0 ms"}).ceiling_hz == 1e4


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("bias", "said", "share"), [("300", "saturated: 100%", 1.0), ("-50", "silent", 0.0)]
)
def test_python_warns(
    compiled_engine: Engine, task: Task, bias: str, said: str, share: float
) -> None:
    net = network(f"bias={bias}")
    with pytest.warns(ActivityWarning, match=said) as found:
        result = hb.evaluate(net, task, engine=compiled_engine, controls=False)
    (warning,) = [w for w in found if w.category is ActivityWarning]
    assert warning.filename == __file__
    assert result.saturated_fraction == share
    assert "saturated_fraction" not in result.primary()  # tables keep their columns


@pytest.mark.compiled
def test_a_healthy_network_and_a_silent_covariance_are_not_warned_about(
    compiled_engine: Engine, task: Task
) -> None:
    engine = compiled_engine
    with warnings.catch_warnings():
        warnings.simplefilter("error", ActivityWarning)
        assert (
            hb.evaluate(network(), task, engine=engine, controls=False).saturated_fraction <= 0.05
        )
        assert not noise_covariance(network("bias=-50"), engine, 0, 0.5).any()
    with pytest.warns(ActivityWarning, match="saturated"):
        noise_covariance(network("bias=300"), engine, 0, 0.5)


@pytest.mark.compiled
def test_commands_note_saturation_and_give_the_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(evaluation, "_run_freely", lambda *_: ())
    monkeypatch.setattr(prune_command, "NOISE_SECONDS", 0.5)
    series(tmp_path)
    assert main(["build", "--set", "N=40", "--set", "bias=300", "--out", "hot.npz"]) == 0
    for words in (
        ["evaluate", "hot.npz", "--data", "own.csv", "--column", "x"],
        ["prune", "hot.npz", "--keep", "0.5", "--method", "magnitude", "--out", "a.npz"],
    ):
        capfd.readouterr()
        assert main([*words, "--json"]) == 0
        out, err = capfd.readouterr()
        assert json.loads(out)["saturated_fraction"] == 1.0
        assert err.count("warning: the network is saturated: 100% of the neurons") == 1
        assert "ActivityWarning" not in err


def test_a_note_is_given_once_and_other_warnings_stay(capfd: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        with activity_noted():
            for text in ("one", "one", "two"):
                warnings.warn(text, ActivityWarning, stacklevel=1)
            warnings.warn("another", UserWarning, stacklevel=1)

    with pytest.warns(UserWarning, match="another") as found:
        work()
    assert len(found) == 1
    assert capfd.readouterr().err == "warning: one\nwarning: two\n"


_FRESH = """
import warnings
from hrsnn_brian.cli.description import activity_noted
from hrsnn_brian.dynamics.cost import ActivityWarning
from hrsnn_brian.simulation import Engine
engine = Engine("numpy")
with activity_noted():
    from hrsnn_brian.simulation import runtime  # what the first run imports
    warnings.warn("one", ActivityWarning)
"""


def test_the_first_import_of_brian_does_not_take_the_notes(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _FRESH], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert ran.stderr == "warning: one\n"


def test_build_says_how_strong_a_matrix_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """16 inputs of 0.4 are J = 1.6 by J/sqrt(K); of J = 0.4 by the same scale, 0.1."""
    monkeypatch.chdir(tmp_path)
    drawn = network("K=16", "family=constant", "J=0.4", "g=5")
    sparse.save_npz("w.npz", drawn.W * 4)
    words = ["build", "--set", "graph.kind=matrix", "--set", "graph.matrix=w.npz", "--json"]
    assert main([*words, "--out", "a.npz"]) == 0
    out, err = capfd.readouterr()
    facts = json.loads(out)
    assert facts["weights"] == pytest.approx(
        {"K": 16, "weight_e": 0.4, "weight_i": -2.0, "J": 1.6, "g": 5.0}
    )
    assert facts["parameters"]["weights"] == {}
    assert "matrix as given: J = 1.6, g = 5" in err
    assert "mean weights 0.4 (E) and -2 (I), in-degree 16" in err
    assert "preset default: J = 0.1, g = 6" in err
    assert "the weights of W are 16 times those of preset default" in err
    assert main([*words, "--set", "graph.scale=J/sqrt(K)", "--out", "a.npz"]) == 0
    err = capfd.readouterr().err
    assert "matrix divided by sqrt(K): J = 0.4, g = 5" in err
    assert "warning" not in err
    assert main([*words, "--set", "graph.scale=1.5", "--out", "a.npz"]) == 0
    assert "matrix scaled to spectral radius 1.5" in capfd.readouterr().err
    np.save("e.npy", np.array([[0.0, 0.1], [0.1, 0]]))
    assert main([*words, "--set", "graph.matrix=e.npy", "--out", "a.npz"]) == 0
    assert "J = 0.1, g = none" in capfd.readouterr().err
