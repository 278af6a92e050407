"""Images as a task: what is shown of them, what is fitted to which, what can be chosen."""

from dataclasses import replace

import numpy as np
import pytest

import hrsnn_brian as hb
from hrsnn_brian.errors import InputError
from hrsnn_brian.tasks import get_task
from hrsnn_brian.tasks.image_task import OPTIONS, ImageOptions, ImageTask
from hrsnn_brian.tasks.images.image_set import ImageSet
from hrsnn_brian.tasks.projection import few_columns

TRAIN, TEST, SIDE = 12, 5, 4


def images(seed: int = 0) -> ImageSet:
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (TRAIN + TEST, SIDE, SIDE, 1), dtype=np.uint8)
    labels = np.arange(TRAIN + TEST) % 3
    classes = ("ant", "bee", "cow")
    return ImageSet("toy", pixels[:TRAIN], labels[:TRAIN], pixels[TRAIN:], labels[TRAIN:], classes)


def task(given: ImageSet | None = None, **chosen: object) -> ImageTask:
    return ImageTask(given or images(), ImageOptions(**chosen))


def test_lines_are_shown_side_by_side_or_in_turn():
    one = images()
    pixels = one.x_train[..., 0].astype(float)
    z = (pixels - pixels.mean()) / pixels.std()
    both, turn = task(one), task(one, front_end={"lines": {"show": "in turn"}})
    np.testing.assert_allclose(
        both.shown(range(TRAIN)), np.concatenate([z, z.transpose(0, 2, 1)], axis=2)
    )
    np.testing.assert_allclose(
        turn.shown(range(TRAIN)), np.concatenate([z, z.transpose(0, 2, 1)], axis=1)
    )
    np.testing.assert_allclose(turn.features(range(3))[1], turn.shown(range(3))[1].ravel())
    plain = turn.plain(range(TRAIN, TRAIN + 2))
    assert set(plain) == {"linear on features", "linear on pixels"}
    np.testing.assert_allclose(plain["linear on pixels"], one.x_test[:2].reshape(2, -1) / 255)


@pytest.mark.parametrize(
    ("snapshots", "at"),
    [(1, (3,)), (2, (1, 3)), (3, (1, 2, 3)), (4, (0, 1, 2, 3)), (9, (0, 1, 2, 3))],
)
def test_snapshots_are_spread_and_the_last_one_is_at_the_end(snapshots, at):
    assert task(snapshots=snapshots).at == at


def test_nothing_is_fitted_to_test_images():
    """Other test images and labels: training images are encoded to the same bits."""
    one, other = images(), images(1)
    mixed = replace(one, x_test=other.x_test, y_test=other.y_test[::-1])
    for show in ("both", "in turn"):
        chosen = {"front_end": {"lines": {"show": show}}}
        np.testing.assert_array_equal(
            task(one, **chosen).shown(range(TRAIN)), task(mixed, **chosen).shown(range(TRAIN))
        )
    rows = task(one)
    assert [*rows.fit_rows, *rows.held_rows] == list(range(TRAIN))
    assert rows.test_rows == range(TRAIN, TRAIN + TEST)


def test_what_is_chosen_replaces_the_networks_timing_and_gain():
    chosen = task(sample="3 ms", traces=["20 ms"], gain=5.0, logistic=False)
    assert chosen.shown_with == {"sample": 3e-3, "traces": (20e-3,), "gain": 5.0}
    assert chosen.readouts == ("spikes", "spikes, last state", "spikes+v", "spikes+features")
    assert task().readouts[-1] == "spikes, logistic"
    fewer = task(logistic=False, potentials=False)
    assert fewer.readouts == ("spikes", "spikes, last state", "spikes+features")
    assert task().classes == ("ant", "bee", "cow")
    assert (task(train=6, test=2).n_train, task(train=6, test=2).n_test) == (6, 2)


def test_what_a_table_leaves_out_of_a_part_keeps_the_default_of_the_task():
    mnist = OPTIONS["mnist"](input={"offset": 0}, front_end={"patches": {"threshold": 2}})
    assert (mnist.input.way, mnist.input.offset) == ("columns", 0)
    assert (mnist.front_end.kind, mnist.front_end.patches.atoms) == ("patches", 200)
    assert OPTIONS["mnist"](**mnist.to_dict()) == mnist


