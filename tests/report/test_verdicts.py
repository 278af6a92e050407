"""Verdicts: synthetic tables whose answer is known, and the statistics derived a second time."""

import csv
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scores import nrmse_84, vpt

from hrsnn_brian.cli.main import main
from hrsnn_brian.errors import InputError
from hrsnn_brian.files.schema import complete, read_schema, scores_told
from hrsnn_brian.files.score import Score
from hrsnn_brian.files.tables import Table, columns_of, read_table, write_table
from hrsnn_brian.report.claims import (
    CLAIMS,
    ECHO,
    GROWTH_COMMON,
    LAMBDA,
    LAMBDA_COMMON,
    OPERATIONS,
    Claim,
    Demand,
)
from hrsnn_brian.report.judge import (
    AS_CLAIMED,
    FAILS,
    HOLDS,
    MIXED,
    NOT_TESTED,
    REVERSED,
    UNDECIDED,
    Settings,
)
from hrsnn_brian.report.records import mixed_origins, read_rows
from hrsnn_brian.report.verdict import Verdict, verdicts
from hrsnn_brian.statistics.comparison import seeds_needed

MG, LORENZ, DIGITS = "mackey-glass-84", "lorenz63-x", "digits"
COLUMNS = {MG: "nrmse_h84", LORENZ: "vpt_lyapunov_times", DIGITS: "accuracy"}
# How good each rule is, as if lower were better; Lorenz scores are these, mirrored at 3.
LEVELS = {"lnp": 0.2, "activity": 0.5, "random raw": 0.6, "magnitude raw": 0.4, "fresh": 0.45}
LEVELS |= {"full": 0.4, "no recurrence": 0.9, "noise literal": 0.35}
OPS = {"lnp": 100.0, "full": 9000.0, "activity": 300.0}
NEURONS, SYNAPSES = 500, 25_000
RAW, MATCHED = "none", "bias"


def table(
    levels=LEVELS,
    tasks=(MG, LORENZ),
    seeds=10,
    keep=(0.1,),
    neurons=(0.6,),
    matches=(RAW, MATCHED),
    noise=0.02,
):
    """Rows as study pruning_methods writes them; `levels` may be a function of (rule, cell)."""
    rows = []
    for task in tasks:
        for rule in levels:
            if rule in ("full", "no recurrence"):
                cells = [(1.0 if rule == "full" else 0.0, 1.0, RAW)]
            else:
                cells = [(k, f, m) for k in keep for f in neurons for m in matches]
            for cell in cells:
                rows += rows_of_cell(task, rule, cell, levels[rule], seeds, noise)
    return rows


def named(rule):
    """The identity columns of what verdicts call a rule."""
    reference = rule in ("full", "no recurrence")
    return {"network": rule if reference else "pruned", "recipe": "" if reference else rule}


def called(row):
    return row["recipe"] or row["network"]


def rows_of_cell(task, rule, cell, level, seeds, noise):
    keep, fraction, match = cell
    rows = []
    for seed in range(seeds):
        random = np.random.default_rng([seed, sum(map(ord, f"{task}{rule}{cell}"))])
        score = level + random.normal(0, noise) + 0.05 * np.sin(seed)  # seeds differ, pairs agree
        row = named(rule) | {"seed": seed, "task": task, "keep": keep, "neuron_fraction": fraction}
        row |= {"match": match, "readout": "spikes", "neurons": round(NEURONS * fraction)}
        row |= {"synapses": round(SYNAPSES * keep), "rate_hz": 15.0}
        row |= {OPERATIONS: OPS.get(rule, 200.0) * (1 + 0.1 * random.random())}
        row |= {COLUMNS[task]: score if task == MG else 3 - score}
        rows.append(row)
    return rows


ACCURACY = Score("accuracy", 0.0, better="higher", label="accuracy", primary=True)
SCORES = {MG: nrmse_84(0.0), LORENZ: vpt(0.0), DIGITS: ACCURACY}
SCHEMA = scores_told([{"task": task, score.name: score} for task, score in SCORES.items()])


def filed(rows):
    """Rows with the schema of the two tasks."""
    rows = list(rows)
    return Table(rows, complete(columns_of(rows), (), [SCHEMA]))


def judged(rows, name, others=(), **settings) -> Verdict:
    tables = {"pruning_methods": filed(rows), "heterogeneity": filed(others)}
    (claim,) = (claim for claim in CLAIMS if claim.name == name)
    (found,) = verdicts(tables, settings=Settings(**settings), claims=[claim])
    return found


def chosen(rows, **cell):
    return [
        row
        for row in rows
        if all((called(row) if key == "rule" else row[key]) == value for key, value in cell.items())
    ]


