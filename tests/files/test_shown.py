"""What objects say of themselves, in text and in notebooks."""

import numpy as np
import pytest

from hrsnn_brian.dynamics.echo import InputEcho
from hrsnn_brian.dynamics.exponents.result import SpectrumResult
from hrsnn_brian.evaluation.evaluate import evaluate
from hrsnn_brian.files.shown import ROWS
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.pruning.prune import prune
from hrsnn_brian.pruning.size import Size
from hrsnn_brian.simulation import Engine
from hrsnn_brian.tasks.registry import get_task


@pytest.fixture(scope="module")
def network():
    return build_network(HRSNNParams(N=40), seed=2)


def test_a_network_says_its_size_and_what_was_done_to_it(network):
    pruned = prune(network, "random raw", Size(keep=0.5), engine=Engine("numpy"))
    text = repr(pruned.network)
    assert text.startswith("<Network: neurons 40 (32 E, 8 I), synapses 80, keep 0.5")
    assert "history synapses" in text
    assert "history none" in repr(network)
    assert "<th style='text-align:left'>synapses</th>" in pruned.network._repr_html_()
    assert len(pruned.frame()) == len(pruned.history)
    assert repr(pruned.network) in repr(pruned)


def test_results_are_data_frames():
    nan = np.full(2, np.nan)
    history, times = np.zeros((3, 2)), np.arange(3)
    found = SpectrumResult(np.array([-1.0, -2.0]), np.array([0.1, 0.2]), history, times, 0.0, 0.0)
    assert found.frame()["exponent"].tolist() == [-1.0, -2.0]
    assert "-1 +- 0.1, -2 +- 0.2" in repr(found)
    failed = SpectrumResult(nan, nan, history, times, None, None, flags=("rounding <b>",))
    assert "flags rounding" in repr(failed)
    assert "<b>" not in failed._repr_html_()
    echo = InputEcho(0.5, 0.01, np.ones(ROWS + 5), 12.0)
    assert repr(echo) == "<InputEcho: S 0.5 +- 0.01, rate_hz 12>"
    assert f"{ROWS + 5} rows" in echo._repr_html_()


@pytest.mark.compiled
def test_tasks_engines_and_evaluations(network):
    engine, task = Engine(), get_task("wind", 1)
    assert "wind" in repr(task)
    assert "device standalone" in repr(engine)
    found = evaluate(network, task, engine=engine, seed=1, readouts="spikes", controls=False)
    assert found.frame()["nrmse_h1"].tolist() == [found.primary()["nrmse_h1"]]
    assert "task wind" in repr(found)
    assert "nrmse_h1" in found._repr_html_()
    assert len(repr(found)) < 200
