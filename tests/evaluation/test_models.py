"""Saved models: they predict what was scored, without a fit, and refuse what they cannot."""

import json
from dataclasses import replace

import numpy as np
import pytest
from equality import equal_networks

import hrsnn_brian as hb
from hrsnn_brian.errors import InputError
from hrsnn_brian.evaluation.quadratic import QUADRATIC
from hrsnn_brian.tasks.image_task import ImageOptions, ImageTask
from hrsnn_brian.tasks.images.front_ends import FrontEndSettings
from hrsnn_brian.tasks.images.image_set import ImageSet
from hrsnn_brian.tasks.projection import InputSettings
from hrsnn_brian.tasks.series import Series
from hrsnn_brian.tasks.split_series import VptProtocol

SEED = 3
PATCHES = {"kind": "patches", "patches": {"size": 2, "atoms": 4, "grid": 2, "samples": 1000}}


@pytest.fixture(scope="module")
def network():
    return hb.build_network(hb.HRSNNParams(N=20, K=5), seed=1)


@pytest.fixture(autouse=True)
def _short_samples(monkeypatch):
    """Brian itself is slow: a sample lasts 2 ms."""
    monkeypatch.setattr(hb.ForecastTask, "shown_with", {"sample": "2 ms"})


def walk(n=150):
    """A noisy oscillation in three variables, (n, 3)."""
    random = np.random.default_rng(0)
    t = np.arange(n)[:, None] / np.array([5.0, 7.0, 11.0])
    return 4.0 + 2.0 * np.sin(t) + 0.1 * random.standard_normal((n, 3))


def series_task(**changes):
    """The first two of three variables, two horizons, a cut in the test block."""
    fields = {
        "name": "walk",
        "description": "a noisy oscillation",
        "unit": "m/s",
        "step": "1",
        "series": walk(),
        "horizons": (1, 3),
        "washout": 10,
        "train": 90,
        "validation": 20,
        "test": 50,
        "predict_increment": True,
        "inputs": (0, 1),
        "outputs": (0, 1),
        "cuts": (120,),
    }
    return hb.ForecastTask(**{**fields, **changes})


def image_task(**options):
    random = np.random.default_rng(1)
    y = np.arange(36) % 3 + 1  # of the class 0 there is no image
    x = np.clip(60 * y[:, None, None] + random.integers(0, 60, (36, 4, 4)), 0, 255)
    images = ImageSet("tiny", x[:24], y[:24], x[24:], y[24:], ("none", "a", "b", "c"))
    return ImageTask(images, ImageOptions(sample="1 ms", snapshots=2, **options))


def trained(network, task, readout, engine):
    found = hb.evaluate(
        network, task, engine=engine, seed=SEED, readouts=(readout,), controls=False
    )
    return found, found.model()


def saved(model, path):
    return hb.load_model(hb.save_model(model, path))


@pytest.fixture
def no_fit(monkeypatch):
    """From here on, whoever fits fails."""

    def use():
        def refuse(*args, **more):
            raise AssertionError("something is fitted")

        places = (
            "hrsnn_brian.tasks.forecast.fit_selections",
            "hrsnn_brian.tasks.classifier.fit_selections",
            "hrsnn_brian.tasks.classifier.fit_logistic",
            "hrsnn_brian.tasks.image_task.fit_front_end",
            "hrsnn_brian.tasks.images.rows_columns.RowsColumns.fit",
        )
        for place in places:
            monkeypatch.setattr(place, refuse)

    return use