def test_digits_come_by_name_and_the_front_end_can_be_set_from_texts_and_tables():
    by_text = get_task("digits", 0, ["front_end.lines.show=rows", "train=50", "test=9"])
    by_table = get_task("digits", 0, train=50, test=9, front_end={"lines": {"show": "rows"}})
    np.testing.assert_array_equal(by_text.shown(range(50)), by_table.shown(range(50)))
    assert by_text.shown(range(50)).shape == (50, 8, 8)
    assert by_text.extent() == "50 training and 9 test trials"
    quick = get_task("digits", 0, quick=True)
    assert (quick.n_train, quick.n_test) == (1000, 360)  # there are no 500
    assert set(OPTIONS) == {"digits", "mnist", "fashion-mnist", "cifar10", "cifar100"}


def test_patches_are_fitted_and_encoded_with_progress_before_they_are_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("HRSNN_CACHE", str(tmp_path))
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (14, 8, 8, 3), dtype=np.uint8)
    labels = np.arange(14) % 2
    one = ImageSet("toy", pixels[:10], labels[:10], pixels[10:], labels[10:], ("a", "b"))
    patches = {"size": 3, "atoms": 5, "grid": 2, "samples": 1000}
    found = task(one, front_end={"kind": "patches", "patches": patches})
    told = []
    found.prepare(lambda what, done, total: told.append((what, done, total)))
    assert list(dict.fromkeys(what for what, _, _ in told)) == [
        *("front-end", "train images encoded", "test images encoded")
    ]
    assert all(0 <= done <= total == 100 for _, done, total in told)
    assert found.shown(range(10)).shape == (10, 4, 5)
    np.testing.assert_array_equal(found.shown(range(10, 14)), found.front_end.encode(pixels[10:]))


def test_an_image_of_another_size_than_its_front_end_can_show_is_refused():
    pixels = images().x_train[:, :3]
    labels = np.arange(TRAIN) % 2
    one = ImageSet("toy", pixels, labels, pixels, labels, ("a", "b"))
    with pytest.raises(InputError, match="must be rows or columns for images of 3 x 4"):
        task(one, front_end={"lines": {"show": "in turn"}}).shown(range(2))


def test_a_choice_inside_the_front_end_leaves_the_rest_of_it_as_it_is_shipped(tmp_path):
    arrays = {f"x_{part}": np.full((10, 32, 32, 3), 77, np.uint8) for part in ("train", "test")}
    arrays |= {f"y_{part}": np.arange(10) for part in ("train", "test")}
    np.savez(tmp_path / "cifar10.npz", **arrays)
    for chosen in (
        get_task("cifar10", 0, ["front_end.patches.atoms=60"], data=str(tmp_path)),
        get_task("cifar10", 0, front_end={"patches": {"atoms": 60}}, data=tmp_path),
    ):
        front_end = chosen.options.front_end
        assert (front_end.kind, front_end.patches.atoms) == ("patches", 60)


def test_every_seed_sees_the_same_patches_and_one_fit_serves_them(tmp_path, monkeypatch):
    monkeypatch.setenv("HRSNN_CACHE", str(tmp_path / "cache"))
    random = np.random.default_rng(0)
    arrays = {
        f"x_{part}": random.integers(0, 256, (20, 28, 28), dtype=np.uint8)
        for part in ("train", "test")
    }
    arrays |= {f"y_{part}": np.arange(20) % 10 for part in ("train", "test")}
    np.savez(tmp_path / "mnist.npz", **arrays)
    options = {"atoms": 5, "samples": 1000}
    one, other = (
        get_task("mnist", seed, data=tmp_path, front_end={"patches": options}) for seed in (1, 2)
    )
    shown = one.shown(range(20))
    assert shown.shape == (20, 16, 5)
    made = sorted((tmp_path / "cache" / "images").glob("*/manifest.json"))
    np.testing.assert_array_equal(other.shown(range(20)), shown)
    assert sorted((tmp_path / "cache" / "images").glob("*/manifest.json")) == made


def test_few_columns_are_the_way_of_patches_and_the_encoder_that_of_lines():
    network = hb.build_network(hb.HRSNNParams(N=20, K=5), seed=1)
    by_encoder, by_columns = task(), task(input={"way": "columns", "seen": 3, "offset": 0.5})
    assert by_encoder.currents is None
    trials = by_columns.shown(range(4))
    sums = trials @ few_columns(network, trials.shape[2], 3).toarray().T
    np.testing.assert_allclose(
        by_columns.currents(network, trials), network.params.encoder.gain * (sums + 0.5)
    )
    assert {name: kind().input.way for name, kind in OPTIONS.items()} == {
        "digits": "encoder",
        **dict.fromkeys(("mnist", "fashion-mnist", "cifar10", "cifar100"), "columns"),
    }
    with pytest.raises(InputError, match=r"input\.seen = 0: must be a whole number >= 1"):
        task(input={"seen": 0})
