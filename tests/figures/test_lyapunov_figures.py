"""Figures and studies of Lyapunov exponents: what fails is marked, never drawn as a number."""

import json
import math

import numpy as np
import pytest

from hrsnn_brian.dynamics.exponents import finite_size as finite_size_module
from hrsnn_brian.dynamics.exponents import spiking, time_step
from hrsnn_brian.dynamics.exponents.divergence_fit import fit_window
from hrsnn_brian.dynamics.exponents.finite_size import Echo, FiniteSize
from hrsnn_brian.dynamics.exponents.result import SpectrumResult, spectrum_result
from hrsnn_brian.dynamics.exponents.time_step import LargestExponent
from hrsnn_brian.errors import InputError
from hrsnn_brian.figures import convergence, divergence, exponent_vs_J, finite_size, spectrum
from hrsnn_brian.figures.panels import LAMBDA_INF, T_RENORM
from hrsnn_brian.figures.registry import FIGURES
from hrsnn_brian.files.columns import IDENTITY
from hrsnn_brian.files.schema import schema_of
from hrsnn_brian.files.tables import read_table, write_table
from hrsnn_brian.runs.study import resolve_options
from hrsnn_brian.studies import lyapunov_spectrum, perturbation_size

SEEDS, SIZES, STEPS = (0, 1, 2), (1e-8, 1e-4, 1e-2, 10.0), (0.1, 1.0)
CONDITIONS = ("homogeneous", "heterogeneous")
PAIRS = ((0.5, 6.0), (4.0, 6.0), (6.0, 6.0), (4.0, 8.0))
FAILED = ("heterogeneous", 6.0, 6.0, 1)  # condition, J, g, seed


def finite_size_rows() -> list[dict]:
    rows = []
    for network in ("network-A", "network-D"):
        for seed in SEEDS:
            base = {"network": network, "seed": seed, "passive_per_s": -12.0}
            for dt in STEPS:
                raws = (-12.0, -12.5 if dt == 1.0 else 5.0 + seed, 50.0 + seed, 20.0)
                reasons = (
                    "zero distance in 3 of 9 intervals",
                    "passive: the leak" if dt == 1.0 else "",
                    "",
                    "saturated: the distance of unrelated states",
                )
                for d0, raw, reason in zip(SIZES, raws, reasons, strict=True):
                    values = {"d0": d0, "t_renorm_ms": 20.0, "dt_ms": dt, "raw_per_s": raw}
                    value = math.nan if reason else raw
                    rows.append(
                        {"quantity": "finite_size"}
                        | base
                        | values
                        | {"value_per_s": value, "reason": reason}
                    )
            for dt in (0.05, 0.1):
                rows.append(
                    {"quantity": "lambda_inf", "dt_ms": dt, "value_per_s": -3.0 + seed} | base
                )
    return rows


def slope(condition: str, J: float, seed: int) -> float:
    return J - 3.0 + 0.1 * seed + (0.5 if condition == "heterogeneous" else 0.0)


def spectrum_rows() -> list[dict]:
    rows = []
    for condition in CONDITIONS:
        for J, g in PAIRS:
            for seed in SEEDS:
                base = {"network": condition, "J": J, "g": g, "seed": seed}
                reason = "spikes straddling" if (condition, J, g, seed) == FAILED else ""
                value = slope(condition, J, seed)
                checked = math.nan if reason else value
                rows += [
                    {"quantity": "exponent", **base, "dt_ms": dt, "value_per_s": checked,
                     "rate_hz": 10.0 + J, "reason": reason}
                    for dt in (0.1, 0.05)
                ]  # fmt: skip
                rows += [
                    {"quantity": "spectrum", **base, "index": j, "value_per_s": checked - j,
                     "standard_error_per_s": 0.3, "rate_hz": 10.0 + J, "reason": reason}
                    for j in (1, 2, 3)
                ]  # fmt: skip
                rows += [
                    {"quantity": "history", **base, "index": j, "time_s": t, "reason": reason,
                     "value_per_s": value - j + 1 / t}
                    for j in (1, 3)
                    for t in (0.5, 1.0, 2.0)
                ]  # fmt: skip
                rows += [
                    {"quantity": "divergence", **base, "time_s": t, "ln_distance": -18 + value * t}
                    for t in (0.5, 1.0, 2.0)
                ]
                rows.append(
                    {"quantity": "fit", **base, "value_per_s": checked, "start_s": 0.5,
                     "end_s": 2.0, "ln_distance": -18 + value / 2, "reason": reason}
                )  # fmt: skip
    return rows


