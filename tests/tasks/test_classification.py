"""Classification: what is fitted to, what is seen; nothing of the test decides a number."""

from pathlib import Path

import numpy as np
import pytest

from hrsnn_brian.errors import EngineError, InputError
from hrsnn_brian.readout.ridge import fit_selections
from hrsnn_brian.tasks import ClassificationTask, classification, classifier, row_store
from hrsnn_brian.tasks.classifier import Classified, Classifier
from hrsnn_brian.tasks.row_store import RowStore

N, AT, CLASSES = 6, (1, 3), 3
TRAIN, TEST = 60, 30


def labels(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).permutation(np.arange(n) % CLASSES)


def a_task(y_train: np.ndarray | None = None, y_test: np.ndarray | None = None, **more):
    random = np.random.default_rng(7)
    return ClassificationTask(
        "toy",
        random.standard_normal((TRAIN, 4, 2)),
        labels(TRAIN, 1) if y_train is None else y_train,
        random.standard_normal((TEST, 4, 2)),
        labels(TEST, 2) if y_test is None else y_test,
        at=AT,
        **more,
    )


def states_of(task: ClassificationTask, spread: float = 0.1) -> dict[str, np.ndarray]:
    """(trials, snapshots, N): neurons 0..2 tell the class, each snapshot anew; the others noise."""
    random = np.random.default_rng(3)
    y = np.concatenate([task.y_train, task.y_test])
    found = {}
    for name in ("trace_30ms", "v"):
        values = spread * random.standard_normal((TRAIN + TEST, len(AT), N))
        values[:, :, :CLASSES] += np.eye(CLASSES)[y][:, None]
        found[name] = values
    return found


def fitted(task, states, readout="spikes", chunks=(TRAIN + TEST,)) -> Classified:
    with task.learner(task.readouts) as learner:
        start = 0
        for size in chunks:
            learner.add({name: values[start : start + size] for name, values in states.items()})
            start += size
        return learner.fitted(readout)


def score(fit: Classified, name: str = "accuracy") -> float:
    (found,) = [score.value for score in fit.scores if score.name == name]
    return found


def same(a: Classified, b: Classified) -> bool:
    return all(np.array_equal(a.weights[name], b.weights[name]) for name in a.weights | b.weights)


@pytest.mark.parametrize("readout", ClassificationTask.readouts)
def test_what_is_separable_is_told_apart_and_shuffled_labels_are_chance(readout):
    task = a_task()
    assert score(fitted(task, states_of(task), readout)) == 1.0
    random = np.random.default_rng(0)
    noise = {k: random.standard_normal(v.shape) for k, v in states_of(task).items()}
    # 30 trials of 3 classes: four standard deviations are .34
    assert abs(score(fitted(task, noise, readout)) - 1 / CLASSES) < 0.34


@pytest.mark.parametrize("readout", ClassificationTask.readouts)
def test_no_test_trial_and_no_test_label_decides_a_number(readout):
    task = a_task()
    states = states_of(task, 1.0)
    first = fitted(task, states, readout)
    others = a_task(y_test=labels(TEST, 9))
    second = fitted(others, states, readout)
    assert same(first, second)
    np.testing.assert_array_equal(first.predicted, second.predicted)
    assert score(first) != score(second)
    changed = {name: values.copy() for name, values in states.items()}
    for values in changed.values():
        values[TRAIN:] = 100.0
    assert same(first, fitted(task, changed, readout))