def shifted(rows, by, **cell):
    """`rows` with the score of one cell made worse by `by`."""
    hit = [id(row) for row in chosen(rows, **cell)]
    assert hit
    changed = []
    for row in rows:
        column = COLUMNS[row["task"]]
        worse = by if row["task"] == MG else -by
        changed.append(row | {column: row[column] + worse} if id(row) in hit else row)
    return changed


# ---- what is decided ----

EVERY = LEVELS | dict.fromkeys(
    ("activity stdp", "activity echo", "lottery echo", "magnitude echo", "random variance"), 0.5
)
EVERY |= {"random echo": 0.4, "random gain 2": 0.4, "frugal echo": 0.1}
# how stable a rule is, before its signs and scales
CALM = {"lnp": -8.0, "full": -6.0}


def everything(good):
    """All rules on three tasks with their exponents, `lnp` the best or the worst of them."""
    best = {"lnp": 0.2} if good else {"lnp": 1.2}
    rows = table(EVERY | best, tasks=(MG, LORENZ, DIGITS))
    random = np.random.default_rng(2)
    for row in rows:
        calm = CALM.get(called(row), -4.0) if good or called(row) != "lnp" else 4.0
        calm += 0.1 * random.normal()
        for column in (LAMBDA, LAMBDA_COMMON, GROWTH_COMMON):
            row[column] = calm
        row[ECHO] = 1 + calm / 10 if calm < 0 else calm
        if not good and called(row) == "lnp":
            row[OPERATIONS] *= 100
    return rows


HETERO = {
    "homogeneous": 0.5,
    "tau_m cv 0.58": 0.4,
    "tau_m cv 0.58, equal v_th": 0.45,
    "no recurrence": 0.9,
    "clustered": 0.3,
    "one cluster": 0.4,
}


def heterogeneity(good):
    """Rows as that study writes them; what is to be diverse is better or worse than the rest."""
    rows = []
    for name, level in HETERO.items():
        diverse = name.startswith("tau_m cv") or name == "clustered"
        level += 0.0 if good or not diverse else 0.3
        for row in rows_of_cell(MG, name, (1.0, 1.0, MATCHED), level, 10, 0.02):
            row |= {"network": name, "recipe": ""}
            row[OPERATIONS] *= (0.5 if good else 2.0) if name == "clustered" else 1.0
            rows.append(row)
    return rows


NAMES = [claim.name for claim in CLAIMS]


@pytest.mark.parametrize("name", NAMES)
def test_a_clear_win_holds_on_scores_of_either_direction(name):
    found = judged(everything(good=True), name, heterogeneity(good=True))
    assert (found.verdict, found.direction) == (HOLDS, AS_CLAIMED)
    one_rate = found.claim.table == "heterogeneity"
    assert {cell.size.match for cell in found.cells} == {MATCHED} | (set() if one_rate else {RAW})
    signs = {
        np.sign(c.test.mean_difference)
        for cell in found.cells
        for c in cell.comparisons
        if c.contest.measure == COLUMNS[LORENZ]
    }
    assert signs <= {1.0}


@pytest.mark.parametrize("name", NAMES)
def test_a_clear_loss_is_said_to_be_the_other_way_round(name):
    found = judged(everything(good=False), name, heterogeneity(good=False))
    assert (found.verdict, found.direction) == (FAILS, REVERSED)
    assert "the other way round in" in found.why


def test_a_bound_must_be_kept_on_every_seed():
    """Each other cell has the bound kept, so that the mean alone would say so, too."""
    rows = everything(good=True)
    hit = chosen(rows, rule="lnp", task=MG, match=RAW, seed=3)
    hit[0][ECHO] = 2.01
    found = judged(rows, "stable")
    assert (found.verdict, found.direction) == (FAILS, UNDECIDED)
    (failing,) = (cell for cell in found.cells if cell.outcome == UNDECIDED)
    (loud,) = (c for c in failing.comparisons if c.outcome == UNDECIDED)
    assert (loud.contest.rival, loud.contest.measure) == ("below 2", ECHO)
    assert loud.test.favours("lower")
    assert loud.reason == "1 of 10 seeds do not keep it"
    bare = [{k: v for k, v in row.items() if k != ECHO} for row in rows]
    missing = judged(bare, "stable")
    assert missing.verdict == NOT_TESTED
    assert "no row has a value of input_echo" in missing.why