@pytest.fixture(scope="module")
def walked(network):
    """A model of the walk, made once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hb.ForecastTask, "shown_with", {"sample": "2 ms"})
        return trained(network, series_task(), "spikes+v", hb.Engine("numpy"))


def test_a_series_model_predicts_what_was_scored(walked, numpy_engine, tmp_path, no_fit):
    found, model = walked
    no_fit()
    again = saved(model, tmp_path / "m.npz")
    assert equal_networks(again.network, model.network)
    assert (again.task, again.readout, again.seed) == ("walk", "spikes+v", SEED)
    predicted = again.predict(walk(), engine=numpy_engine)
    # the array has no cut: up to the task's own one, states are the same
    task, fitted = series_task(), found.fitted["full", "spikes+v"]
    assert not isinstance(task.test_rows, slice)
    before = task.test_rows[task.test_rows < 120]
    for h, expected in fitted.predictions.items():
        rows = np.searchsorted(predicted.rows, before)
        np.testing.assert_allclose(
            predicted.predictions[h][rows], expected[: len(before)], rtol=1e-12
        )
    cut = again.predict(Series(walk(), cuts=(120,)), engine=numpy_engine)
    assert cut.scored == len(task.test_rows)
    errors = {s.name: s.value for s in fitted.scores if s.name.startswith(("rmse", "nrmse"))}
    assert {s.name: s.value for s in cut.scores} == pytest.approx(errors, rel=1e-12)
    assert model.scores["rmse_h1_m_per_s"] == errors["rmse_h1_m_per_s"]
    assert "is not scored" in cut.remarks[-1]
    assert set(range(120, 130)).isdisjoint(cut.rows.tolist())
    table = cut.table()
    assert [row["row"] for row in table] == cut.rows.tolist()
    last = table[-1]
    assert last["prediction_variable_2_h3"] == cut.predictions[3][-1, 1]
    assert {*last} <= {column.name for column in cut.columns()}


def test_a_free_run_goes_on_from_the_last_row(walked, numpy_engine, tmp_path):
    _, model = walked
    # its one-step readout, of a stronger penalty, as if it were that of the predictions, too
    free, known = model.predictor.free, model.predictor.coefficients
    steps = {"u": free.from_u - np.eye(2), **free.from_states}
    weights = {name: np.hstack([steps[name], w[:, 2:]]) for name, w in known.items()}
    intercept = np.hstack([free.intercept, model.predictor.intercept[2:]])
    predictor = replace(model.predictor, coefficients=weights, intercept=intercept)
    model = saved(replace(model, predictor=predictor), tmp_path / "m.npz")
    data = walk()[:60, :2]
    found = model.predict(data, engine=numpy_engine, free=4)
    np.testing.assert_allclose(found.free[0], found.predictions[1][-1], rtol=1e-6)
    # three steps on is what is predicted once they were shown as if they were data
    shown = np.vstack([data, found.free[:3]])
    then = model.predict(shown, engine=numpy_engine)
    np.testing.assert_allclose(found.free[1:], then.predictions[1][-3:], rtol=1e-6)
    assert [row.get("free_step") for row in found.table()[-5:]] == [None, 1, 2, 3, 4]


def test_new_rows_are_all_scored_and_other_variables_are_not_needed(walked, numpy_engine):
    _, model = walked
    data = walk(160)[100:]
    inputs, every = (model.predict(given, engine=numpy_engine) for given in (data[:, :2], data))
    for h in (1, 3):
        np.testing.assert_array_equal(inputs.predictions[h], every.predictions[h])
    assert inputs.scored == every.scored == len(data) - 3 - 10
    rows = inputs.rows[: inputs.scored]
    error = inputs.predictions[3][: inputs.scored] - data[rows + 3, :2]
    values = {s.name: s.value for s in inputs.scores}
    assert values["rmse_h3_m_per_s"] == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-12)


def test_what_is_predicted_may_be_no_input(network, numpy_engine, tmp_path):
    task = series_task(predict_increment=False, inputs=(0,), outputs=(2,), cuts=())
    found, model = trained(network, task, "spikes", numpy_engine)
    again = saved(model, tmp_path / "m.npz")
    alone = again.predict(walk()[:, 0], engine=numpy_engine)
    rows = np.searchsorted(alone.rows, np.arange(task.n_samples)[task.test_rows])
    expected = found.fitted["full", "spikes"].predictions[3]
    np.testing.assert_allclose(alone.predictions[3][rows], expected, rtol=1e-12)
    assert alone.scores == ()
    assert "no column of the data" in alone.remarks[-1]
    with pytest.raises(InputError, match="predicts its own inputs"):
        again.predict(walk()[:, 0], engine=numpy_engine, free=2)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (walk()[:, [0]], "1 columns': must be the 2 shown, or all 3"),
        (np.hstack([walk(), walk()]), "6 columns"),
        (walk()[:10], "10 rows': must have more than 10 rows on end"),
        (np.zeros((0, 2)), "0 rows"),
        (np.where(np.arange(450).reshape(150, 3) == 31, np.nan, walk()), "row 10, column 1"),
        (np.zeros((4, 4, 4)), "must be the 2 shown"),
        (Series(walk()[:18], cuts=(9,)), "of 2 segments 2 have|must have more than 10 rows"),
    ],
)
def test_series_that_do_not_fit_are_refused(walked, numpy_engine, data, message):
    with pytest.raises(InputError, match=message):
        walked[1].predict(data, engine=numpy_engine)


def test_a_file_with_gaps_is_scored_as_it_was_and_predicted_where_it_can_be(
    network, numpy_engine, tmp_path
):
    values = [f"{x:.6f}" for x in walk(420)[:, 0]]
    for gap in (100, 123, 380):  # 22 rows on end are too few for a target, and enough to predict
        values[gap] = ""
    (tmp_path / "s.csv").write_text("\n".join(["t,x", *(f"{k},{x}" for k, x in enumerate(values))]))
    with pytest.warns(UserWarning, match="1 have fewer than"):
        task = hb.own_series_task(tmp_path / "s.csv", "x", horizons=(2, 6))
    assert task.n_samples == 420 - 3 - 22
    found, model = trained(network, task, "spikes", numpy_engine)
    series = model.predictor.read(tmp_path / "s.csv")
    predicted = model.predict(series, engine=numpy_engine)
    errors = {s.name: s.value for s in found.fitted["full", "spikes"].scores if "rmse" in s.name}
    assert {s.name: s.value for s in predicted.scores} == pytest.approx(errors, rel=1e-12)
    lines = {row["line"]: row["time"] for row in predicted.table()}
    assert {123: "121", 124: "122"}.items() <= lines.items()
    assert lines.keys().isdisjoint({*range(125, 125 + 21), 102, 382})


@pytest.mark.parametrize(
    ("readout", "measure", "front_end"),
    [
        ("spikes+features", "margin", {}),
        ("spikes, logistic", "probability", {}),
        ("spikes+features", "margin", PATCHES),
    ],
)
def test_an_image_model_predicts_what_was_scored(
    network, numpy_engine, tmp_path, no_fit, monkeypatch, readout, measure, front_end
):
    columns = InputSettings(way="columns" if front_end else "encoder", seen=3)
    task = image_task(front_end=FrontEndSettings.from_dict(front_end), input=columns)
    found, model = trained(network, task, readout, numpy_engine)
    fitted = found.fitted["full", readout]
    no_fit()
    monkeypatch.setattr("hrsnn_brian.tasks.class_predictor.CHUNK", 5)
    monkeypatch.setattr("hrsnn_brian.simulation.batch.ROOM", 140)  # seven copies of 20 neurons
    again = saved(model, tmp_path / "m.npz")
    images = task.images.x_test
    np.savez(tmp_path / "new.npz", x=images, y=task.images.y_test)
    told = []
    predicted = again.predict(
        again.predictor.read(tmp_path / "new.npz"),
        engine=numpy_engine,
        watch=lambda what, done, total: told.append((done, total)),
    )
    assert list(predicted.predicted) == [task.classes[k] for k in fitted.predicted]
    scores = {s.name: s.value for s in predicted.scores}
    assert scores == {s.name: s.value for s in fitted.scores[:2]}
    assert len(told) > 1
    assert told[-1] == (12, 12)
    assert predicted.measure == measure
    assert np.all(predicted.certainty > 0)
    assert measure == "margin" or np.all((predicted.certainty >= 1 / 3) & (predicted.certainty < 1))
    first = predicted.table()[0]
    assert (first["class"], first["label"]) == (predicted.predicted[0], "a")
    # without labels, in another order, one by one: the same classes
    np.save(tmp_path / "new.npy", images[::-1])
    backwards = again.predict(again.predictor.read(tmp_path / "new.npy"), engine=numpy_engine)
    assert backwards.predicted == predicted.predicted[::-1]
    assert backwards.scores == ()
    assert "label" not in backwards.table()[0]


def test_a_class_no_training_image_had_counts_as_an_error(network, numpy_engine, tmp_path):
    task = image_task()
    _, model = trained(network, task, "spikes", numpy_engine)
    y = np.array([0, 0, *task.images.y_test[2:]])
    np.savez(tmp_path / "new.npz", x_test=task.images.x_test, y_test=y)
    found = model.predict(model.predictor.read(tmp_path / "new.npz"), engine=numpy_engine)
    right = [p == task.images.classes[k] for p, k in zip(found.predicted, y, strict=True)]
    assert found.scores[0].value == np.mean(right)
    assert not any(right[:2])


def test_trials_of_ones_own_are_predicted_too(network, numpy_engine, tmp_path):
    random = np.random.default_rng(0)
    y = np.arange(20) % 2
    x = random.standard_normal((2, 3, 2))[y] + 0.2 * random.standard_normal((20, 3, 2))
    task = hb.ClassificationTask("patterns", x[:14], y[:14], x[14:], y[14:])
    found, model = trained(network, task, "spikes", numpy_engine)
    predicted = saved(model, tmp_path / "m.npz").predict(x[14:], engine=numpy_engine)
    assert [*map(int, predicted.predicted)] == found.fitted["full", "spikes"].predicted.tolist()
    for data, message in ((x[:, :2], "must be"), (np.full((1, 3, 2), np.nan), "must be finite")):
        with pytest.raises(InputError, match=message):
            model.predict(data, engine=numpy_engine)
    with pytest.raises(InputError, match="is about a series"):
        model.predict(x, engine=numpy_engine, free=3)
    task.currents = lambda network, trials: trials
    with pytest.raises(InputError, match="has its own way into a network"):
        found.model()


def test_images_that_do_not_fit_are_refused(network, numpy_engine, tmp_path):
    _, model = trained(network, image_task(), "spikes", numpy_engine)
    x = np.full((2, 4, 4), 99, dtype=np.uint8)
    files = {
        "wide.npz": {"x": np.full((2, 4, 5), 9)},
        "none.npz": {"images": x},
        "many.npz": {"x": x, "y": np.arange(3)},
        "label.npz": {"x": x, "y": np.array([1, 4])},
        "object.npz": {"x": np.array([None, 1], dtype=object)},
        "half.npz": {"x": np.full((2, 4, 4), 0.5)},
        "text.npz": None,
        "gone.npz": None,
    }
    for name, arrays in files.items():
        if arrays is not None:
            np.savez(tmp_path / name, **arrays)
    (tmp_path / "text.npz").write_text("no archive")
    for name, message in {
        "wide.npz": "images of 4 x 5 x 1'?: must be 4 x 4 x 1",
        "none.npz": "holds no images",
        "many.npz": "3 labels'?: must be one for each of the 2 images",
        "label.npz": "label of image 1 must be from 0 to 3",
        "object.npz": "is damaged or holds no images",
        "half.npz": "whole numbers from 0 to 255",
        "text.npz": "is damaged or holds no images",
        "gone.npz": "there is no such folder or file",
    }.items():
        with pytest.raises(InputError, match=message):
            model.predict(model.predictor.read(tmp_path / name), engine=numpy_engine)


def test_a_readout_with_products_is_saved_whole(network, numpy_engine, tmp_path, no_fit):
    task = series_task(vpt=VptProtocol(2, 12, 3, 0.4, 1.0, "samples", 3.0))
    found, model = trained(network, task, QUADRATIC, numpy_engine)
    fitted = found.fitted["full", QUADRATIC]
    no_fit()
    again = saved(model, tmp_path / "m.npz")
    data = Series(task.series, cuts=task.cuts)
    predicted = again.predict(data, engine=numpy_engine, free=2)
    rows = np.searchsorted(predicted.rows, task.test_rows)
    for h, expected in fitted.predictions.items():
        np.testing.assert_allclose(predicted.predictions[h][rows], expected, rtol=1e-9)
    # what runs inside the program is what was scored in closed loop
    drive = again.predictor.drive(data, 2, SEED)
    for part in ("intercept", "from_u", "factors"):
        ours, theirs = getattr(drive.readout, part), getattr(fitted.closed_loop.readout, part)
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    assert predicted.free.shape == (2, 2)
    with pytest.raises(InputError, match="known: spikes\\+products"):
        found.model("spikes+v")


def test_a_task_without_models_says_so(walked):
    found, _ = walked
    with pytest.raises(InputError, match="has no readouts that can be saved"):
        replace(found, task=Bare()).model()


class Bare(hb.RunTask):
    """A task of the user's that says nothing of new data."""

    name = "bare"

    def trials(self):
        raise NotImplementedError

    targets = fit = trials


