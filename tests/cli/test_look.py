"""`hrsnn plot` and `hrsnn show`."""

import json

import pytest

from hrsnn_brian.cli.main import main
from hrsnn_brian.dynamics.portrait import KINDS
from hrsnn_brian.files.tables import read_table


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    path = tmp_path_factory.mktemp("net") / "net.npz"
    assert main(["build", "--set", "N=60", "--seed", "1", "--out", str(path)]) == 0
    return str(path)


def test_plot_writes_pictures_and_their_tables(net, tmp_path, capsys):
    small = str(tmp_path / "small.npz")
    prune = ["prune", net, "--recipe", "magnitude", "--keep", "0.5", "--device", "numpy"]
    assert main([*prune, "--out", small]) == 0
    capsys.readouterr()
    words = ["plot", net, small, "--kind", "degrees,tau", "--out", str(tmp_path / "plots")]
    assert main([*words, "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    kinds = ("pdf", "svg", "png", "csv")
    assert files == [
        str(tmp_path / "plots" / f"{n}.{k}") for n in ("degrees", "tau") for k in kinds
    ]
    table = read_table(tmp_path / "plots" / "degrees.csv")
    sums = table.groupby("network")["in_degree"].sum()
    assert sums["small"] * 2 == sums["net"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--kind", "rasters"], "did you mean 'raster'"),
        (["--seconds", "0"], "--seconds = '0': must be"),
        (["--drive", "white"], "drive"),
    ],
)
def test_plot_refuses_what_it_cannot_do(net, tmp_path, capsys, words, told):
    out = tmp_path / "plots"
    assert main(["plot", net, *words, "--device", "numpy", "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert told in said
    assert not out.exists()


@pytest.mark.compiled
def test_show_says_what_a_network_is_and_does(net, tmp_path, capsys):
    out, page = tmp_path / "facts.json", tmp_path / "page.html"
    assert main(["show", net, "--out", str(out), "--html", str(page)]) == 0
    said = capsys.readouterr().out
    text = page.read_text(encoding="utf-8")
    assert text.count('<img src="data:image/svg+xml;base64,') == len(KINDS)
    assert text.count('alt="') == len(KINDS)
    assert "input echo S" in text
    facts = json.loads(out.read_text())
    assert facts["neurons"] == 60
    assert facts["synapses"] == facts["in_degree"] * 60
    assert facts["keep"] == 1
    assert facts["lambda_1_per_s"] < 0
    assert facts["standard_errors"]["lambda_1_per_s"] > 0
    assert facts["input_echo"] > 0
    for line in ("synapses", "mean rate under noise", "spectral radius", "input echo S"):
        assert line in said


@pytest.mark.compiled
def test_reproduce_ends_with_a_report_without_figures_it_has_no_rows_for(tmp_path, capsys):
    run = tmp_path / "run"
    words = ["--set", "N=60", "--set", "seeds=1", "--set", "recipes=frugal", "--jobs", "1"]
    words += ["--set", "tasks=mackey-glass-84", "--set", "vpt_starts=1", "--out", str(run)]
    assert main(["reproduce", *words]) == 0
    said = capsys.readouterr()
    assert said.out.strip().endswith(str(run / "report.html"))
    assert "no figure free_runs: the run has no rows for it" in said.err
    assert (run / "figures" / "eigenvalue_clouds.svg").is_file()
    text = (run / "report.html").read_text(encoding="utf-8")
    assert text.count("<img ") == len(list((run / "figures").glob("*.svg"))) == 5