@pytest.fixture
def sizes(tmp_path):
    write_table(tmp_path / "table.csv", finite_size_rows())
    return read_table(tmp_path / "table.csv")


@pytest.fixture
def spectra(tmp_path):
    write_table(tmp_path / "table.csv", spectrum_rows())
    return read_table(tmp_path / "table.csv")


def curves(axis) -> dict:
    """Label -> (x, y, half-lengths of the bars) of the error bars of a panel."""
    found = {}
    for container in axis.containers:
        line, bars = container[0], container[2]
        segments = [segment for group in bars for segment in group.get_segments()]
        half = [np.ptp(segment[:, 1]) / 2 for segment in segments if len(segment)]
        found[container.get_label()] = (
            np.asarray(line.get_xdata(orig=False), dtype=float),
            np.asarray(line.get_ydata(orig=False), dtype=float),
            half,
        )
    return found


def lines(axis) -> dict:
    return {line.get_label(): line for line in axis.get_lines()}


# ---- lambda(d0) ----


def test_finite_size_lines_are_means_of_valid_values_only(sizes):
    axes = finite_size.draw(sizes)
    assert [axis.get_title(loc="left") for axis in axes] == [
        f"network-A, {T_RENORM} = 20 ms",
        f"network-D, {T_RENORM} = 20 ms",
    ]
    found = curves(axes[0])
    _, fine, bars = found["dt = 0.1 ms"]
    np.testing.assert_allclose(fine, [math.nan, 6.0, 51.0, math.nan])
    assert max(bars) == pytest.approx(1 / math.sqrt(3))
    _, coarse, _ = found["dt = 1 ms"]
    np.testing.assert_allclose(coarse, [math.nan, math.nan, 51.0, math.nan])


def test_failed_values_are_hollow_symbols_joined_to_nothing(sizes):
    axis = finite_size.draw(sizes)[0]
    hollow = [line for line in axis.get_lines() if line.get_markerfacecolor() == "white"]
    assert all(line.get_linestyle() == "None" for line in hollow)
    drawn = sorted(float(y) for line in hollow for y in np.asarray(line.get_ydata(), dtype=float))
    assert drawn == [-12.5, -12.0, -12.0, 20.0, 20.0]  # per dt: -12 and 20; -12.5 at dt = 1 ms
    assert {"failed: passive", "failed: saturated"} <= set(lines(axis))


def test_regions_are_shaded_where_every_time_step_fails_alike(sizes):
    axis = finite_size.draw(sizes)[0]
    names = ("passive at every dt", "saturated at every dt")
    to_data = axis.transData.inverted()
    spans = {
        patch.get_label(): patch.get_extents().transformed(to_data)
        for patch in axis.patches
        if patch.get_label() in names
    }
    assert spans["passive at every dt"].x0 < 1e-8 < spans["passive at every dt"].x1 < 1e-4
    assert 1e-2 < spans["saturated at every dt"].x0 < 10.0 < spans["saturated at every dt"].x1


def test_lambda_inf_is_a_line_at_both_time_steps_and_a_failure_is_none(sizes):
    axis = finite_size.draw(sizes)[0]
    assert set(lines(axis)[f"{LAMBDA_INF}, dt = 0.05 ms"].get_ydata()) == {-2.0}
    assert set(lines(axis)[f"{LAMBDA_INF}, dt = 0.1 ms"].get_ydata()) == {-2.0}
    sizes.loc[(sizes["quantity"] == "lambda_inf") & (sizes["seed"] == 1), "value_per_s"] = math.nan
    axis = finite_size.draw(sizes)[0]
    assert f"{LAMBDA_INF}, dt = 0.05 ms" not in lines(axis)
    assert len(lines(axis)[f"{LAMBDA_INF}, dt = 0.05 ms: failed"].get_ydata()) == 0