def test_damaged_and_foreign_files_are_refused(walked, network, tmp_path):
    _, model = walked
    path = hb.save_model(model, tmp_path / "m.npz")
    with np.load(path) as archive:
        whole = dict(archive)
    meta = json.loads(str(whole["meta"]))
    kind = json.dumps({**meta, "kind": "sounds"})
    other = json.dumps({**meta, "network_digest": "0" * 32})
    for changes, message in (
        ({"version": np.array(2)}, "has version 2 of the format; this program reads version 1"),
        ({"format": np.array("other")}, "is not a model saved by hrsnn"),
        ({"meta": None}, "lacks meta"),
        ({"network/meta": None}, "lacks network/meta"),
        ({"network/W_data": None}, "is damaged"),
        ({"network/tau_m": np.full(20, np.nan)}, "is not usable"),
        ({"weights/u": None}, "is damaged"),
        ({"intercept": np.zeros(3)}, "do not fit each other"),
        ({"mean": np.full(3, np.nan)}, "is not finite"),
        ({"meta": np.array(kind)}, "sounds"),
        ({"meta": np.array(other)}, "not the one it was saved with"),
        ({"meta": np.array("{")}, "is damaged"),
        ({"meta": np.array("[]")}, "is damaged"),
    ):
        kept = {name: array for name, array in {**whole, **changes}.items() if array is not None}
        np.savez(tmp_path / "bad.npz", **kept)
        with pytest.raises(InputError, match=message) as error:
            hb.load_model(tmp_path / "bad.npz")
        assert "\n" not in str(error.value)
    (tmp_path / "cut.npz").write_bytes(path.read_bytes()[:-200])
    hb.save_network(network, tmp_path / "net.npz")
    for name, message in (
        ("cut.npz", "corrupt"),
        ("net.npz", "is not a model saved by hrsnn"),
        ("gone.npz", "no such file"),
    ):
        with pytest.raises(InputError, match=message):
            hb.load_model(tmp_path / name)


