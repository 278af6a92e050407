"""Trials side by side: equal to runs of each alone, reset in between, in bounded chunks."""

import numpy as np
import pytest

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.presets import load_preset
from hrsnn_brian.simulation import Presentation, batch, simulate, simulate_batch

TWO_CURRENTS = ["currents=two", "reset=hard", "tau_i=80 ms"]
DELAY = ["synapse.delay=3 ms"]
POISSON = ["encoder.kind=poisson"]
VARIETY = {
    "default": [],
    "two currents": TWO_CURRENTS,
    "delay": DELAY,
    "no refractory period": ["t_ref=0 ms", "J=0.3", "encoder.kind=current", "bias=1.2"],
    "poisson": POISSON,
}
pytestmark = pytest.mark.filterwarnings("ignore:t_ref = 0 and strong excitation")


def a_network(*overrides: str, N: int = 24):
    return build_network(load_preset("default", [f"N={N}", "K=6", "J=3", *overrides]), 1)


def inputs(trials: int, samples: int = 4, columns: int = 2) -> np.ndarray:
    return np.random.default_rng(5).standard_normal((trials, samples, columns))


def gathered(chunks) -> tuple[dict[str, np.ndarray], np.ndarray]:
    parts = list(chunks)
    states = {name: np.concatenate([p.states[name] for p in parts]) for name in parts[0].states}
    return states, np.concatenate([p.spike_count for p in parts])


def assert_as_alone(engine, network, trials, how: Presentation) -> None:
    """Bit by bit: sums of kicks and of inputs are taken in the same order."""
    states, counts = gathered(simulate_batch(engine, network, trials, how))
    assert counts.sum(axis=1).min() > 10
    assert len({tuple(row) for row in counts}) == len(trials)
    for number, stimulus in enumerate(trials):
        alone = simulate(engine, network, how.drive(stimulus, number))
        np.testing.assert_array_equal(counts[number], alone.spike_count)
        assert states.keys() == alone.states.keys()
        for name, values in alone.states.items():
            np.testing.assert_array_equal(states[name][number], values[list(how.at or [-1])])


@pytest.mark.parametrize("overrides", VARIETY.values(), ids=VARIETY)
def test_a_batch_is_what_its_trials_are_alone(numpy_engine, overrides):
    how = Presentation(at=(0, 3), seed=2, noise_sd=0.2)
    assert_as_alone(numpy_engine, a_network(*overrides), inputs(3), how)


@pytest.mark.compiled
@pytest.mark.parametrize("overrides", [[], [*TWO_CURRENTS, *DELAY, *POISSON, "t_ref=0 ms"]])
def test_so_it_is_in_compiled_programs(compiled_engine, overrides):
    """More trials than are added up side by side, and sums of which the order decides the bits."""
    how = Presentation(at=(0, 3), seed=2, noise_sd=0.2)
    assert_as_alone(compiled_engine, a_network(*overrides), inputs(11, columns=4), how)


@pytest.mark.compiled
@pytest.mark.parametrize("density", [0.03, 0.3, 1.0])
def test_wide_inputs_are_projected_as_numpy_does(
    numpy_engine, compiled_engine, monkeypatch, density
):
    """Sparse directions too: neurons that see nothing, channels that nobody sees, 22 neurons."""
    full = a_network().without_neurons([3, 11])
    dense = type(full).directions

    def directions(network, columns):
        p = dense(network, columns)
        p[np.random.default_rng(7).random(p.shape) >= density] = 0.0
        return p

    monkeypatch.setattr(type(full), "directions", directions)
    if density == 0.03:
        p = full.directions(70)
        assert (p == 0).all(axis=0).any()
        assert (p[4:8] == 0).all(axis=0).any()
    trials, how = 3 * inputs(11, columns=70), Presentation(at=(0, 3))
    found, expected = (
        gathered(simulate_batch(engine, full, trials, how))
        for engine in (compiled_engine, numpy_engine)
    )
    np.testing.assert_array_equal(found[1], expected[1])
    assert len({tuple(row) for row in found[1]}) == len(trials)
    monkeypatch.setattr(batch, "MEMORY", 3.5 * 8 * 4 * 2 * full.n_neurons)  # three at a time
    apart = gathered(simulate_batch(compiled_engine, full, trials, how))
    for name, values in expected[0].items():
        np.testing.assert_allclose(found[0][name], values, atol=1e-12)
        np.testing.assert_array_equal(apart[0][name], found[0][name])


@pytest.mark.compiled
def test_targets_agree_and_nothing_is_compiled_twice(numpy_engine, compiled_engine, monkeypatch):
    """Chunks, tasks with another number of channels and pruned networks share one program."""
    network = a_network()
    monkeypatch.setattr(batch, "MEMORY", 2.5 * 8 * 4 * network.n_neurons)  # two trials at a time
    smaller = network.without_neurons([3, 11])
    list(simulate_batch(compiled_engine, network, inputs(1)))
    builds = compiled_engine.stats.builds
    for case, columns in ((network, 1), (network, 5), (smaller, 2)):
        trials = inputs(5, columns=columns)
        found, expected = (
            gathered(simulate_batch(engine, case, trials))
            for engine in (compiled_engine, numpy_engine)
        )
        np.testing.assert_array_equal(found[1], expected[1])
        for name in expected[0]:
            np.testing.assert_allclose(found[0][name], expected[0][name], atol=1e-12)
    assert compiled_engine.stats.builds == builds
    assert compiled_engine.stats.runs == 1 + 3 * 3