def test_a_mean_over_the_seeds_that_passed_is_not_joined_to_the_curve(sizes):
    lost = (sizes["d0"] == 1e-2) & (sizes["seed"] == 2) & (sizes["dt_ms"] == 0.1)
    sizes.loc[lost, ["value_per_s", "reason"]] = [math.nan, "passive: the leak"]
    axis = finite_size.draw(sizes)[0]
    _, fine, _ = curves(axis)["dt = 0.1 ms"]
    np.testing.assert_allclose(fine, [math.nan, 6.0, math.nan, math.nan])
    assert "some seeds failed (mean of the others)" in lines(axis)


# ---- spectra ----


def test_exponent_against_J_is_mean_and_error_over_seeds_and_a_failure_is_a_cross(spectra):
    axes = exponent_vs_J.draw(spectra)
    assert len(axes) == 4
    found = curves(axes[0])
    x, y, bars = found["homogeneous"]
    np.testing.assert_allclose(x, [0.5, 4.0, 6.0], atol=0.1)
    np.testing.assert_allclose(y, [-2.4, 1.1, 3.1])
    assert bars[0] == pytest.approx(0.1 / math.sqrt(3))
    _, y, _ = found["heterogeneous"]
    assert np.isnan(y[2])  # J = 6: one of three seeds failed
    cross = lines(axes[0])["a check failed (no number)"]
    np.testing.assert_allclose(cross.get_xdata(), 6.0, atol=0.1)
    assert max(cross.get_ydata()) < 0.1  # of the axis, not a value
    assert "a check failed (no number)" not in lines(axes[1])
    _, rates, _ = curves(axes[2])["homogeneous"]
    np.testing.assert_allclose(rates, [10.5, 14.0, 16.0])
    np.testing.assert_allclose(curves(axes[1])["homogeneous"][0], [6.0, 8.0], atol=0.1)


def test_spectra_are_drawn_per_condition_and_failed_ones_are_named(spectra):
    axes = spectrum.draw(spectra)
    titles = [axis.get_title(loc="left") for axis in axes]
    assert titles[:3] == ["J = 0.5, g = 6", "J = 4, g = 6", "J = 6, g = 6"]
    assert titles[3:5] == ["g = 6, J = 4", "g = 8, J = 4"]
    assert [axis.get_visible() for axis in axes] == [True] * 5 + [False]
    _, y, _ = curves(axes[1])["heterogeneous"]
    np.testing.assert_allclose(y, [0.6, -0.4, -1.4])
    assert np.isnan(curves(axes[2])["heterogeneous"][1]).all()
    assert {text.get_text() for text in axes[2].texts} == {"16 Hz", "failed"}


def test_convergence_shows_the_largest_exponent_with_both_errors(spectra):
    axes = convergence.draw(spectra)
    assert [axis.get_title(loc="left") for axis in axes] == [f"{c}, g = 6" for c in CONDITIONS]
    line = lines(axes[0])["J = 4"]
    np.testing.assert_allclose(line.get_xdata(), [0.5, 1.0, 2.0])
    np.testing.assert_allclose(line.get_ydata(), [1.1 - 1 + 1 / t for t in (0.5, 1.0, 2.0)])
    bars = [half for *_, halves in curves(axes[0]).values() for half in halves]
    np.testing.assert_allclose(bars, 0.3)
    assert lines(axes[1])["J = 6"].get_linestyle() == ":"
    assert lines(axes[1])["J = 4"].get_linestyle() == "-"


def test_divergence_shows_a_curve_per_seed_its_window_and_the_slope(spectra):
    axes = divergence.draw(spectra)
    dashed = [line for line in axes[0].get_lines() if line.get_linestyle() == "--"]
    assert len(dashed) == 3 * len(SEEDS)
    first = next(line for line in dashed)
    (x0, x1), (y0, y1) = first.get_xdata(), first.get_ydata()
    assert (x0, x1) == (0.5, 2.0)
    assert (y1 - y0) / (x1 - x0) == pytest.approx(slope("homogeneous", 0.5, 0))
    labels = [text.get_text() for text in axes[1].get_legend().get_texts()]
    assert labels[1] == "J = 4: 1.6 ± 0.1"
    assert labels[2] == "J = 6: no window in 1 of 3 seeds"


