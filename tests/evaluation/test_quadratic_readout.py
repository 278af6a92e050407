"""The quadratic readout: fitted to training rows alone, and the same inside the program."""

from dataclasses import replace

import numpy as np
import pytest

from hrsnn_brian.errors import InputError
from hrsnn_brian.evaluation.evaluate import evaluate
from hrsnn_brian.evaluation.quadratic import QUADRATIC, fit_products
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.presets import load_preset
from hrsnn_brian.readout.products import BLOCK, principal_products
from hrsnn_brian.tasks.registry import get_task


@pytest.fixture(scope="module")
def task():
    long = get_task("lorenz63", 2, quick=True)
    vpt = replace(long.vpt, starts=3, warmup=5, max_steps=10, cap=0.1)
    blocks = {"washout": 10, "train": 120, "validation": 30, "test": 40}
    return replace(long, series=long.series[:170], vpt=vpt, **blocks)


@pytest.fixture(scope="module")
def states(task):
    random = np.random.default_rng(0)
    hidden = np.cumsum(random.standard_normal((task.n_samples, 6)), axis=0)
    return {name: hidden @ random.standard_normal((6, 20)) + 3.0 for name in ("a", "b")}


def test_the_program_gets_the_readout_that_was_fitted(task, states):
    fitted = fit_products(task, states)
    rows = task.train_rows
    products = principal_products({name: x[rows] for name, x in states.items()})
    plain = task.fit({**states, BLOCK: products.features(states)})
    expected = task.z + plain.one_step.predict(
        {"u": task.z, **states, BLOCK: products.features(states)}
    )
    readout = fitted.closed_loop.readout
    sums = sum(states[name] @ part for name, part in readout.sums.items())
    found = readout.intercept + task.z @ readout.from_u + sums**2 @ readout.factors
    found = found + sum(states[name] @ part for name, part in readout.from_states.items())
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert fitted.scores == plain.scores


def test_no_test_row_shapes_the_components(task, states):
    changed = {name: x.copy() for name, x in states.items()}
    for x in changed.values():
        x[task.test_block] *= -5.0
    ours, other = (fit_products(task, given) for given in (states, changed))
    for name in states:
        np.testing.assert_array_equal(
            ours.closed_loop.readout.sums[name], other.closed_loop.readout.sums[name]
        )


def test_a_quadratic_readout_has_a_row_of_its_own(task, numpy_engine):
    network = build_network(load_preset("default", ["N=20", "sample=1 ms"]), 3)
    found = evaluate(
        network, task, engine=numpy_engine, readouts=("spikes", QUADRATIC), controls=False
    )
    linear, quadratic = found.rows()
    assert (linear["readout"], quadratic["readout"]) == ("spikes", QUADRATIC)
    assert quadratic["vpt_lyapunov_times"] >= 0
    more = quadratic["readout_ops_per_s"] - linear["readout_ops_per_s"]
    # 20 sums of all 3 x 20 traces and a square, for each of 3 outputs, every millisecond
    assert more == pytest.approx(20 * 3 * (3 * 20 + 1) * 1e3)
    with pytest.raises(InputError, match=r"spikes\+products"):
        evaluate(network, task, engine=numpy_engine, readouts="quadratic")
