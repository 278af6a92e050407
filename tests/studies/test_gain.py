"""The study of the gain: its points, the gain that the echo chooses, its figure."""

import math

import numpy as np
import pytest
from scores import nrmse_84, vpt

from hrsnn_brian.errors import InputError, TableError
from hrsnn_brian.evaluation import evaluate
from hrsnn_brian.figures.gain import draw
from hrsnn_brian.files.columns import FULL, PRUNED, identity
from hrsnn_brian.files.tables import Table
from hrsnn_brian.runs.study import load_study, resolve_options
from hrsnn_brian.studies import gain as study

SMALL = ("seeds=1", "network.N=40", "tasks=mackey-glass-84", "gains=1,2")


def points(*settings, seed=3):
    found = resolve_options(load_study("gain"), "quick", [*SMALL, *settings])
    return study.points(found, seed)


def test_every_recipe_has_a_point_per_size_and_the_unpruned_network_one():
    found = points("seeds=2", "keep=1,0.5,0.1", "recipes=random variance,frugal")
    assert [(p["seed"], p["recipe"], p["keep"]) for p in found[:5]] == [
        (3, FULL, 1.0),
        (3, "random variance", 0.5),
        (3, "random variance", 0.1),
        (3, "frugal", 0.5),
        (3, "frugal", 0.1),
    ]
    assert len(found) == 10
    assert {p["recipe"] for p in points("keep=0.1")} == {"random variance"}
    for setting, message in (
        ("recipes=activity", "activity"),  # it needs a task, and then has a network for each
        ("recipes=random neurons", "neuron_fraction = 1.0: recipe 'random neurons' chooses"),
        ("gains=0", "gain"),
        ("gains=fast", "gain"),
        ("keep=2", "keep"),
    ):
        with pytest.raises(InputError, match=message):
            points(setting)


class Loudness:
    """Measures that are functions of the weights: S = strength of the mean weight squared."""

    engine, seed = None, 3

    def __init__(self, *given):
        self.lambda_1_error = self.common_lambda_1_error = self.common_growth_error = 0.0
        self.echo_error = 0.0

    def echo(self, network):
        return float(np.abs(network.W.data).sum() / 100) ** 1.4

    def rate_hz(self, network):
        return 20 * math.exp(float(network.bias.mean()) + np.abs(network.W.data).sum() / 1000)

    def lambda_1(self, network):
        return -9.0

    growth = common_lambda_1 = common_growth = lambda_1


def test_the_echo_finds_the_gain_and_rates_are_restored(monkeypatch):
    measured = []

    def rows(network, task, name, engine, seed, readouts):
        measured.append(network)
        score = {"nrmse_h84": nrmse_84(0.1)}
        return [identity(name, seed=seed, task=task.name, readout=r) | score for r in readouts]

    monkeypatch.setattr("hrsnn_brian.dynamics.probe.Measurements", Loudness)
    monkeypatch.setattr(evaluate, "network_rows", rows)
    raw, echo = "recipes=random raw", Loudness()
    found = [row for point in points("keep=1,0.5", raw) for row in study.run(point, None)]
    assert [(r["network"], r[study.RULE], r["keep"]) for r in found] == [
        *((FULL, "fixed", 1.0) for _ in range(2)),
        *((PRUNED, rule, 0.5) for rule in ("fixed", "fixed", "echo")),
    ]
    assert [r[study.GAIN] for r in found[:4]] == [1.0, 2.0, 1.0, 2.0]
    full = measured[0]
    assert found[4]["input_echo"] == pytest.approx(echo.echo(full), rel=0.13)
    assert 1.5 < found[4][study.GAIN] < 3  # half of the synapses, by lot
    for network in measured:
        assert echo.rate_hz(network) == pytest.approx(echo.rate_hz(full), rel=0.02)
    halved = np.abs(measured[2].W.data)
    np.testing.assert_allclose(np.abs(measured[3].W.data), 2 * halved)
    text = study.summary(Table(found))
    assert "mackey-glass-84, random raw, 50 % of the synapses" in text
    assert "gain 2" in text


def test_an_echo_out_of_reach_is_a_row_that_says_so(monkeypatch):
    monkeypatch.setattr("hrsnn_brian.dynamics.probe.Measurements", Loudness)
    monkeypatch.setattr(
        evaluate, "network_rows", lambda *_: [identity(PRUNED, seed=3, task="mackey-glass-84")]
    )
    monkeypatch.setattr(Loudness, "rate_hz", lambda self, network: 20.0)
    (point,) = points("keep=0.02", "recipes=random raw")
    *_, last = study.run(point, None)
    assert last[study.RULE] == "echo"
    assert last["note"].startswith("echo out of reach: the input echo of ")
    assert study.GAIN not in last


def rows(missing=False):
    """Scores that are one function of S = (gain * keep)^2, whatever the curve."""
    found = []
    for seed in (0, 1):
        for keep in (1.0, 0.5):
            gains = [(1.0, "fixed"), (2.0, "fixed"), *([(2.1, "echo")] if keep < 1 else [])]
            for gain, rule in gains:
                s = (gain * keep) ** 2 * (1 + 0.1 * seed)
                name = FULL if keep == 1 else PRUNED
                recipe = "" if keep == 1 else "random variance"
                for task, score in (("mackey-glass-84", nrmse_84(0.1 / s)), ("lorenz63-x", vpt(s))):
                    row = identity(name, recipe=recipe, seed=seed, keep=keep, task=task)
                    row |= {"readout": "spikes", "match": "bias", study.GAIN: gain}
                    note = "rate out of reach" if missing and gain == 2 and keep == 1 else ""
                    row |= {study.RULE: rule, "input_echo": s, "note": note, score.name: score}
                    found.append(row)
    return found


def test_the_figure_has_the_same_points_against_the_gain_and_against_the_echo():
    axes = draw(Table(rows()).frame())
    assert len(axes) == 4
    for axis, (x_full, x_half) in zip(
        axes, 2 * [([1, 2], [1, 2]), ([1.05, 4.2], [0.2625, 1.05])], strict=True
    ):
        full, half, echo = (c.lines[0] for c in axis.containers)
        np.testing.assert_allclose(np.array(full.get_xdata(), dtype=float), x_full)
        np.testing.assert_allclose(np.array(half.get_xdata(), dtype=float), x_half)
        assert echo.get_marker() == half.get_marker()
        assert len(echo.get_xdata()) == 1
    against_s = axes[3]
    assert 2.0 in [line.get_xdata()[0] for line in against_s.lines]
    values = [np.array(c.lines[0].get_ydata(), dtype=float) for c in against_s.containers]
    assert values[0][0] == pytest.approx(values[1][1])  # equal S, equal score
    with pytest.raises(TableError, match="input_echo"):
        draw(Table(rows()).frame().drop(columns="input_echo"))


def test_networks_whose_rate_is_out_of_reach_are_in_no_mean_and_are_told():
    axes = draw(Table(rows(missing=True)).frame())
    assert len(axes[0].containers[0].lines[0].get_xdata()) == 1
    assert "left out: 4 rate out of reach" in axes[0].figure.get_suptitle()
