"""Tables read back: no shifted column, no text for a number, a seed counts once, inf stays inf."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import test_ablation
import test_dynamics_study
import test_figures
import test_lyapunov_figures
import test_methods_figure
import test_task_figures

from hrsnn_brian.cli.main import main
from hrsnn_brian.errors import InputError
from hrsnn_brian.figures import (
    ablation,
    classification_table,
    convergence,
    divergence,
    dynamics,
    exponent_vs_J,
    finite_size,
    prediction_table,
    pruning_curve,
    pruning_methods,
    spectrum,
    transfer,
)
from hrsnn_brian.files.tables import (
    Table,
    read_table,
    require_numbers,
    schema_in,
    table_text,
    write_table,
)
from hrsnn_brian.statistics.paired_seeds import by_seed
from hrsnn_brian.studies.lyapunov_spectrum import STUDY as SPECTRUM

FIGURES: dict[str, tuple[Callable[..., list], Callable[[], list[dict]], str, str]] = {
    # figure: how it is drawn, its rows, a number that says what a row is, a number it shows
    "pruning_curve": (pruning_curve.draw, test_figures.synthetic_rows, "keep", "nrmse_h1"),
    "pruning_methods": (pruning_methods.draw, test_methods_figure.rows, "keep", "nrmse_h84"),
    "transfer": (transfer.draw, test_task_figures.transfer_rows, "seed", "nrmse_h84"),
    "prediction_table": (
        *(prediction_table.draw, test_task_figures.prediction_rows, "seed", "nrmse_h84"),
    ),
    "classification_table": (
        *(classification_table.draw, test_task_figures.classification_rows, "seed", "accuracy"),
    ),
    "ablation": (ablation.draw, test_ablation.synthetic_rows, "keep", "nrmse_h84"),
    "dynamics": (dynamics.draw, test_dynamics_study.synthetic_rows, "keep", "isi_cv"),
    "finite_size": (finite_size.draw, test_lyapunov_figures.finite_size_rows, "d0", "value_per_s"),
    "exponent_vs_J": (exponent_vs_J.draw, test_lyapunov_figures.spectrum_rows, "J", "value_per_s"),
    "spectrum": (spectrum.draw, test_lyapunov_figures.spectrum_rows, "J", "value_per_s"),
    "convergence": (convergence.draw, test_lyapunov_figures.spectrum_rows, "J", "value_per_s"),
    "divergence": (divergence.draw, test_lyapunov_figures.spectrum_rows, "J", "ln_distance"),
}
TABLES = {"finite_size": "perturbation_size"} | dict.fromkeys(
    ("exponent_vs_J", "spectrum", "convergence", "divergence"), SPECTRUM.name
)

# ---- reading ----


def table_of(tmp_path: Path, text: str) -> pd.DataFrame:
    (tmp_path / "t.csv").write_text(text)
    return read_table(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed,x\n0,1,7\n1,2,8\n", "t.csv': line 2 has 3 cells, the header has 2"),
        ("seed,x,y\n0,1,2\n1,2\n", "line 3 has 2 cells, the header has 3"),
        ("seed,x\n0,1\n1,2,3\n", "line 3 has 3 cells, the header has 2"),
        ("seed,x,x\n0,1,2\n", "line 1 names 'x' twice"),
        ("seed,,x\n0,1,2\n", "line 1 leaves a column without a name"),
        ('seed,x\n0,"1\n1,2\n', "line 2 is no CSV"),
        ("", "must begin with a line of column names"),
    ],
)
def test_a_table_whose_columns_are_shifted_is_refused(
    text: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        table_of(tmp_path, text)


def test_cells_are_numbers_truth_values_or_words(tmp_path: Path) -> None:
    text = "a,b,c,d,e,f,g\n1,1, 0.1,true,NA,,inf\n2,,1e-3,false,null,,-inf\n3,7,nan,true,x,,\n"
    table = table_of(tmp_path, text)
    assert table["a"].tolist() == [1, 2, 3]
    assert [table[name].dtype.kind for name in "abcdfg"] == list("iffbff")
    assert table["c"].tolist()[:2] == [0.1, 1e-3]
    assert table["e"].tolist() == ["NA", "null", "x"]
    assert table["f"].isna().all()
    assert table["g"].tolist()[:2] == [math.inf, -math.inf]
    assert table_of(tmp_path, "seed,x\n").shape == (0, 2)


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    rows = [
        {
            "seed": k,
            "x": float(x),
            "note": " a, b\nc " if k % 2 else None,
            "ok": k > 3,
            "n": 2**40 + k,
        }
        for k, x in enumerate(random.normal(size=20) * 10.0 ** random.integers(-300, 300, 20))
    ]
    table = read_table(write_table(tmp_path / "t.csv", rows)[0])
    for name in ("seed", "x", "ok", "n"):
        assert table[name].tolist() == [row[name] for row in rows]
    assert [None if v != v else v for v in table["note"]] == [row["note"] for row in rows]


@pytest.mark.parametrize("kind", [float, np.float64, np.float32])
def test_infinite_values_are_written_and_read_as_such(kind: type, tmp_path: Path) -> None:
    rows = [{"a": kind("inf"), "b": kind("-inf"), "c": kind("nan"), "d": None}]
    assert table_text(rows) == "a,b,c,d\ninf,-inf,,\n"
    table = read_table(write_table(tmp_path / "t.csv", rows)[0])
    assert table.loc[0, ["a", "b"]].tolist() == [math.inf, -math.inf]
    require_numbers(table, ["a", "b", "c", "d"])


def test_the_line_of_a_text_is_that_of_the_file(tmp_path: Path) -> None:
    table = table_of(tmp_path, 'note,x\n"two\nlines",1\n\nb,2\nc,3;4\n')
    with pytest.raises(InputError, match="line 6: x holds '3;4', not a number"):
        require_numbers(table, ["x"])


# ---- what the figures do with such tables ----


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("place", [2, 3])
def test_text_for_a_number_is_named_with_its_line(
    name: str, place: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    column, rows = FIGURES[name][place], FIGURES[name][1]()
    kind = {"convergence": "history", "divergence": "divergence", "spectrum": "spectrum"}
    of_figure = [
        k for k, row in enumerate(rows)
        if column in row
        and row.get("quantity") in (None, "finite_size", kind.get(name, "exponent"))
        and (name != "dynamics" or row["recipe"] == "random")
        and row.get("readout") in (None, "", "spikes")
    ]  # fmt: skip
    bad = of_figure[1]
    rows[bad] = rows[bad] | {column: "n/a"}
    (tmp_path / "config.toml").write_text("")
    (tmp_path / "tables").mkdir()
    write_table(tmp_path / "tables" / f"{TABLES.get(name, name)}.csv", rows)
    assert main(["figure", name, "--run", str(tmp_path)]) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert f"line {bad + 2}: {column} holds 'n/a', not a number" in err
    assert f"{TABLES.get(name, name)}.csv" in err
    assert not (tmp_path / "figures").exists()


def bars(axes: list) -> list[np.ndarray]:
    """Ends of every error bar, and the points of every line, of a figure."""
    found = []
    for axis in axes:
        for container in axis.containers:
            segments = [part.get_segments() for part in container[2]]
            found += [np.concatenate([s.reshape(-1, 2) for s in ends]) for ends in segments]
        found += [np.column_stack(line.get_data(orig=False)).astype(float) for line in axis.lines]
    return found


@pytest.mark.parametrize("name", FIGURES)
def test_rows_that_are_there_twice_change_nothing(name: str) -> None:
    draw, rows, _, _ = FIGURES[name]
    once = Table(rows()).frame()
    # a whole run twice, and a third of its rows thrice, with another number that is not drawn
    twice = pd.concat([once, once.assign(seconds=1.0), once[::3]], ignore_index=True)
    for one, two in zip(bars(draw(once)), bars(draw(twice)), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", FIGURES)
def test_two_values_of_one_seed_are_refused(name: str) -> None:
    draw, rows, _, column = FIGURES[name]
    once = Table(rows()).frame()
    other = once[once[column].notna()].copy()
    other[column] += 0.5
    with pytest.raises(InputError, match=f"differ in {column}|two values of '{column}'"):
        draw(pd.concat([once, other], ignore_index=True))


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_is_drawn_from_columns_that_are_empty(name: str) -> None:
    draw, rows, key, _ = FIGURES[name]
    table = Table(rows()).frame()
    with pytest.raises(InputError, match=f"column '{key}' is empty|has no pruned network"):
        draw(table.assign(**{key: math.nan}))
    shown = [*schema_in(table).scores(), *(c for c in table if c.endswith("_per_s"))]
    shown += ["rate_hz", "ln_distance", *dynamics.MEASURES]
    empty = table.assign(**dict.fromkeys([c for c in shown if c in table], math.nan))
    with pytest.raises(InputError, match=r"is empty|no row has a value|no score columns"):
        draw(empty)


def test_a_measure_without_values_is_said_to_have_none() -> None:
    table = Table(test_dynamics_study.synthetic_rows()).frame().assign(isi_cv=math.nan)
    axes = dict(
        zip([*dynamics.MEASURES, "exponents", "eigenvalues"], dynamics.draw(table), strict=True)
    )
    said = {name: [text.get_text() for text in axis.texts] for name, axis in axes.items()}
    assert said.pop("isi_cv") == ["no values"]
    assert not any(said.values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.assign(note="size out of reach"), "no pruned network reached the size"),
        (lambda t: t[t["network"] == "full"], "has no pruned network"),
        (lambda t: t.assign(synaptic_ops_per_s=None), "no row has a value of 'synaptic_ops"),
        (lambda t: t.assign(nrmse_h84=None), "no score columns with values for mackey"),
    ],
)
def test_rules_without_rows_or_scores_are_one_clear_line(
    change: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    table = Table(test_methods_figure.rows()).frame()
    with pytest.raises(InputError, match=message):
        pruning_methods.draw(change(table))
    with pytest.raises(InputError, match=r"no pruned network with keep 0\.3"):
        pruning_methods.draw(table, keep=0.3)
    with pytest.raises(InputError, match="readout v"):
        pruning_methods.draw(table, readout="v")


def test_two_ways_to_match_a_rate_are_one_value_per_seed() -> None:
    """The open points stand for all matched networks; their bars are over seeds, not over rows."""
    table = Table(test_methods_figure.rows()).frame()
    gain = table[table["match"] == "bias"].assign(match="gain")
    one, two = (pruning_methods.draw(t) for t in (table, pd.concat([table, gain])))
    for a, b in zip(bars(one), bars(two), strict=True):
        np.testing.assert_allclose(a, b)


# ---- scores by seed ----


def test_scores_of_a_seed_count_once_and_must_agree() -> None:
    rows = [{"rule": "a", "seed": seed, "x": 1.0 * seed} for seed in (0, 1, 1, 0)]
    assert by_seed(rows, "rule", "x") == {"a": {0: 0.0, 1: 1.0}}
    with pytest.raises(InputError, match=r"'a' has two values of 'x' on seed 1, 1\.0 and 3\.0"):
        by_seed([*rows, {"rule": "a", "seed": 1, "x": 3.0}], "rule", "x")
    assert by_seed([*rows, {"rule": "a", "seed": 1, "x": math.inf}], "rule", "x")["a"][1] == 1.0


@pytest.mark.parametrize("seed", [0.5, math.nan, None, "one", [1]])
def test_a_seed_that_is_no_whole_number_is_refused(seed: object) -> None:
    with pytest.raises(InputError, match="column 'seed' holds"):
        by_seed([{"rule": "a", "seed": seed, "x": 1.0}], "rule", "x")
