"""What a sweep found, for the terminal: the combinations, best first, and what each factor does."""

import math
from collections.abc import Sequence
from statistics import mean
from typing import Any

from hrsnn_brian.files.columns import NAME, Column, named
from hrsnn_brian.files.score import LOWER
from hrsnn_brian.files.tables import Row, Table, text_table
from hrsnn_brian.statistics.comparison import seeds_needed
from hrsnn_brian.statistics.factors import effects, factors_of, level
from hrsnn_brian.statistics.paired_seeds import Seeds, by_seed, left_out, spread

COSTS = ("rate_hz", "synaptic_ops_per_s")
MOST = 20  # lines of one block; the table has all
_CELL = "combination"


def sweep_summary(rows: Sequence[Row]) -> str:
    """Per task and readout the means of every combination, then the tests of every factor."""
    table = Table(rows)
    blocks = []
    for task, readout in dict.fromkeys((row["task"], row["readout"]) for row in table):
        score = table.schema.primary(task)
        mine = [row for row in named(table) if (row["task"], row["readout"]) == (task, readout)]
        if score is not None:
            factors = factors_of(table.schema, mine)
            title = f"{task}, readout {readout}"
            blocks += [_means(mine, factors, score, title), _tests(mine, factors, score)]
    seeds = len({row["seed"] for row in table})
    blocks.append(f"mean ± s.e.m. over {seeds} seeds")
    return "\n\n".join(block for block in blocks if block)


def _means(rows: list[Row], factors: list[Column], score: Column, title: str) -> str:
    names = [factor.name for factor in factors]
    cells = {str(key): key for key in (tuple(level(row, n) for n in names) for row in rows)}
    keyed = [row | {_CELL: str(tuple(level(row, n) for n in names))} for row in rows]
    scores, *costs = (by_seed(keyed, _CELL, column) for column in (score.name, *COSTS))
    ordered = sorted(scores, key=lambda cell: _rank(scores[cell], score))
    lines = [
        [*cells[cell], scores[cell].count, spread(scores[cell]), *(spread(c[cell]) for c in costs)]
        for cell in ordered[:MOST]
    ]
    some = f", the best {MOST} of {len(ordered)}" if len(ordered) > MOST else ""
    head = f"{title}{some}{left_out(scores.values())}"
    return f"{head}\n{text_table(lines, [*map(_called, names), 'seeds', score.name, *COSTS])}"


def _called(factor: str) -> str:
    return "recipe" if factor == NAME else factor


def _rank(seeds: Seeds, score: Column) -> float:
    """Lower is better; infinite where no seed counts."""
    if not seeds:
        return math.inf
    return mean(seeds.values()) * (1 if score.better == LOWER else -1)


def _tests(rows: list[Row], factors: list[Column], score: Column) -> str:
    found = effects(rows, [factor.name for factor in factors], score.name)
    if not found:
        return ""
    order = sorted(found, key=lambda key: max(found[key].p_t_holm, found[key].p_wilcoxon_holm))
    lines = []
    for factor, one, other in order[:MOST]:
        test = found[factor, one, other]
        numbers = (test.mean_difference, test.dz, test.p_t_holm, test.p_wilcoxon_holm)
        cells = (f"{number:.3g}" for number in numbers)
        lines.append(
            [_called(factor), one, other, test.pairs, *cells, _better(test, one, other, score)]
        )
    header = [score.name, "level", "against", "pairs", "difference", "dz"]
    text = text_table(lines, [*header, "p t (Holm)", "p W (Holm)", "better"])
    some = f"the {MOST} least likely by chance of " if len(order) > MOST else ""
    needed = seeds_needed(comparisons=len(found))
    head = f"{some}{len(found)} comparisons, all else equal and averaged over, paired by seed"
    return f"{head}; corrected together they need {needed} seeds\n{text}"


def _better(test: Any, one: Any, other: Any, score: Column) -> str:
    if test.favours(score.better):
        return str(one)
    opposite = "higher" if score.better == LOWER else "lower"
    return str(other) if test.favours(opposite) else "-"
