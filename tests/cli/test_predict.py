"""`hrsnn evaluate --save` and `hrsnn predict`: what is written, and bad input in one line."""

import csv
import json

import numpy as np
import pytest

import hrsnn_brian as hb
from hrsnn_brian.cli.main import main
from hrsnn_brian.files.schema import read_schema
from hrsnn_brian.tasks.image_task import ImageOptions, ImageTask
from hrsnn_brian.tasks.images.read import digits


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_series(path, n, columns=("speed",)):
    """Hourly values: the same ones, whatever n."""
    random = np.random.default_rng(0)
    values = np.sin(np.arange(2000)[:, None] / 5) + 0.1 * random.standard_normal((2000, 2))
    lines = [",".join(["when", *columns])]
    for k in range(n):
        cells = [f"{x:.6f}" for x in values[k, : len(columns)]]
        lines.append(",".join([f"2024-01-{1 + k // 24:02d} {k % 24:02d}:00", *cells]))
    path.write_text("\n".join(lines))


def rows_of(path):
    with open(path, newline="") as stream:
        return list(csv.DictReader(stream))


def last_line(capfd):
    out, err = capfd.readouterr()
    assert "Traceback" not in err
    assert out == ""
    return err.splitlines()[-1]


@pytest.mark.compiled
def test_a_saved_model_predicts_the_series_it_was_scored_on(here, capfd):
    write_series(here / "s.csv", 400)
    write_series(here / "new.csv", 460)
    build = ["build", "--set", "N=40", "--set", "K=8", "--out", "net.npz"]
    assert main(build) == 0
    words = ["evaluate", "net.npz", "--data", "s.csv", "--column", "speed", "--horizons", "1,6"]
    assert main([*words, "--save", "m.npz", "--readout", "spikes+v", "--out", "e.csv"]) == 0
    assert "wrote m.npz: spikes+v on s:speed" in capfd.readouterr().out
    full = next(row for row in rows_of("e.csv") if row["readout"] == "spikes+v")

    words = ["predict", "m.npz", "--network", "net.npz", "--data"]
    assert main([*words, "s.csv", "--free", "3", "--out", "p.csv", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    for name in ("rmse_h1_speed", "nrmse_h1", "rmse_h6_speed", "nrmse_h6"):
        assert found["scores"][name] == pytest.approx(float(full[name]), rel=1e-9)
    assert found["scored"] == 400 - 20 - round(0.7 * 380) - 6
    rows = rows_of("p.csv")
    assert len(rows) == 400 - 20 + 3
    assert list(rows[0])[:3] == ["row", "line", "time"]
    assert (rows[0]["row"], rows[0]["line"], rows[0]["time"]) == ("20", "22", "2024-01-01 20:00")
    assert [row["free_step"] for row in rows[-4:]] == ["", "1", "2", "3"]
    assert list(read_schema("p.csv").columns) == list(rows[0])
    assert read_schema("p.csv").columns["prediction_h6"].meaning == "predicted: speed 6 rows on"

    # more rows change nothing of what was predicted from those before
    assert main([*words, "new.csv", "--out", "q.csv"]) == 0
    longer = rows_of("q.csv")
    assert [row["prediction_h6"] for row in longer[:380]] == [
        row["prediction_h6"] for row in rows[:380]
    ]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The folder with a model of a series, one of a few digits, and what they can be given."""
    folder = tmp_path_factory.mktemp("models")
    engine = hb.Engine("numpy")
    network = hb.build_network(hb.HRSNNParams(N=20, K=5), seed=1)
    hb.save_network(network, folder / "net.npz")
    hb.save_network(network.without_recurrence(), folder / "other.npz")
    options = {"seed": 2, "readouts": ("spikes",), "controls": False, "engine": engine}
    write_series(folder / "s.csv", 310)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hb.ForecastTask, "shown_with", {"sample": "2 ms"})
        task = hb.own_series_task(folder / "s.csv", "speed", horizons=(2,))
        hb.save_model(hb.evaluate(network, task, **options).model(), folder / "series.npz")
    task = ImageTask(digits(), ImageOptions(train=40, test=10, sample="1 ms", snapshots=2))
    found = hb.evaluate(network, task, **options)
    hb.save_model(found.model(), folder / "digits.npz")
    np.savez(folder / "new.npz", x=task.images.x_test, y=task.images.y_test)
    np.save(folder / "wide.npy", np.full((2, 28, 28), 9))
    np.savez(folder / "bad.npz", x=np.full((2, 8, 8), 99), y=[0, 11])
    write_series(folder / "short.csv", 12)
    write_series(folder / "two.csv", 60, ("speed", "gust"))
    write_series(folder / "renamed.csv", 60, ("wind",))
    text = (folder / "renamed.csv").read_text().splitlines()
    (folder / "text.csv").write_text("\n".join([*text[:9], "2024-01-01 08:00,calm", *text[10:]]))
    (folder / "cut.npz").write_bytes((folder / "series.npz").read_bytes()[:900])
    (folder / "accuracy").write_text(str(found.rows()[0]["accuracy"]))
    return folder


def test_images_are_classified_and_scored_where_labels_are(models, here, capfd):
    words = ["predict", f"{models}/digits.npz", "--data", f"{models}/new.npz", "--device", "numpy"]
    assert main([*words, "--out", "p.csv", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["scores"]["accuracy"] == float((models / "accuracy").read_text())
    rows = rows_of("p.csv")
    assert list(rows[0]) == ["trial", "class", "margin", "label"]
    right = [row["class"] == row["label"] for row in rows]
    assert np.mean(right) == found["scores"]["accuracy"]


def test_a_renamed_column_is_named_and_too_few_rows_for_a_split_do(models, here, capfd):
    words = ["predict", f"{models}/series.npz", "--data", f"{models}/renamed.csv"]
    words += ["--column", "wind", "--device", "numpy", "--out", "p.json"]
    assert main(words) == 0
    out, err = capfd.readouterr()
    assert "nothing is trained" in err
    assert "scores of" in out
    found = json.loads((here / "p.json").read_text())
    assert found["rows"][-1]["row"] == 59
    assert found["seed"] == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("gone.npz --data s.csv", "no such file"),
        ("cut.npz --data s.csv", "is corrupt, pickled or no .npz archive"),
        ("net.npz --data s.csv", "is not a model saved by hrsnn"),
        ("series.npz --data gone.csv", "cannot be read"),
        ("series.npz --data s.csv --network other.npz", "the model is of another network"),
        ("series.npz --data s.csv --seed 3", "--seed = 3: the model is of seed 2"),
        ("series.npz --data s.csv --free 2", "free = 2: needs a model that predicts its own"),
        ("series.npz --data s.csv --free 0", "'0' is not a whole number >= 1"),
        ("series.npz --data short.csv", "has 12 rows, at least 16 are needed"),
        ("series.npz --data two.csv --column speed,gust", "2 columns': must be the 1 shown"),
        ("series.npz --data renamed.csv", "column = 'speed': unknown; known: when, wind"),
        ("series.npz --data text.csv --column wind", "line 10 holds 'calm', not a finite number"),
        ("series.npz --data s.csv --out p.txt", "--out = "),
        ("digits.npz --data wide.npy", "'wide.npy': images of 28 x 28 x 1: must be 8 x 8"),
        ("digits.npz --data bad.npz", "'bad.npz': labels = 11: label of image 1 must be from 0"),
        ("digits.npz --data .", "is a folder, and the model is of digits: give a .npy or .npz"),
        ("digits.npz --data s.csv", "is damaged or holds no images"),
        ("digits.npz --data new.npz --column x", "--column = ['x']: is about a series"),
        ("digits.npz --data new.npz --free 2", "--free = 2: is about a series"),
        ("digits.npz", "--data"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(models, here, monkeypatch, words, message, capfd):
    monkeypatch.chdir(models)
    before = sorted(models.iterdir())
    assert main(["predict", *words.split(), *["--out", "p.csv"] * ("--out" not in words)]) == 2
    assert message in last_line(capfd)
    assert sorted(models.iterdir()) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--readout spikes", "--readout = 'spikes': has no effect without --save"),
        ("--save m.npz --readout spike", "--readout = 'spike': unknown; did you mean 'spikes'?"),
        ("--save m.csv", "--save = 'm.csv': "),
        ("--save gone/m.npz", "--save = 'gone/m.npz': "),
        ("--save net.npz", "--save = 'net.npz': is the network"),
    ],
)
def test_what_cannot_be_saved_is_refused_first(models, monkeypatch, words, message, capfd):
    monkeypatch.chdir(models)
    before = sorted(models.iterdir())
    given = ["evaluate", "net.npz", "--data", "s.csv", "--column", "speed", *words.split()]
    assert main(given) == 2
    assert message in last_line(capfd)
    assert sorted(models.iterdir()) == before