def test_direct_input_and_no_traces(numpy_engine):
    network = a_network()
    currents = 1.5 + inputs(3, columns=network.n_neurons)
    assert_as_alone(numpy_engine, network, currents, Presentation(direct=True, traces=False))


def test_every_trial_starts_in_the_same_state(numpy_engine):
    """The same input twice leaves the same state; what came before leaves no trace."""
    network, trials = a_network(), inputs(3)
    trials[2] = trials[0]
    states, counts = gathered(simulate_batch(numpy_engine, network, trials))
    np.testing.assert_array_equal(counts[2], counts[0])
    np.testing.assert_array_equal(states["v"][2], states["v"][0])
    assert np.any(states["v"][1] != states["v"][0])


def test_trials_differ_in_their_noise_whatever_their_group(numpy_engine, monkeypatch):
    network = a_network()
    trials = np.repeat(inputs(1), 3, axis=0)
    how = Presentation(noise_sd=0.5)
    together = gathered(simulate_batch(numpy_engine, network, trials, how))[1]
    assert np.any(together[0] != together[1])
    monkeypatch.setattr(batch, "ROOM", 1)
    np.testing.assert_array_equal(
        gathered(simulate_batch(numpy_engine, network, trials, how))[1], together
    )


def test_a_state_left_is_a_state_to_start_from(numpy_engine):
    """Two halves, the second started where the first ended (without recurrence: no currents)."""
    network = a_network("t_ref=0 ms", "bias=-0.5").without_recurrence()
    whole = inputs(1, samples=6)
    states, _ = gathered(simulate_batch(numpy_engine, network, whole, Presentation(at=(2, 5))))
    start = {name: values[0, 0] for name, values in states.items()}
    rest, _ = gathered(
        simulate_batch(numpy_engine, network, whole[:, 3:], Presentation(start=start))
    )
    for name, values in rest.items():
        np.testing.assert_allclose(values[0, 0], states[name][0, 1], rtol=1e-12)


def test_states_leave_in_chunks_as_trials_are_taken(numpy_engine, monkeypatch):
    """A hundred thousand trials are offered, eight are looked at; no more are ever held."""
    network, taken = a_network(), []
    monkeypatch.setattr(batch, "ROOM", 4 * network.n_neurons)

    def source():
        for number in range(50_000):
            taken.append(number)
            yield inputs(2)

    results = simulate_batch(numpy_engine, network, source())
    first, second = next(results), next(results)
    assert (first.trials, second.trials) == (range(4), range(4, 8))
    assert first.states["v"].shape == (4, 1, network.n_neurons)
    assert first.seconds == pytest.approx(0.08)
    assert len(taken) == 4


def test_recorded_states_bound_a_chunk(numpy_engine, monkeypatch):
    network = a_network()
    how = Presentation(at=(0, 1, 2, 3))
    monkeypatch.setattr(batch, "MEMORY", 2.5 * 8 * 4 * 4 * network.n_neurons)  # three traces and v
    sizes = [len(c.trials) for c in simulate_batch(numpy_engine, network, inputs(5), how)]
    assert sizes == [2, 2, 1]


@pytest.mark.parametrize(
    ("trials", "how", "line"),
    [
        (np.zeros((3, 2)), {}, r"trials = \(3, 2\): must be finite \(trials, samples, columns\)"),
        (np.full((2, 2, 1), np.nan), {}, "trials = .*: must be finite"),
        (np.zeros((2, 0, 1)), {}, "trials = .*: must be finite"),
        ([np.zeros((1, 2, 1)), np.zeros((1, 2, 2))], {}, "must all have 2 samples of 1 columns"),
        (np.zeros((1, 2, 1)), {"at": (2,)}, r"at = \(2,\): must be increasing numbers of .* 0..1"),
        (np.zeros((1, 2, 1)), {"at": (1, 0)}, "at = .*: must be increasing"),
        (np.zeros((1, 2, 1)), {"at": ()}, "at = .*: must be increasing"),
        (np.zeros((1, 2, 1)), {"direct": True}, "stimulus = .*: direct input needs 24 columns"),
        (np.zeros((1, 2, 1)), {"start": {"u": np.zeros(24)}}, "start = 'u'"),
        (np.zeros((1, 2, 1)), {"start": {"v": np.zeros(3)}}, r"start 'v' = \(3,\): must be 24"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(numpy_engine, trials, how, line):
    with pytest.raises(InputError, match=line) as refused:
        list(simulate_batch(numpy_engine, a_network(), trials, Presentation(**how)))
    assert "\n" not in str(refused.value)
    assert numpy_engine.stats.runs == 0


def test_no_trials_are_no_work(numpy_engine):
    assert list(simulate_batch(numpy_engine, a_network(), [])) == []
    assert list(simulate_batch(numpy_engine, a_network(), np.zeros((0, 4, 1)))) == []