def test_two_of_three_tasks_are_enough_if_the_third_is_level_but_not_if_it_is_lost():
    level = shifted(everything(good=True), 0.3, task=DIGITS, rule="lnp")
    found = judged(level, "better-on-two-of-three")
    assert found.verdict == HOLDS
    outcomes = sorted(c.outcome for c in found.cells[0].comparisons)
    assert outcomes == sorted([AS_CLAIMED, AS_CLAIMED, UNDECIDED])
    assert judged(level, "better-than-activity").verdict == FAILS
    lost = judged(shifted(level, 0.3, task=DIGITS, rule="lnp"), "better-on-two-of-three")
    assert (lost.verdict, lost.direction) == (FAILS, REVERSED)
    two_level = shifted(level, 0.3, task=LORENZ, rule="lnp")
    assert judged(two_level, "better-on-two-of-three").direction == UNDECIDED
    two = judged(table(), "better-on-two-of-three")
    assert (two.verdict, two.why) == (NOT_TESTED, "2 of at least 3 tasks tested")


def test_no_dearer_is_a_level_cost_within_a_part_of_what_the_rival_spends():
    def at(cost, spread):
        rows = table()
        for row in rows:
            if called(row) in ("lnp", "activity"):
                wave = spread * np.sin(5 * row["seed"])
                row[OPERATIONS] = cost + wave if called(row) == "lnp" else 300.0
        return judged(rows, "no-dearer-than-activity")

    level = at(301.0, 20)
    assert level.verdict == HOLDS
    assert level.cells[0].comparisons[0].contest.margin == pytest.approx(30)
    assert at(301.0, 60).direction == UNDECIDED  # the interval does not end before 330
    assert at(310.0, 1).direction == REVERSED  # within it, and dearer for sure
    assert at(250.0, 1).verdict == HOLDS


def test_rules_that_were_given_a_gain_are_no_simple_rules():
    found = judged(everything(good=True), "better-than-simple-rules")
    rivals = {c.contest.rival for cell in found.cells for c in cell.comparisons}
    assert rivals == {"random raw", "random variance", "magnitude raw", "fresh"}
    gains = judged(everything(good=True), "more-than-the-gain")
    rivals = {c.contest.rival for cell in gains.cells for c in cell.comparisons}
    assert rivals == {"random echo", "random gain 2"}


def test_images_are_judged_on_tasks_of_accuracy_alone():
    found = judged(everything(good=True), "images")
    assert {cell.task for cell in found.cells} == {DIGITS}
    series = judged(table(), "images")
    assert (series.verdict, series.why) == (NOT_TESTED, "no task is judged by accuracy")


def test_rates_matched_on_the_task_are_cells_of_their_own():
    found = judged(table(matches=(RAW, "task")), "better-than-activity")
    assert found.verdict == HOLDS
    assert {cell.size.match for cell in found.cells} == {RAW, "task"}
    lost = shifted(table(matches=(RAW, "task")), 2.0, task=MG, rule="lnp", match="task")
    assert "rate matched on the task" in judged(lost, "better-than-activity").why


def test_no_difference_is_not_called_a_loss_nor_equality():
    found = judged(table(LEVELS | {"lnp": 0.5}, noise=0.2), "better-than-activity")
    assert (found.verdict, found.direction) == (FAILS, UNDECIDED)
    comparisons = [c for cell in found.cells for c in cell.comparisons]
    assert {c.outcome for c in comparisons} == {UNDECIDED}
    assert {c.no_worse for c in comparisons} == {False}


def test_no_worse_asks_the_interval_to_end_before_a_part_of_what_recurrence_is_worth():
    """Recurrence is worth .5 here: the full network .4, without recurrence .9."""
    rows = table(LEVELS | {"lnp": 0.4}, noise=0.01)
    weak = judged(rows, "no-worse-than-dense")
    assert weak.verdict == HOLDS
    assert judged(rows, "better-than-dense").direction == UNDECIDED
    for cell in weak.cells:
        contest, test = cell.comparisons[0].contest, cell.comparisons[0].test
        assert contest.margin == pytest.approx(0.05, rel=0.2)
        assert max(-test.low, test.high) < contest.margin
    assert judged(rows, "no-worse-than-dense", margin=0.001).verdict == FAILS


def test_without_the_bare_network_there_is_no_margin_but_a_plain_win_still_counts():
    rows = [row for row in table() if called(row) != "no recurrence"]
    assert judged(rows, "no-worse-than-dense").verdict == HOLDS
    level = [row for row in table(LEVELS | {"lnp": 0.4}) if called(row) != "no recurrence"]
    found = judged(level, "no-worse-than-dense")
    assert found.verdict == NOT_TESTED
    assert "no margin" in found.why