@pytest.mark.parametrize("module", [exponent_vs_J, spectrum, convergence, divergence])
def test_every_axis_is_labelled_with_its_unit(spectra, module):
    axes = [axis for axis in module.draw(spectra) if axis.get_visible()]
    figure = axes[0].figure
    figure.draw_without_rendering()
    assert any("(1/s)" in a.get_ylabel() or "thresholds" in a.get_ylabel() for a in axes)
    assert "3 seeds" in figure.get_suptitle()
    names = ("(mean thresholds)", "(s)", "index", "relative strength")
    assert all(any(n in a.get_xlabel() for n in names) for a in axes if a.get_xlabel())
    assert any(a.get_xlabel() for a in axes)


@pytest.mark.parametrize(
    ("module", "rows"),
    [(finite_size, finite_size_rows)]
    + [(m, spectrum_rows) for m in (exponent_vs_J, spectrum, convergence, divergence)],
)
def test_panels_do_not_overlap_and_bad_tables_and_axes_are_refused(tmp_path, module, rows):
    from matplotlib.figure import Figure

    write_table(tmp_path / "t.csv", rows())
    table = read_table(tmp_path / "t.csv")
    axes = [axis for axis in module.draw(table) if axis.get_visible()]
    figure = axes[0].figure
    figure.draw_without_rendering()
    boxes = [axis.get_tightbbox() for axis in axes]
    boxes += [legend.get_window_extent() for legend in figure.legends]
    for k, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert not any(box.overlaps(other) for other in boxes[k + 1 :])
    given = list(np.atleast_1d(Figure().subplots(1, len(module.draw(table)))))
    assert module.draw(table, ax=given) == given
    with pytest.raises(InputError, match="one per panel"):
        module.draw(table, ax=given[:1])
    with pytest.raises(InputError, match="no column 'seed'"):
        module.draw(table.drop(columns="seed"))
    with pytest.raises(InputError, match="has no row with"):
        module.draw(table.iloc[:0])


def test_figures_are_registered_with_the_studies_that_draw_them():
    for study in (perturbation_size.STUDY, lyapunov_spectrum.STUDY):
        assert study.figures
        assert {FIGURES[name].table for name in study.figures} == {study.name}


# ---- the studies ----


@pytest.mark.parametrize("preset", ["quick", "paper"])
def test_the_scan_holds_every_size_step_and_network_once(preset):
    options = resolve_options(perturbation_size.STUDY, preset, ["seeds=2"])
    assert {"0.02 ms", "0.1 ms", "0.5 ms", "1 ms"} == set(options["dt"])
    assert {1e-10, 1e-6, 1e-3, 0.1, 1.0} <= set(options["d0"])
    assert options["networks"] == [f"network-{name}" for name in "ABCD"]
    found = perturbation_size.points(options, 5)
    grid = [p for p in found if p["quantity"] == "finite_size"]
    identities = {(p["seed"], p["network"], p["dt"], p["t_renorm"]) for p in grid}
    assert len(grid) == len(identities) == 2 * 4 * 4 * len(options["t_renorm"])
    assert len(found) - len(grid) == 2 * 4
    assert {p["seed"] for p in found} == {5, 6}


@pytest.mark.parametrize("preset", ["quick", "paper"])
def test_J_and_g_are_scanned_through_the_reference_network(preset):
    options = resolve_options(lyapunov_spectrum.STUDY, preset, ["seeds=1"])
    J0, g0 = options["network"]["weights"]["J"], options["network"]["weights"]["g"]
    found = lyapunov_spectrum.points(options, 0)
    pairs = [(p["J"], p["g"]) for p in found if p["condition"] == "clustered"]
    assert len(pairs) == len(set(pairs)) == len(options["J"]) + len(options["g"]) + 1
    assert (J0, g0) in pairs
    assert all(J == J0 or g == g0 for J, g in pairs)


@pytest.mark.parametrize("condition", list(lyapunov_spectrum.CONDITIONS))
def test_conditions_are_networks_that_differ_in_membrane_times(condition):
    options = resolve_options(lyapunov_spectrum.STUDY, None, ["N=200", "K=20"])
    point = next(
        p
        for p in lyapunov_spectrum.points(options, 3)
        if (p["condition"], p["g"]) == (condition, 8)
    )
    network = lyapunov_spectrum._network(
        json.dumps(point["network"]), condition, point["J"], point["g"], 3
    )
    spread = network.tau_m.std() / network.tau_m.mean()
    assert (spread < 1e-12) == (condition == "homogeneous")
    assert network.tau_m.mean() == pytest.approx(20e-3, rel=0.1)
    assert network.params.weights.g == 8
    slow = network.cluster == network.cluster.max()
    if condition == "clustered":
        assert network.tau_m[slow].mean() > 2 * network.tau_m[~slow].mean()
    else:
        assert slow.all()


