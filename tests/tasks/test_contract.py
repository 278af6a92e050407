"""The contract of tasks: one that forecasts nothing goes from trials to a table like any other."""

from collections.abc import Mapping

import numpy as np
import pytest

import hrsnn_brian as hb
from hrsnn_brian.evaluation.present import present
from hrsnn_brian.files.columns import IDENTITY, UNMATCHED
from hrsnn_brian.files.schema import read_schema
from hrsnn_brian.files.score import HIGHER, Score
from hrsnn_brian.files.tables import Table, read_table, write_table
from hrsnn_brian.simulation import Drive, Engine, simulate
from hrsnn_brian.tasks import Fitted, RunTask, Trial, get_task

SAMPLES = 3


class TwoInputs(RunTask):
    """Which of two inputs a trial shows; the readout is least squares on its last states."""

    name, description, step, remarks = "two inputs", "one of two", "1 sample", ()

    def __init__(self, trials: int = 8, reset: bool = True, noise: float = 0.1) -> None:
        random = np.random.default_rng(0)
        self.labels = np.arange(trials) % 2
        self.shown = [
            Trial(2.0 * label - 1.0 + noise * random.standard_normal((SAMPLES, 1)), reset)
            for label in self.labels
        ]

    def trials(self) -> list[Trial]:
        return self.shown

    def targets(self) -> np.ndarray:
        return np.eye(2)[self.labels]

    def fit(self, states: Mapping[str, np.ndarray]) -> Fitted:
        ends = np.arange(SAMPLES - 1, self.n_samples, SAMPLES)
        x = np.hstack([block[ends] for block in states.values()])
        train, test = slice(0, len(x) // 2), slice(len(x) // 2, None)
        weights = np.linalg.pinv(x[train]) @ self.targets()[train]
        right = np.argmax(x[test] @ weights, axis=1) == self.labels[test]
        sizes = np.cumsum([block.shape[1] for block in states.values()])[:-1]
        blocks = dict(zip(states, np.split(weights, sizes), strict=True))
        accuracy = float(right.mean())
        score = Score("accuracy", accuracy, better=HIGHER, label="accuracy", primary=True)
        return Fitted(blocks, ends[train], (score,))

    def baselines(self) -> dict[str, tuple[Score, ...]]:
        return {"chance": (Score("accuracy", 0.5, better=HIGHER, label="accuracy"),)}


@pytest.fixture(scope="module")
def network() -> hb.Network:
    return hb.build_network(hb.HRSNNParams(N=30), seed=1)


@pytest.mark.compiled
def test_a_classification_goes_from_trials_to_a_table(network, compiled_engine, tmp_path):
    found = hb.evaluate(network, TwoInputs(), engine=compiled_engine, seed=3, readouts="spikes")
    rows = found.rows()
    matched = ["homogeneous", "no recurrence, slow input"]
    assert [row["network"] for row in rows] == ["full", "no recurrence", *matched, "chance"]
    assert [list(row)[: len(IDENTITY)] for row in rows] == [list(IDENTITY)] * 5
    for row in rows[2:4]:  # there is nothing to match the rate on, and it says so
        assert row["match"] == UNMATCHED
        assert "has no trials to train a network on" in row["note"]
    assert {(row["task"], row["seed"]) for row in rows} == {("two inputs", 3)}
    assert rows[0]["accuracy"] == found.scores()["accuracy"].value == 1.0
    # 30 neurons, 3 traces, 2 outputs
    assert rows[0]["readout_ops_per_s"] == pytest.approx(30 * rows[0]["rate_hz"] * 3 * 2)

    write_table(tmp_path / "t.csv", found.entries)
    primary = read_schema(tmp_path / "t.csv").primary("two inputs")
    assert (primary.name, primary.better, primary.role) == ("accuracy", "higher", "score")
    assert list(read_table(tmp_path / "t.csv")["accuracy"]) == [row["accuracy"] for row in rows]


@pytest.mark.compiled
def test_a_reset_puts_the_first_state_back_and_without_one_the_network_goes_on(
    network: hb.Network, compiled_engine: Engine
) -> None:
    same = TwoInputs(trials=4, noise=0.0)
    shown = present(compiled_engine, network, same, seed=3)
    alone = simulate(compiled_engine, network, Drive(same.shown[1].inputs, seed=3))
    joined = np.vstack([trial.inputs for trial in same.shown])
    through = simulate(compiled_engine, network, Drive(joined, seed=3))
    going_on = present(compiled_engine, network, TwoInputs(4, reset=False, noise=0.0), seed=3)
    assert list(shown.states) == ["trace_30ms", "trace_100ms", "trace_300ms", "v"]
    for name, states in shown.states.items():
        trials = states.reshape(4, SAMPLES, network.n_neurons)
        for k in (1, 3):
            np.testing.assert_array_equal(trials[k], alone.states[name])
        np.testing.assert_array_equal(going_on.states[name], through.states[name])
        assert not np.array_equal(going_on.states[name], states)
    assert shown.seconds == pytest.approx(through.seconds)
    assert shown.spike_count.sum() == 2 * (
        simulate(compiled_engine, network, Drive(same.shown[0].inputs, seed=3)).spike_count.sum()
        + alone.spike_count.sum()
    )


def test_forecasting_is_an_implementation_of_the_contract() -> None:
    task = get_task("wind", 0, quick=True)
    assert isinstance(task, hb.Task)
    (trial,) = task.trials()
    assert trial.reset
    np.testing.assert_array_equal(trial.inputs, task.z)
    targets = task.targets()
    assert targets.shape == (task.n_samples, len(task.horizons))
    rows = task.train_rows
    for k, h in enumerate(task.horizons):
        np.testing.assert_array_equal(targets[rows, k], task.target(rows, h)[:, 0])
        assert np.isnan(targets[-h:, k]).all()
        assert np.isfinite(targets[:-h, k]).all()
    fitted = task.fit({})
    assert fitted.rows == rows
    assert fitted.closed_loop is not None
    names = {score.name for score in fitted.scores} | {
        score.name for score in fitted.closed_loop.score(fitted.closed_loop.teacher)
    }
    models = task.baselines()
    assert list(models) == ["persistence", "input only", "linear AR", "NG-RC"]
    for scores in models.values():
        assert names - {score.name for score in scores} == {"alpha", "alpha_at_edge"}


def test_a_task_that_lacks_a_part_of_the_contract_cannot_be_made() -> None:
    class Half(RunTask):
        def trials(self) -> list[Trial]:
            return []

    with pytest.raises(TypeError, match="abstract method"):
        Half()


@pytest.mark.compiled
def test_pruning_for_a_task_asks_it_by_the_contract(network, compiled_engine):
    """The two inputs excite different neurons: those have the weight in the readout."""
    probe = hb.TaskProbe(compiled_engine, 3, task=TwoInputs())
    rates, weight = probe.task_rates(network), probe.readout_weight(network)
    assert rates.shape == weight.shape == (30,)
    np.testing.assert_array_equal(weight[rates == 0], 0)
    assert weight.max() > 0


@pytest.mark.compiled
def test_rows_of_a_table_are_plain_and_its_schema_knows_the_scores(network, compiled_engine):
    found = hb.evaluate(network, TwoInputs(), engine=compiled_engine, seed=3, controls=False)
    table = Table(found.entries)
    assert not any(isinstance(value, Score) for row in table for value in row.values())
    assert [column.name for column in table.schema.shown("two inputs")] == ["accuracy"]
    assert table.schema.primary("another") is None