def test_one_failing_cell_breaks_a_claim_and_is_named():
    rows = table(keep=(0.1, 0.05))
    rows = shifted(rows, 2.0, task=LORENZ, rule="lnp", keep=0.05, match=MATCHED)
    found = judged(rows, "better-than-activity")
    assert (found.verdict, found.direction) == (FAILS, MIXED)
    assert found.why.startswith("of 8 tested cells as claimed in 7, the other way round in 1")
    assert "lorenz63-x, keep 0.05, neurons 0.6, rate matched by bias" in found.why
    undecided = shifted(table(noise=0.1), 0.3, task=LORENZ, rule="lnp", match=MATCHED)
    found = judged(undecided, "better-than-activity")
    assert (found.verdict, found.direction) == (FAILS, UNDECIDED)
    assert "as claimed in 3, no significant difference in 1" in found.why


def test_raw_cells_alone_do_not_make_a_claim_hold_but_can_break_it():
    found = judged(table(matches=(RAW,)), "better-than-activity")
    assert found.verdict == NOT_TESTED
    assert "no rate-matched cell" in found.why
    lost = judged(table(LEVELS | {"lnp": 0.8}, matches=(RAW,)), "better-than-activity")
    assert (lost.verdict, lost.direction) == (FAILS, REVERSED)


def test_cheaper_needs_both_parts():
    rows = table(LEVELS | {"lnp": 0.7})
    found = judged(rows, "cheaper-than-activity")
    assert found.verdict == FAILS
    outcomes = {c.contest.measure: c.outcome for c in found.cells[0].comparisons}
    assert outcomes == {OPERATIONS: AS_CLAIMED, COLUMNS[MG]: REVERSED}
    dear = [
        row | {OPERATIONS: 1e6 + row["seed"]} if called(row) == "lnp" else row for row in table()
    ]
    assert judged(dear, "cheaper-than-activity").direction == REVERSED


# ---- the same network for all tasks ----


def test_task_agnostic_needs_two_tasks_and_one_network():
    one = judged(table(tasks=(MG,)), "task-agnostic")
    assert one.verdict == NOT_TESTED
    assert "1 of at least 2 tasks" in one.why
    rows = [
        row | {"synapses": 2499} if row["task"] == LORENZ and called(row) == "lnp" else row
        for row in table()
    ]
    other = judged(rows, "task-agnostic")
    assert other.verdict == NOT_TESTED
    assert "seed 0 has a network of another size" in other.why
    pruned_for_it = judged(table(LEVELS | {"lottery": 0.1}), "task-agnostic", method="lottery")
    assert "prunes for a task" in pruned_for_it.why


def test_one_lost_task_breaks_task_agnosticism():
    found = judged(shifted(table(), 1.0, task=LORENZ, rule="lnp"), "task-agnostic")
    assert (found.verdict, found.direction) == (FAILS, REVERSED)
    outcomes = {c.contest.task: c.outcome for c in found.cells[0].comparisons}
    assert outcomes == {MG: AS_CLAIMED, LORENZ: REVERSED}


# ---- statistics, derived a second time ----


def holm_by_hand(p):
    """Holm's step-down rule by its definition: the largest of (m - j) p_(j) over j <= k."""
    m = len(p)
    order = sorted(range(m), key=lambda k: p[k])
    return [
        min(1.0, max((m - j) * p[order[j]] for j in range(order.index(k) + 1))) for k in range(m)
    ]


def test_p_values_are_those_of_scipy_corrected_over_the_rivals_of_a_cell():
    levels = LEVELS | {"random variance": 0.23, "magnitude row .5": 0.21, "random neurons": 0.3}
    rows = table(levels, noise=0.05, seeds=12)
    for cell in judged(rows, "better-than-simple-rules").cells:
        at = {"task": cell.task, "match": cell.size.match}
        assert len(cell.comparisons) == 6
        t, w = [], []
        for comparison in cell.comparisons:
            column = COLUMNS[cell.task]
            ours = [row[column] for row in chosen(rows, rule="lnp", **at)]
            theirs = [row[column] for row in chosen(rows, rule=comparison.contest.rival, **at)]
            t.append(stats.ttest_rel(ours, theirs))
            w.append(stats.wilcoxon(ours, theirs, method="exact").pvalue)
        tests = [comparison.test for comparison in cell.comparisons]
        by_t = [test.p_t_holm for test in tests]
        assert by_t == pytest.approx(holm_by_hand([result.pvalue for result in t]), rel=1e-9)
        assert [test.p_wilcoxon_holm for test in tests] == pytest.approx(holm_by_hand(w), rel=1e-9)
        for result, test in zip(t, tests, strict=True):
            interval = result.confidence_interval(0.95)
            assert (test.low, test.high) == pytest.approx((interval.low, interval.high), rel=1e-9)