@pytest.mark.parametrize(
    ("study", "override", "message"),
    [
        (perturbation_size, "networks=network-E", "did you mean 'network-"),
        (perturbation_size, "d0=1e-3,0", "must be a number > 0"),
        (perturbation_size, "dt=0.1", "unit"),
        (perturbation_size, "dt_inf=0.1 ms", "two time steps"),
        (perturbation_size, "seeds=0", "must be a whole number >= 1"),
        (lyapunov_spectrum, "conditions=clusterd", "did you mean 'clustered'"),
        (lyapunov_spectrum, "J=-1", "must be a number >= 0"),
        (lyapunov_spectrum, "dt=0.1 ms", "two time steps"),
        (lyapunov_spectrum, "k=0", "must be a whole number >= 1"),
        (lyapunov_spectrum, "segments=1000", "duration"),
    ],
)
def test_unusable_options_are_refused(study, override, message):
    with pytest.raises(InputError, match=message):
        study.points(resolve_options(study.STUDY, None, [override]), 0)


def test_the_fit_finds_the_slope_inside_the_infinitesimal_window():
    t = np.arange(0.02, 3.0, 0.02)
    growth = np.minimum(-18.4 + 10.0 * t, 1.0)  # saturates
    growth[60] += 12.0  # a spike on one side of one measurement
    found = fit_window(t, growth)
    assert found.slope == pytest.approx(10.0, rel=1e-6)
    assert found.start >= 0.25
    assert found.end <= t[60]
    decay = np.maximum(-18.4 - 8.0 * t, -31.0)  # rounding
    found = fit_window(t, decay)
    assert found.slope == pytest.approx(-8.0, rel=1e-6)
    assert found.end == pytest.approx((27.631 - 18.4) / 8, abs=0.03)
    dead = np.where(t < 0.3, -18.0, -math.inf)
    short = fit_window(t, dead)
    assert math.isnan(short.slope)
    assert "too short" in short.reason


def test_the_zero_crossing_is_where_means_over_seeds_change_sign():
    def row(d0: float, raw: float | None) -> dict:
        return {"d0": d0, "raw_per_s": raw}

    rows = [row(1e-4, -10.0), row(1e-4, -30.0), row(1e-2, 20.0), row(1.0, 50.0)]
    assert perturbation_size.zero_crossing(rows) == pytest.approx(1e-3)
    assert perturbation_size.zero_crossing(rows[:2]) is None
    assert perturbation_size.zero_crossing([row(1e-4, None), *rows[2:]]) is None


def test_summaries_name_rates_and_failures():
    text = lyapunov_spectrum.summary(spectrum_rows())
    line = next(row.split() for row in text.splitlines() if row.split()[:2] == ["6", "6"])
    assert line == ["6", "6", "3.1", "16", "-", "16"]
    rows = finite_size_rows()
    rows = [row | {"rate_hz": 12.0} if row["quantity"] == "lambda_inf" else row for row in rows]
    text = perturbation_size.summary(rows)
    line = next(row.split() for row in text.splitlines() if row.startswith("network-A"))
    assert line[1:3] == ["-2", "12"]
    assert 1e-8 < float(line[3]) < float(line[4]) < 1e-2


# ---- rows of a point, from given results ----


def exponent(value: float, rate: float = 12.0) -> SpectrumResult:
    settings = {"rate_hz": rate, "d0": 1e-10, "t_renorm": 20e-3, "passive_per_s": -12.5}
    logs = np.full((2, 10, 2), value) * 20e-3
    logs[:, :, 1] -= 0.1
    return spectrum_result(logs, 20e-3, settings=settings)


