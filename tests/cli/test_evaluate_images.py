"""`hrsnn evaluate` with an image task: what is written, and bad input in one line."""

import json

import numpy as np
import pytest

import hrsnn_brian as hb
from hrsnn_brian.cli.main import main


@pytest.fixture
def saved(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hb.save_network(hb.build_network(hb.HRSNNParams(N=20, K=5), seed=1), tmp_path / "n.npz")
    (tmp_path / "empty").mkdir()
    random = np.random.default_rng(0)
    for name, side, labels in (("small", 8, 10), ("labels", 28, 11)):
        arrays = {}
        for part, n in (("train", 22), ("test", 11)):
            arrays[f"x_{part}"] = random.integers(0, 256, (n, side, side), dtype=np.uint8)
            arrays[f"y_{part}"] = np.arange(n) % labels
        np.savez(tmp_path / f"{name}.npz", **arrays)
    return tmp_path


@pytest.mark.compiled
def test_an_image_task_is_shown_and_its_confusions_are_written(saved, capfd):
    words = "evaluate n.npz --task digits --out e.json --set train=30 --set test=20"
    options = ["sample=1 ms", "snapshots=2", "logistic=false"]
    settings = [word for option in options for word in ("--set", option)]
    assert main([*words.split(), *settings]) == 0
    out, err = capfd.readouterr()
    assert "spikes, last state" in out
    assert "linear on pixels" in out
    assert "digits: 30 training and 20 test trials" in err
    assert "full: shown 50/50 | elapsed" in err
    found = json.loads((saved / "e.json").read_text())
    assert set(found["classes"]) <= set("0123456789")
    tables = {(t["network"], t["readout"]): np.array(t["counts"]) for t in found["confusions"]}
    assert len(tables) == 4 + 3 * 2
    for row in found["rows"]:
        if row["readout"] != "none":
            counts = tables[row["network"], row["readout"]]
            assert np.trace(counts) / counts.sum() == row["accuracy"]
            assert counts.sum() == 20


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--task mnist", "data = None: must be given for mnist"),
        ("--task mnist --data nowhere", "data = "),
        ("--task cifar10 --data empty", "does not hold cifar10"),
        ("--task mnist --data small.npz", "holds images of 8 x 8 x 1; those of mnist 28 x 28 x 1"),
        ("--task mnist --data labels.npz", "label of image 10 must be from 0 to 9"),
        ("--task digits --data empty", "--task = 'digits': contradicts --data"),
        ("--task digits --labels coarse", "--labels = 'coarse': is nothing that can be chosen of"),
        ("--task cifar100 --data empty --labels corse", "labels = 'corse': unknown; did you mean"),
        ("--task digits --column x", "--column = 'x': is about a file of your own"),
        ("--data s.csv --column x --labels fine", "--labels = 'fine': is about a task"),
        ("--task digits --set train=5000", "train = 5000: must be from 1 to 1437"),
        ("--task digits --set sample=0.5ms --set test=1", "timing.sample = '0.5 ms': must be a"),
        ("--task digits --set snapshots=0", "snapshots = 0: must be a whole number >= 1"),
        ("--task digits --set front_end.kind=pixels", "front_end.kind = 'pixels': unknown; known:"),
        ("--task digits --set traces=100", "100"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(saved, words, message, capfd):
    before = sorted(saved.iterdir())
    assert main(["evaluate", "n.npz", *words.split(), "--out", "e.json"]) == 2
    out, err = capfd.readouterr()
    assert message in err.splitlines()[-1]
    assert "Traceback" not in err
    assert out == ""
    assert sorted(saved.iterdir()) == before