def test_the_family_of_one_network_is_all_tasks_of_a_size():
    for cell in judged(table(noise=0.3), "task-agnostic").cells:
        tests = [comparison.test for comparison in cell.comparisons]
        assert len(tests) == 2
        expected = holm_by_hand([test.p_t for test in tests])
        assert [test.p_t_holm for test in tests] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("level", "m"), [(0.05, 1), (0.05, 2), (0.05, 8), (0.01, 1), (0.01, 20), (0.0625, 1)]
)
def test_seeds_needed_is_the_least_number_that_can_ever_reject(level, m):
    n = seeds_needed(level, m)
    smallest = [stats.wilcoxon(np.arange(1.0, k + 1), method="exact").pvalue for k in (n - 1, n)]
    assert m * smallest[0] >= level > m * smallest[1]


# ---- what is not tested ----


def test_too_few_seeds_are_not_tested_and_say_how_many_are_needed():
    found = judged(table(seeds=5), "better-than-activity")
    assert found.verdict == NOT_TESTED
    assert "5 paired seeds; Wilcoxon cannot reach p < 0.05 below 6" in found.why
    assert judged(table(seeds=6), "better-than-activity").verdict == HOLDS
    many = judged(table(seeds=6), "better-than-simple-rules")
    assert many.verdict == NOT_TESTED
    assert "below 7 with 3 comparisons together" in many.why


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("activity", "better-than-activity"),
        ("fresh", "better-than-simple-rules"),
        ("noise literal", "exponents"),
        ("full", "cheaper-than-dense"),
        ("lnp", "better-than-dense"),
    ],
)
def test_missing_rules_are_named(rule, name):
    found = judged(table({k: v for k, v in LEVELS.items() if k != rule}), name)
    assert found.verdict == NOT_TESTED
    assert rule.split(",")[0] in found.why
    assert "missing" in found.why


def test_all_neurons_kept_says_nothing_about_fewer_neurons():
    found = judged(table(neurons=(1.0,)), "better-than-dense")
    assert found.verdict == NOT_TESTED
    assert "neuron_fraction < 1" in found.why


def test_sizes_that_never_meet_are_not_compared():
    rows = [row | {"keep": 0.2} if called(row) == "activity" else row for row in table()]
    found = judged(rows, "better-than-activity")
    assert found.verdict == NOT_TESTED
    assert "share no task and size" in found.why


def test_rivals_of_another_size_leave_a_cell_incomplete():
    rows = table(neurons=(0.6, 1.0))
    rows = [r for r in rows if (called(r), r["neuron_fraction"]) != ("magnitude raw", 0.6)]
    found = judged(rows, "better-than-simple-rules")
    assert found.verdict == HOLDS  # where all three rivals stand
    small = [cell for cell in found.cells if cell.size.neuron_fraction == 0.6]
    assert {cell.outcome for cell in small} == {NOT_TESTED}
    assert {cell.reason for cell in small} == {
        "rows of 'magnitude*' or 'sampling*' are missing at this size"
    }


def test_a_rate_matched_reference_is_preferred_where_there_is_one():
    rows = table()
    dense = [
        row | {"match": MATCHED, "nrmse_h84": 0.1} for row in chosen(rows, rule="full", task=MG)
    ]
    found = judged(rows + dense, "better-than-dense")
    outcomes = {(c.task, c.size.match): c.outcome for c in found.cells}
    assert outcomes[MG, RAW] == outcomes[LORENZ, MATCHED] == AS_CLAIMED
    assert outcomes[MG, MATCHED] == REVERSED


def test_pairs_of_unequal_size_are_left_out_and_counted():
    """A network whose pruning stopped early is no match for one of the size asked for."""
    rows = [
        row | {"synapses": 9000} if called(row) == "lnp" and row["seed"] < 3 else row
        for row in table()
    ]
    contest = judged(rows, "better-than-activity").cells[0].comparisons[0].contest
    assert (contest.pairs, contest.unequal) == (7, 3)
    rows = [row | {"neurons": 330} if called(row) == "lnp" else row for row in table()]
    found = judged(rows, "better-than-activity")
    assert found.verdict == NOT_TESTED
    assert "10 more of unequal size" in found.why


def test_unpaired_seeds_and_missing_scores_are_left_out_and_counted():
    rows = [r for r in table() if not (called(r) == "lnp" and r["seed"] == 0)]
    rows = [r for r in rows if not (called(r) == "activity" and r["seed"] == 9)]
    for bad, seed in ((None, 1), (float("inf"), 2)):
        rows = [
            r | {COLUMNS[r["task"]]: bad} if (called(r), r["seed"]) == ("activity", seed) else r
            for r in rows
        ]
    contest = judged(rows, "better-than-activity").cells[0].comparisons[0].contest
    assert (contest.pairs, contest.unpaired, contest.count) == (6, 4, "6 of 10")
    reasons = ["only one of the two has the seed", "no value", "no value"]
    assert sorted(contest.why) == sorted([*reasons, reasons[0]])
    ours = chosen(rows, task=MG, rule="lnp", match=contest.size.match)
    assert contest.ours == tuple(row["nrmse_h84"] for row in ours if row["seed"] in range(3, 9))