def test_the_penalty_is_chosen_on_the_last_training_trials_and_they_are_fitted_afterwards():
    """By hand: every penalty of the grid, errors counted on the held trials, then all 60."""
    from hrsnn_brian.readout.held_out import ALPHAS

    task = a_task(validation=20)
    states = states_of(task, 1.5)
    fit = fitted(task, states)
    assert (task.fit_rows, task.held_rows) == (range(40), range(40, 60))
    assert task.test_rows == range(60, 90)
    x = np.float32(states["trace_30ms"]).astype(float)
    scale = np.sqrt(x[:TRAIN].var(axis=0).mean(axis=1))  # of each snapshot
    x = (x / scale[:, None]).reshape(len(x), -1)
    y = np.eye(CLASSES)[task.y_train]

    def ridge(n, alpha):
        mean, target = x[:n].mean(axis=0), y[:n].mean(axis=0)
        centred = x[:n] - mean
        w = np.linalg.solve(
            centred.T @ centred + alpha * n * np.eye(len(mean)), centred.T @ (y[:n] - target)
        )
        return lambda rows: np.argmax((rows - mean) @ w + target, axis=1)

    wrong = [np.sum(ridge(40, a)(x[40:60]) != task.y_train[40:]) for a in ALPHAS]
    alpha = score(fit, "alpha")
    assert wrong[ALPHAS.index(alpha)] == min(wrong) < max(wrong)
    np.testing.assert_array_equal(ridge(60, alpha)(x[60:]), fit.predicted)


def test_chunks_of_any_size_give_the_same_numbers(monkeypatch):
    monkeypatch.setattr(row_store, "CHUNK", 25)
    task = a_task()
    states = states_of(task, 1.0)
    whole = fitted(task, states)
    for chunks in ((1,) * 90, (59, 2, 29), (64, 26)):
        assert same(whole, fitted(task, states, chunks=chunks))
    assert [len(batch) for batch in task.batches()] == [TRAIN, TEST]
    monkeypatch.setattr(classification, "CHUNK", 7)
    assert [len(batch) for batch in task.batches(stop=10)] == [7, 3]
    shown = np.concatenate(list(task.batches()))
    np.testing.assert_array_equal(shown[TRAIN], task.shown(range(TRAIN, TRAIN + 1))[0])
    assert len(shown) == TRAIN + TEST


def test_each_readout_sees_what_its_name_says():
    class Task(ClassificationTask):
        readouts = (*ClassificationTask.readouts, "spikes+features")

        def features(self, rows):
            return self.shown(rows)[:, 0]

    random = np.random.default_rng(7)
    x = random.standard_normal((90, 4, 2))
    task = Task("toy", x[:60], labels(60, 1), x[60:], labels(30, 2), at=AT)
    states = states_of(task)
    early, late = "trace_30ms, 2 shown", "trace_30ms, 4 shown"
    for readout, seen in {
        "spikes": {early, late},
        "spikes, logistic": {early, late},
        "spikes, last state": {late},
        "spikes+v": {early, late, "v, 4 shown"},
        "spikes+features": {early, late, "features"},
    }.items():
        fit = fitted(task, states, readout)
        assert set(fit.weights) == seen
        assert {name: len(w) for name, w in fit.weights.items() if name == "features"} in (
            {},
            {"features": 2},
        )
    spoilt = {name: values.copy() for name, values in states.items()}
    spoilt["trace_30ms"][:, 0] = 0.0
    last = "spikes, last state"
    assert same(fitted(task, states, last), fitted(task, spoilt, last))
    assert not same(fitted(task, states), fitted(task, spoilt))