def test_another_network_is_told_apart(walked, network):
    _, model = walked
    model.require_network(network)
    with pytest.raises(InputError, match="the model is of another network"):
        model.require_network(network.without_recurrence())


def test_known_columns_in_another_order_are_refused_and_far_data_are_told(numpy_engine, tmp_path):
    random = np.random.default_rng(4)
    rows = random.standard_normal((400, 2)).cumsum(axis=0) * [1.0, 0.01] + [5.0, 1000.0]
    text = "\n".join(["speed,press", *(f"{a:.6f},{b:.6f}" for a, b in rows)])
    (tmp_path / "a.csv").write_text(text)
    task = hb.own_series_task(tmp_path / "a.csv", "speed,press", horizons=(1,))
    found = hb.evaluate(
        hb.build_network(hb.HRSNNParams(N=20, K=4), seed=1),
        task,
        engine=numpy_engine,
        readouts="spikes",
        controls=False,
    )
    model = found.model()
    assert len(repr(found)) + len(repr(model)) < 400
    assert "vpt_samples" in repr(found)
    with pytest.raises(InputError, match=r"press, speed.*knows them as speed, press"):
        model.predictor.read(tmp_path / "a.csv", "press,speed")
    (tmp_path / "b.csv").write_text(text.replace("speed,press", "v,p"))
    same = model.predict(model.predictor.read(tmp_path / "b.csv", "v,p"), engine=numpy_engine)
    assert not any("same unit" in remark for remark in same.remarks)
    swapped = model.predict(rows[:, ::-1], engine=numpy_engine)
    assert any("same unit" in remark for remark in swapped.remarks)