def test_a_missing_column_of_cost_is_not_tested():
    rows = [{k: v for k, v in row.items() if k != OPERATIONS} for row in table()]
    found = judged(rows, "cheaper-than-dense")
    assert found.verdict == NOT_TESTED
    assert judged(rows, "better-than-activity").verdict == HOLDS


def test_claims_without_a_table_say_so():
    found = {
        verdict.claim.name: verdict for verdict in verdicts({"pruning_methods": filed(table())})
    }
    for name in ("heterogeneity", "timescales-before-thresholds", "clusters", "clusters-cheaper"):
        assert found[name].verdict == NOT_TESTED
        assert found[name].why == "no run holds the table heterogeneity"
    later = Claim("later", "", "", demands=(Demand(("full",)),), table="ablation")
    assert "no run holds the table ablation" in verdicts({}, claims=[later])[0].why


def test_a_rule_is_never_its_own_rival():
    best = table(LEVELS | {"fresh": 0.1})
    found = judged(best, "better-than-simple-rules", method="fresh")
    assert (found.verdict, found.why) == (NOT_TESTED, "'fresh' is the rival itself")
    assert {c.contest.rival for c in found.cells[0].comparisons} == {
        "random raw",
        "magnitude raw",
    }
    activity = judged(best, "better-than-activity", method="activity")
    assert activity.why == "'activity' is the rival itself"


# ---- runs ----


def write_run(
    path: Path, rows, settings="short_tasks = false", done=True, name="pruning_methods"
) -> Path:
    (path / "tables").mkdir(parents=True)
    write_table(path / "tables" / f"{name}.csv", rows, filed(rows).schema)
    lists = sorted({row["keep"] for row in rows})
    (path / "config.toml").write_text(
        f"[options]\nseeds = {len(rows)}\nkeep = {lists}\n{settings}\n"
    )
    if done:
        (path / "DONE").write_text("now\n")
    return path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_runs_are_joined_and_shared_rows_count_once(here):
    large, small = (
        table(keep=(0.1,)),
        table(keep=(0.05,), tasks=(MG,)),
    )  # both hold the reference rows
    runs = [write_run(here / "a", large), write_run(here / "b", small)]
    rows = read_rows(runs, ["pruning_methods"])["pruning_methods"]
    references = chosen(rows, rule="full")
    assert len(rows) == len(large) + len(small) - 2 * 10
    assert len(references) == 2 * 10
    assert judged(rows, "better-than-activity").why.startswith("as claimed in all 6")
    doubled = read_rows([*runs, runs[0]], ["pruning_methods"])["pruning_methods"]
    assert doubled == rows


def test_a_row_that_notes_why_it_has_no_network_is_a_seed_without_a_score(here):
    rows = [row | {"note": ""} for row in table()]
    lost = [r for r in rows if (called(r), r["match"], r["seed"]) == ("activity", MATCHED, 3)]
    assert lost
    for row in lost:
        row |= {"note": "rate out of reach", "neurons": None, "synapses": None}
        row |= {"nrmse_h84": None, "vpt_lyapunov_times": None}
    found = judged(
        read_rows([write_run(here / "a", rows)], ["pruning_methods"])["pruning_methods"],
        "better-than-activity",
    )
    pairs = {c.size.match: c.comparisons[0].contest.pairs for c in found.cells}
    assert pairs == {RAW: 10, MATCHED: 9}
    assert found.verdict == HOLDS
    assert judged(rows, "task-agnostic").verdict == HOLDS


def test_runs_of_different_studies_are_judged_together(here, capfd):
    """The settings of one study need not be those of another."""
    write_run(here / "a", everything(good=True), settings="stability = true")
    write_run(here / "b", heterogeneity(good=True), name="heterogeneity")
    assert main(["verdicts", "a", "b", "--json"]) == 0
    claims = json.loads(capfd.readouterr().out)["claims"]
    assert {claim["verdict"] for claim in claims} == {HOLDS}


def run_with(here, change):
    return write_run(here / "run", change(table(tasks=(MG,))))