@pytest.fixture
def measured(monkeypatch):
    """Replaces the measurements; a flag of lambda_inf is set through the returned list."""
    flags: list[str] = []

    def lambda_inf(network, **settings):
        at_dt = {1e-4: exponent(2.5), 5e-5: exponent(2.0)}
        return LargestExponent(2.0, 0.1, at_dt, (), 0.01, tuple(flags))

    def echo(network, **settings):
        assert settings["protocol"].interpolated
        assert settings["protocol"].d0 == 1e-8
        times = np.arange(1, 101) * 0.02
        distance = 1e-8 * np.exp(3.0 * times)[:, None] * np.ones((1, 2))
        return Echo(times, distance, 10.0, 0.0, 0.0)

    def finite_size(network, sizes, **settings):
        assert settings["unrelated"] == 9.0
        return [FiniteSize(math.nan, 0.5, d0, 20e-3, 1e-4, -12.5, "passive: leak") for d0 in sizes]

    monkeypatch.setattr(time_step, "lambda_inf", lambda_inf)
    monkeypatch.setattr(spiking, "lyapunov_spectrum", lambda network, **settings: exponent(2.5))
    monkeypatch.setattr(finite_size_module, "echo", echo)
    monkeypatch.setattr(finite_size_module, "finite_size_exponents", finite_size)
    monkeypatch.setattr(finite_size_module, "unrelated_distance", lambda network, **settings: 9.0)
    return flags


def rows_of_point(study, overrides: list[str], number: int) -> list[dict]:
    options = resolve_options(study.STUDY, None, overrides)
    return study.run(study.points(options, 0)[number], None)


def test_a_point_of_the_spectra_gives_every_kind_of_row(measured):
    rows = rows_of_point(lyapunov_spectrum, ["N=50", "K=10", "k=2"], 0)
    assert {tuple(row)[: len(IDENTITY)] for row in rows} == {IDENTITY}
    assert {(r["network"], r["neurons"], r["synapses"]) for r in rows} == {("homogeneous", 50, 500)}
    described = schema_of(rows, lyapunov_spectrum.STUDY.columns).columns.values()
    assert [column.name for column in described if not column.meaning] == []
    kinds = [row["quantity"] for row in rows]
    counts = {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
    assert counts == {"exponent": 2, "spectrum": 2, "history": 20, "divergence": 100, "fit": 1}
    by_step = {row["dt_ms"]: row["value_per_s"] for row in rows if row["quantity"] == "exponent"}
    assert by_step == pytest.approx({0.1: 2.5, 0.05: 2.0})
    assert [row["value_per_s"] for row in rows if row["quantity"] == "spectrum"] == pytest.approx(
        [2.5, -2.5]
    )
    assert rows[-1]["value_per_s"] == pytest.approx(3.0)
    assert all(
        row["rate_hz"] == 12.0 for row in rows if row["quantity"] in ("exponent", "spectrum")
    )


def test_a_failed_check_empties_the_value_at_every_step_and_gives_its_reason(measured):
    measured.append("d0 = 1e-10 and 1e-06 differ by 3/s")
    for study in (lyapunov_spectrum, perturbation_size):
        overrides = ["N=50", "K=10", "k=2"] if study is lyapunov_spectrum else ["set=N=50,K=10"]
        rows = [row for row in rows_of_point(study, overrides, 0) if "d0_difference_per_s" in row]
        assert len(rows) == 2
        for row in rows:
            assert math.isnan(row["value_per_s"])
            assert row["reason"] == measured[0]


def test_a_point_of_the_scan_carries_raw_value_reason_and_settings(measured):
    rows = rows_of_point(perturbation_size, ["d0=1e-10,0.1"], 1)
    described = schema_of(rows, perturbation_size.STUDY.columns).columns.values()
    assert [column.name for column in described if not column.meaning] == []
    assert [row["d0"] for row in rows] == [1e-10, 0.1]
    for row in rows:
        assert math.isnan(row["value_per_s"])
        assert (row["raw_per_s"], row["reason"]) == (-12.5, "passive: leak")
        assert (row["t_renorm_ms"], row["dt_ms"], row["network"]) == (20.0, 0.1, "network-A")
        assert row["seed"] == 0
        assert tuple(row)[: len(IDENTITY)] == IDENTITY
        assert -1 / 5.3e-3 < row["passive_per_s"] < -1 / 0.08 + 1e-9