def test_a_confusion_counts_test_trials_by_true_and_predicted_class():
    names = np.array(["ant", "bee", "cow"])
    task = a_task(y_train=names[labels(TRAIN, 1)], y_test=names[np.arange(TEST) // 20])
    fit = fitted(task, states_of(task, 0.8))
    assert fit.classes == ("ant", "bee", "cow")
    for true in range(CLASSES):
        for other in range(CLASSES):
            count = np.sum((task.y_test == true) & (fit.predicted == other))
            assert fit.confusion[true, other] == count
    assert 0 < score(fit) < 1
    assert score(fit) == np.mean(fit.predicted == task.y_test)
    recalls = [np.mean(fit.predicted[task.y_test == k] == k) for k in (0, 1)]  # no cow is shown
    assert score(fit, "balanced_accuracy") == pytest.approx(np.mean(recalls))


def test_the_part_of_a_neuron_is_that_of_its_traces_in_all_outputs_and_snapshots():
    task = a_task()
    states = states_of(task)
    states["trace_30ms"][:, :, 4] = 2.5  # says nothing
    with task.learner(["spikes"]) as learner:
        learner.add(states)
        fit, found = learner.fitted("spikes"), learner.importance("spikes")
    power = np.zeros(N)
    for k, name in enumerate(fit.weights):
        spread = np.float32(states["trace_30ms"])[:TRAIN, k].std(axis=0)
        power += np.sum((fit.weights[name] * spread[:, None]) ** 2, axis=1)
    np.testing.assert_allclose(found, np.sqrt(power), atol=1e-6)
    assert found[4] < 1e-6
    assert found[:CLASSES].min() > found[CLASSES:].max()


def test_what_was_put_on_disk_is_gone_at_the_end_and_after_an_error():
    task = a_task()
    with pytest.raises(RuntimeError, match="in between"):  # noqa: SIM117, PT012
        with task.learner(["spikes"]) as learner:
            learner.add(states_of(task))
            assert isinstance(learner, Classifier)
            folder = Path(learner.store._folder.name)
            assert list(folder.iterdir())
            raise RuntimeError("in between")
    assert not folder.exists()


def test_a_store_gives_back_its_rows_and_refuses_what_the_disk_cannot_hold(monkeypatch):
    store = RowStore(5)
    rows = np.arange(15.0).reshape(5, 3)
    store.append({"a": rows[:2], "b": rows[:2, :1]})
    store.append({"a": rows[2:], "b": rows[2:, :1]})
    np.testing.assert_array_equal(store.read(["a"], range(1, 4))["a"], rows[1:4])
    np.testing.assert_array_equal(store.mapped(["b"], range(3, 5))["b"], rows[3:, :1])
    with pytest.raises(EngineError, match=r"states take 1\.2e\+10 GB in .* set TMPDIR"):
        RowStore(10**18).append({"a": rows[:1]})
    store.close()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y_train": np.zeros(60, int)}, "y_train = '0': is the only class"),
        ({"y_train": labels(59, 1)}, "y_train = '59 labels': must be 60, one for each trial"),
        ({"y_test": labels(30, 1) + 1}, "y_test = '3': is the label of no training trial"),
        ({"y_test": np.zeros((30, 1))}, r"y_test = \(30, 1\): must be one label for each trial"),
        ({"validation": 59}, "validation = 59: must be from 1 to 58 for 60 training trials"),
    ],
)
def test_labels_that_do_not_fit_are_refused_in_one_line(change, message):
    with pytest.raises(InputError, match=message):
        a_task(**change)


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        ((60, 4), (30, 4, 2), r"x_train = \(60, 4\): must be finite \(trials, samples, columns\)"),
        ((60, 4, 2), (30, 5, 2), r"x_test = \(30, 5, 2\): must have trials of shape \(4, 2\)"),
        ((60, 4, 2), (0, 4, 2), r"x_test = \(0, 4, 2\): must be finite"),
    ],
)
def test_trials_that_do_not_fit_are_refused_in_one_line(train, test, message):
    with pytest.raises(InputError, match=message):
        ClassificationTask("t", np.zeros(train), labels(60, 1), np.zeros(test), labels(30, 2))


def test_ridge_readouts_are_fitted_together_and_the_logistic_one_only_when_asked(monkeypatch):
    calls = []

    def counted(*given):
        calls.append([tuple(names) for names in given[3]])
        return fit_selections(*given)

    monkeypatch.setattr(classifier, "fit_selections", counted)
    monkeypatch.setattr(classifier, "fit_logistic", None)
    task = a_task()
    with task.learner(task.readouts) as learner:
        learner.add(states_of(task))
        for readout in ("spikes", "spikes, last state", "spikes+v"):
            together, alone = learner.fitted(readout), fitted(task, states_of(task), readout)
            np.testing.assert_array_equal(together.predicted, alone.predicted)
    first = calls[0]
    assert [len(names) for names in first] == [2, 1, 3]
    assert calls == [first] * 4  # once here, once for each alone
