"""Tables keep their units in the column names; figures show exactly what the table says."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scores import error, vpt

from hrsnn_brian.errors import InputError
from hrsnn_brian.figures import registry
from hrsnn_brian.figures.pruning_curve import draw, panels
from hrsnn_brian.figures.registry import FIGURES, draw_figure, drawable, list_figures
from hrsnn_brian.files.columns import FULL, Column
from hrsnn_brian.files.schema import schema_of, schema_path
from hrsnn_brian.files.score import Score
from hrsnn_brian.files.tables import read_table, write_table
from hrsnn_brian.runs.study import resolve_options
from hrsnn_brian.studies import pruning_curve as study
from hrsnn_brian.tasks import ForecastTask, VptProtocol
from hrsnn_brian.tasks.scores import unit_word

KEEPS, METHODS, SEEDS = (1.0, 0.5, 0.1), ("random", "noise"), (0, 1, 2)


def score(seed: int, method: str, keep: float) -> float:
    return 2.0 + 0.1 * seed + (0.3 if method == "noise" else 0.0) + math.log10(keep)


def lorenz_scores(value: float) -> dict[str, Score]:
    return {"nrmse_h1": error("nrmse_h1", value), "vpt_lyapunov_times": vpt(value)}


def wind_scores(value: float) -> dict[str, Score]:
    scores = [
        error("rmse_h1_m_per_s", value, unit="m/s"),
        error("nrmse_h1", value, minor=True),
        error("rmse_h6_m_per_s", value, unit="m/s", ahead=6),
        vpt(value, "vpt_hours", "h"),
    ]
    return {score.name: score for score in scores}


def synthetic_rows() -> list[dict]:
    rows = []
    for seed in SEEDS:
        for task, names in (
            ("lorenz63-x", lorenz_scores),
            ("wind", wind_scores),
        ):
            for readout in ("spikes", "spikes+v"):
                shift = 0.0 if readout == "spikes" else 10.0
                base = {"seed": seed, "task": task, "readout": readout, "network": "pruned"}
                for keep in KEEPS:
                    for method in METHODS:
                        value = score(seed, method, keep) + shift
                        rows.append(base | {"recipe": method, "keep": keep} | names(value))
                rows.append(
                    base | {"network": "no recurrence", "recipe": "", "keep": 0.0} | names(0.5)
                )
            for method in ("persistence", "linear AR"):
                rows.append(
                    {"seed": seed, "task": task, "readout": "none", "network": method} | names(0.25)
                )
    return rows


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "tables").mkdir()
    write_table(tmp_path / "tables" / "pruning_curve.csv", synthetic_rows())
    return tmp_path


@pytest.fixture
def table(run: Path):
    return read_table(run / "tables" / "pruning_curve.csv")


# ---- what a forecast says of its scores ----


def told(unit: str, horizons: tuple[int, ...], vpt: VptProtocol | None) -> list[Score]:
    series = np.random.default_rng(0).normal(size=(600, 1))
    task = ForecastTask("own", "", unit, "1 h", series, horizons, 50, 300, 60, 250, True, vpt)
    fitted = task.fit({})
    loop = fitted.closed_loop
    return [*fitted.scores, *(loop.score(loop.teacher) if loop else ())]


HOURS = VptProtocol(5, 10, 40, 0.4, 1.0, "h", 40.0)


def test_units_enter_the_names():
    scores = {score.name: score for score in told("m/s", (1, 6), HOURS)}
    assert list(scores) == [
        *("rmse_h1_m_per_s", "nrmse_h1", "rmse_h6_m_per_s", "nrmse_h6", "alpha", "alpha_at_edge"),
        *("vpt_hours", "vpt_sem_hours", "vpt_median_hours", "vpt_capped_fraction", "vpt_starts"),
        "vpt_threshold_sd",
    ]
    assert scores["vpt_threshold_sd"].value == 0.4
    assert scores["vpt_starts"].value == 5
    assert {name for name, score in scores.items() if score.unit == "h"} == {
        *("vpt_hours", "vpt_sem_hours", "vpt_median_hours"),
    }
    assert next(iter(told("1", (1,), None))).name == "rmse_h1"
    assert unit_word("trading days") == "trading_days"


def test_scores_worth_a_panel_are_the_ends_of_the_horizons_and_the_vpt():
    def shown(*given: Any) -> list[Column]:
        return schema_of([{"task": "own"} | {s.name: s for s in told(*given)}]).shown("own")

    wind = shown("m/s", (1, 3, 24), HOURS)
    assert [s.name for s in wind] == ["rmse_h1_m_per_s", "rmse_h24_m_per_s", "vpt_hours"]
    assert wind[1].label == "RMSE 24 steps ahead (m/s)"
    assert [s.better for s in wind] == ["lower", "lower", "higher"]
    assert [s.name for s in shown("1", (84,), None)] == ["nrmse_h84"]
    lyapunov = replace(HOURS, unit="Lyapunov times")
    assert [s.label for s in shown("1", (1,), lyapunov)] == [
        *("NRMSE 1 step ahead", "VPT (Lyapunov times)"),
    ]


@pytest.mark.parametrize(
    ("given", "primary"),
    [
        (("m/s", (1, 24), HOURS), "vpt_hours"),
        (("m/s", (24, 2), None), "rmse_h24_m_per_s"),
        (("1", (84,), None), "nrmse_h84"),
    ],
)
def test_a_forecast_is_judged_by_its_prediction_time_else_by_its_longest_horizon(given, primary):
    assert [score.name for score in told(*given) if score.primary] == [primary]


# ---- the figure ----


def test_panels_are_one_per_task_and_score(table):
    shown = [(p.task, p.score.name) for p in panels(table)]
    assert shown == [
        ("lorenz63-x", "nrmse_h1"),
        ("lorenz63-x", "vpt_lyapunov_times"),
        ("wind", "rmse_h1_m_per_s"),
        ("wind", "rmse_h6_m_per_s"),
        ("wind", "vpt_hours"),
    ]


def test_lines_are_means_and_bars_standard_errors_over_seeds(table):
    axes = draw(table)
    assert len(axes) == 5
    for axis in axes:
        containers = {c.get_label(): c for c in axis.containers}
        assert set(containers) == set(METHODS)
        for method, container in containers.items():
            data, bars = container[0], container[2]
            order = np.argsort(data.get_xdata(orig=False))
            keeps = np.array(data.get_xdata(orig=False))[order]
            np.testing.assert_allclose(keeps, sorted(KEEPS), rtol=0.05)  # moved apart a little
            wanted = [[score(s, method, keep) for s in SEEDS] for keep in sorted(KEEPS)]
            np.testing.assert_allclose(
                np.array(data.get_ydata(orig=False))[order], np.mean(wanted, axis=1)
            )
            (low, high), *_ = (np.array(s)[:, 1] for s in bars[0].get_segments())
            assert (high - low) / 2 == pytest.approx(0.1 / math.sqrt(3))


def test_controls_are_horizontal_lines_at_their_means(table):
    for axis in draw(table):
        lines = {line.get_label(): line.get_ydata() for line in axis.get_lines()}
        assert set(lines["no recurrence"]) == {0.5}
        assert set(lines["persistence"]) == set(lines["linear AR"]) == {0.25}


def test_axes_have_labels_units_a_log_scale_and_the_number_of_seeds(table):
    axes = draw(table)
    for axis in axes:
        assert axis.get_xscale() == "log"
        assert axis.get_xlabel() == "fraction of synapses kept"
        assert [t.get_text() for t in axis.get_xticklabels()] == ["0.1", "0.5", "1"]
    assert axes[2].get_ylabel() == "RMSE 1 step ahead (m/s)"
    assert "wind" in axes[2].get_title(loc="left")
    assert "3 seeds" in axes[0].figure.get_suptitle()
    assert "spikes and present input" in axes[0].figure.get_suptitle()


def test_nothing_in_the_figure_overlaps(table):
    axes = draw(table)
    figure = axes[0].figure
    figure.draw_without_rendering()
    boxes = [axis.get_tightbbox() for axis in axes] + [figure.legends[0].get_window_extent()]
    for k, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert not any(box.overlaps(other) for other in boxes[k + 1 :])


def test_draw_uses_and_returns_the_axes_given(table):
    from matplotlib.figure import Figure

    grid = Figure().subplots(1, 5)
    assert draw(table, ax=grid) == list(grid)
    with pytest.raises(InputError, match="must be 5 axes"):
        draw(table, ax=grid[0])


def test_bad_tables_are_refused(table):
    with pytest.raises(InputError, match="no column 'keep'"):
        draw(table.drop(columns="keep"))
    with pytest.raises(InputError, match="readout"):
        draw(table, readout="v")
    with pytest.raises(InputError, match="no score columns"):
        draw(table[["seed", "task", "network", "recipe", "keep", "readout"]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda document: None, "pruning_curve.csv'?: has no pruning_curve.schema.json beside it"),
        (lambda document: document | {"schema": 9}, "must be of format 1; run the study"),
        (lambda document: [], "must be of format 1"),
        (lambda document: {"schema": 1, "columns": {}}, "lacks a part: 'tasks'"),
        (lambda document: document | {"columns": {}}, "are scores without a column"),
        (lambda document: "{", "is no JSON"),
    ],
)
def test_a_table_without_a_known_schema_is_refused_in_one_line(run, change, message):
    path = schema_path(run / "tables" / "pruning_curve.csv")
    document = change(json.loads(path.read_text()))
    path.unlink()
    if document is not None:
        path.write_text(document if isinstance(document, str) else json.dumps(document))
    with pytest.raises(InputError, match=message) as refusal:
        draw_figure("pruning_curve", run)
    assert "\n" not in str(refusal.value)
    assert not (run / "figures").exists()


def test_files_are_pdf_svg_and_png_with_the_same_bytes_every_time(run):
    first = [path.read_bytes() for path in draw_figure("pruning_curve", run)]
    second = [path.read_bytes() for path in draw_figure("pruning_curve", run, run / "again")]
    assert first == second
    assert first[0].startswith(b"%PDF")
    assert b"<svg" in first[1]
    assert first[2].startswith(b"\x89PNG")
    assert sorted(p.name for p in (run / "figures").iterdir()) == [
        "pruning_curve.pdf",
        "pruning_curve.png",
        "pruning_curve.svg",
    ]


def test_registry_names_what_can_be_drawn(run, tmp_path):
    assert drawable(run) == ["pruning_curve"]
    assert drawable(tmp_path / "none") == []
    folder = Path(registry.__file__).parent
    drawing = {path.stem for path in folder.glob("*.py") if "\ndef draw(" in path.read_text()}
    assert set(list_figures()) == drawing
    for name, entry in FIGURES.items():
        assert entry.caption, name
        assert not entry.caption.endswith("."), name
    with pytest.raises(InputError, match="did you mean 'pruning_curve'"):
        draw_figure("prunning_curve", tmp_path)
    with pytest.raises(InputError, match="no such file"):
        draw_figure("pruning_curve", tmp_path / "none")


# ---- the study's grid and its summary ----


def test_every_point_of_the_grid_appears_once_and_full_networks_are_not_repeated():
    options = resolve_options(study.STUDY, "quick", ["seeds=2", "keep=1,0.5,0.1"])
    found = study.points(options, 5)
    identities = [(p["seed"], p["task"], p["recipe"], p["keep"]) for p in found]
    assert len(set(identities)) == len(identities) == 2 * 2 * (1 + 3 * 2)
    assert {p["seed"] for p in found} == {5, 6}
    assert sum(p["recipe"] == FULL for p in found) == 4
    assert all((p["keep"] == 1) == (p["recipe"] == FULL) for p in found)
    assert found[0]["network"]["N"] == options["network"]["N"]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("tasks=wnd", "did you mean 'wind'"),
        ("methods=nois", "did you mean 'noise'"),
        ("keep=0.5,0", "> 0 and <= 1"),
        ("seeds=0", "seeds = 0: must be a whole number >= 1"),
        ("method=noise", "did you mean 'methods'"),
        ("N=0", "N"),
        ("graph.KK=3", "graph.K"),
    ],
)
def test_unusable_options_of_the_study_are_refused(override, message):
    with pytest.raises(InputError, match=message):
        study.points(resolve_options(study.STUDY, None, [override]), 0)


def test_summary_shows_means_over_seeds_of_the_spikes_only_readout():
    text = study.summary(synthetic_rows())
    assert "lorenz63-x: VPT (Lyapunov times), higher is better" in text
    lines = text.splitlines()
    noise = next(line for line in lines if line.startswith("noise"))
    assert noise.split()[1:4] == ["2.4", "±", "0.058"]  # keep 1: mean of 2.3, 2.4, 2.5
    bare = next(line for line in lines if line.startswith("no recurrence"))
    assert bare.split()[2:] == ["-", "-", "-", "0.5", "±", "0"]
    assert lines[-1].startswith("mean ± s.e.m. over 3 seeds")