BAD_TABLES = {
    "no match": (
        lambda rows: [{k: v for k, v in r.items() if k != "match"} for r in rows],
        "match",
    ),
    "no network": (
        lambda rows: [*rows, rows[0] | {"network": None}],
        "line 142 has no usable network",
    ),
    "no size": (lambda rows: [*rows, rows[0] | {"synapses": None}], "142 has no usable synapses"),
    "text as size": (
        lambda rows: [*rows, rows[0] | {"synapses": "many"}],
        "line 142: synapses holds 'many', not a number",
    ),
    "text as score": (
        lambda rows: [*rows[:5], rows[5] | {"nrmse_h84": "0,21"}, *rows[6:]],
        "csv': line 7: nrmse_h84 holds '0,21', not a number",
    ),
    "text as cost": (
        lambda rows: [*rows[:5], rows[5] | {"synaptic_ops_per_s": "NA"}, *rows[6:]],
        "line 7: synaptic_ops_per_s holds 'NA', not a number",
    ),
    "half a seed": (lambda rows: [*rows, rows[0] | {"seed": 0.5}], "142 has no usable seed"),
    "duplicate": (
        lambda rows: [*rows, rows[0] | {"nrmse_h84": 0.123}],
        "disagrees: nrmse_h84 of seed 0.*0.123",
    ),
}


@pytest.mark.parametrize(("change", "message"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_tables_that_cannot_be_used_are_refused(here, change, message, capfd):
    run_with(here, change)
    with pytest.raises(InputError, match=message):
        read_rows(["run"], ["pruning_methods"])
    assert main(["verdicts", "run"]) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)


def test_runs_of_other_settings_or_other_numbers_are_not_joined(here):
    write_run(here / "a", table())
    write_run(here / "b", table(), settings="short_tasks = true")
    with pytest.raises(InputError, match="its short_tasks is True, not False"):
        read_rows(["a", "b"], ["pruning_methods"])
    write_run(here / "c", shifted(table(), 0.1, rule="full"))
    with pytest.raises(InputError, match=r"c'.*disagrees: nrmse_h84 .*network full"):
        read_rows(["a", "c"], ["pruning_methods"])


def test_runs_of_another_version_device_or_code_are_joined_with_a_word(here, capfd):
    origin = '[run]\nhrsnn_brian = "{}"\npackage = "{}"\ndevice = "{}"\n[libraries]\nnumpy = "{}"\n'
    origins = {
        "a": ("0.1", "aa", "standalone", "2.3"),
        "same": ("0.1", "aa", "standalone", "2.3"),
        "other": ("0.2", "bb", "numpy", "2.4"),
    }
    for name, its in origins.items():
        config = write_run(here / name, table()) / "config.toml"
        config.write_text(origin.format(*its) + config.read_text())
    write_run(here / "old", table())
    other, old = mixed_origins(["a", "same", "other", "old"])
    assert other == (
        "other was not made as a: hrsnn_brian is 0.2, not 0.1; device is numpy, not standalone; "
        "the digest of its source files is bb, not aa; numpy is 2.4, not 2.3"
    )
    assert "old was not made as a: hrsnn_brian is unknown, not 0.1" in old
    assert main(["verdicts", "a", "same", "other", "--json"]) == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["warnings"] == [other]
    assert f"warning: {other}" in err
    assert main(["verdicts", "a", "same"]) == 0
    assert "warning" not in capfd.readouterr().out


# ---- the command ----

BAD_WORDS = {
    "no such run": ("none", "none.*is not a run directory"),
    "not a run": ("other", "other.*is not a run directory"),
    "no table": ("empty", "holds no table of pruning_methods"),
    "unfinished": ("half", "is not finished"),
    "unknown method": ("run --method lpn", "did you mean 'lnp'"),
    "a reference as method": ("run --method full", "--recipe = 'full'"),
    "unknown readout": ("run --readout spike", "did you mean 'spikes'"),
    "level": ("run --level 2", r"level = 2.0: must be in \(0, 0.5\]"),
    "level nan": ("run --level nan", "level"),
    "level word": ("run --level low", "--level = 'low'"),
    "margin": ("run --margin 0", "margin"),
    "out": ("run --out verdicts.txt", ".csv or .json"),
}


@pytest.mark.parametrize(("words", "message"), BAD_WORDS.values(), ids=BAD_WORDS)
def test_bad_words_are_one_line_and_write_nothing(here, words, message, capfd):
    write_run(here / "run", table(tasks=(MG,)))
    write_run(here / "half", table(tasks=(MG,)), done=False)
    write_run(here / "empty", table(tasks=(MG,)))
    for file in (here / "empty" / "tables").iterdir():
        file.unlink()
    (here / "other").mkdir()
    before = sorted(here.rglob("*"))
    assert main(["verdicts", *words.split()]) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert re.search(message, err), err
    assert sorted(here.rglob("*")) == before


def test_runs_without_a_schema_say_what_to_do(here, capfd):
    write_run(here / "run", table(tasks=(MG,)))
    (here / "run" / "tables" / "pruning_methods.schema.json").unlink()
    assert main(["verdicts", "run", "--out", "found.csv"]) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "has no pruning_methods.schema.json beside it (as tables of version 0.1): run its" in err
    assert not (here / "found.csv").exists()


def test_the_command_says_prints_and_files_the_same_verdicts(here, capfd):
    rows = shifted(table(), 1.0, task=LORENZ, rule="lnp")
    write_run(here / "run", rows)
    assert main(["verdicts", "run", "--json", "--out", "found.json"]) == 0
    printed = json.loads(capfd.readouterr().out)
    assert printed == json.loads(Path("found.json").read_text())
    by_name = {claim["claim"]: claim for claim in printed["claims"]}
    assert list(by_name) == [claim.name for claim in CLAIMS]
    found = verdicts({"pruning_methods": Table(rows, SCHEMA)})
    expected = {v.claim.name: (v.verdict, v.why) for v in found}
    assert {k: (v["verdict"], v["why"]) for k, v in by_name.items()} == expected

    assert main(["verdicts", "run", "--out", "found.csv"]) == 0
    text = capfd.readouterr().out
    assert "better-than-activity: DOES NOT HOLD (mixed)" in text
    assert text.count("NOT TESTED") == sum(v.verdict == NOT_TESTED for v in found)
    with open("found.csv") as stream:
        filed = list(csv.DictReader(stream))
    assert {row["claim"] for row in filed} == set(by_name)
    flat = [
        c for claim in printed["claims"] for cell in claim["cells"] for c in cell["comparisons"]
    ]
    own = [row for row in filed if row["rival"]]
    assert [float(row["mean_difference"] or "nan") for row in own] == pytest.approx(
        [math.nan if c["mean_difference"] is None else c["mean_difference"] for c in flat],
        rel=0,
        nan_ok=True,
    )
    assert {c["pairs"] for c in flat if c["outcome"] != NOT_TESTED} == {10}
    described = read_schema("found.csv").columns.values()
    assert [column.name for column in described if not column.meaning] == []


def test_an_infinite_effect_is_filed_as_such_and_is_null_in_json(here, capfd):
    """Equal differences on every seed have no spread: Cohen's dz is infinite, not missing."""
    rows = table(tasks=(MG,))
    for row in rows:
        row["nrmse_h84"] = {"lnp": 0.25, "activity": 0.5}.get(called(row), row["nrmse_h84"])
    write_run(here / "run", rows)
    assert main(["verdicts", "run", "--out", "found.csv", "--json"]) == 0
    claims = json.loads(capfd.readouterr().out)["claims"]
    filed = read_table("found.csv")
    mine = filed[(filed["claim"] == "better-than-activity") & (filed["pairs"] > 0)]
    assert len(mine)
    assert (mine["dz"] == -math.inf).all()
    assert (mine["t"] == -math.inf).all()
    (claim,) = [c for c in claims if c["claim"] == "better-than-activity"]
    assert {c["dz"] for cell in claim["cells"] for c in cell["comparisons"]} == {None}


def test_a_run_without_lnp_rows_is_judged_as_not_tested(here, capfd):
    write_run(here / "run", [row for row in table() if called(row) != "lnp"])
    assert main(["verdicts", "run", "--json"]) == 0
    claims = json.loads(capfd.readouterr().out)["claims"]
    assert {claim["verdict"] for claim in claims} == {NOT_TESTED}
    assert "rows of 'lnp' are missing" in {claim["why"] for claim in claims}


def test_a_long_family_lists_only_what_is_not_as_claimed(here, capfd):
    levels = LEVELS | {f"random, {k}": 0.6 for k in range(6)}
    rows = shifted(table(levels), -0.7, task=MG, rule="random, 3", match=RAW)
    write_run(here / "run", rows)
    assert main(["verdicts", "run"]) == 0
    text = capfd.readouterr().out
    block = text[text.index("better-than-simple-rules: ") : text.index("cheaper-than-activity: ")]
    assert "35 comparisons are as claimed and not listed" in block
    assert block.count("random, 3") == 2  # in the sentence and in the table
    assert "random, 4" not in block


def test_a_rule_without_exponents_says_nothing_about_them():
    rows = [row | {"recipe": "frugal"} if called(row) == "lnp" else row for row in table()]
    settings = Settings(method="frugal")
    found = {v.claim.name: v for v in verdicts({"pruning_methods": filed(rows)}, settings=settings)}
    assert found["exponents"].verdict == NOT_TESTED
    assert "'frugal' has no part in it" in found["exponents"].why
    assert found["better-than-activity"].verdict == HOLDS
