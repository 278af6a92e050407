"""What a tuned setting is worth: presets side by side on fresh seeds, full and pruned.

`hrsnn tune` chooses a preset by validation blocks; here it meets series and networks of seeds that
chose nothing, on the test blocks, beside the default. One row per seed, preset, size, recipe, task
and readout; `full` is the network before pruning.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import TYPE_CHECKING

from hrsnn_brian.evaluation.evaluate import READOUTS
from hrsnn_brian.evaluation.quadratic import QUADRATIC
from hrsnn_brian.files.columns import FULL, NAME, Column, named
from hrsnn_brian.files.tables import Row, Table, text_table
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.network.presets import DEFAULT_PRESET, load_preset
from hrsnn_brian.pruning.recipes import RECIPES
from hrsnn_brian.runs.options import Names, Options, Recipes, Tasks
from hrsnn_brian.runs.study import Point, Study
from hrsnn_brian.settings.fields import Flag, Real, Text, Whole
from hrsnn_brian.settings.lists import Many
from hrsnn_brian.statistics.paired_seeds import against, by_seed, left_out
from hrsnn_brian.studies.recipe_scores import PRIMARY, RAW, TASKS, scored_rows
from hrsnn_brian.studies.task_points import ImageFiles, shown_tasks

if TYPE_CHECKING:
    from hrsnn_brian.simulation import Engine

PRESET, SIZE = "preset", "N"


@dataclass(frozen=True)
class TuningOptions(ImageFiles):
    """Which presets meet, at which sizes, and how they are pruned."""

    presets: Many = Many(Text(DEFAULT_PRESET), (DEFAULT_PRESET, "low-rate"), PRESET).about(
        "names, or FILE.toml as hrsnn tune writes one; each is tested against the first"
    )
    sizes: Many = Many(Whole(500, low=1), (100,), "size").about("neurons, in place of a preset's")
    recipes: Recipes = Recipes("frugal", known=RECIPES).about("how each is pruned, too")
    keep: Real = Real(0.05, 0, 1, above=True, below=True).about("fraction of the synapses kept")
    tasks: Tasks = Tasks(*TASKS).about("what every network is scored on")
    readouts: Names = Names((*READOUTS, QUADRATIC), PRIMARY, one="readout").about(
        "what a readout sees beside the present input"
    )
    vpt_starts: Whole = Whole(10, low=1).about("starts of free runs, of tasks that have them")
    short_tasks: Flag = Flag(True).about("shorter series and fewer images, for a first look")

    def __post_init__(self) -> None:
        for preset in self.presets:
            for size in self.sizes:
                _network(preset, size)


def _network(preset: str, size: int) -> HRSNNParams:
    return load_preset(preset, [f"N={size}"])


def points(options: Options, seed: int) -> list[Point]:
    """One point per seed, preset, size and recipe, the full network first."""
    shared = {"tasks": shown_tasks(options["tasks"], options), "readouts": options["readouts"]}
    return [
        {"seed": seed + number, PRESET: preset, SIZE: size, "recipe": recipe}
        | {"keep": 1.0 if recipe == FULL else options["keep"]}
        | shared
        | {"network": _network(preset, size).to_dict(), "match": [RAW], "neuron_fraction": 1.0}
        for number in range(options["seeds"])
        for size in options["sizes"]
        for preset in options["presets"]
        for recipe in (FULL, *options["recipes"])
    ]


def run(point: Point, engine: "Engine") -> list[Row]:
    """One row per task."""
    recipe = None if point["recipe"] == FULL else RECIPES[point["recipe"]]
    told = {PRESET: point[PRESET], SIZE: point[SIZE]}
    return [row | told for row in scored_rows(point, recipe, engine, tuple(point["readouts"]))]


def summary(rows: Sequence[Row]) -> str:
    """Per task and size every preset and recipe; each against the first preset's full network."""
    table = Table(rows)
    chosen = [row | {NAME: f"{row[PRESET]}: {row[NAME]}"} for row in named(table)]
    blocks = []
    places = ("task", SIZE, "readout")
    for place in dict.fromkeys(tuple(row[name] for name in places) for row in chosen):
        task, size, readout = place
        score = table.schema.primary(task)
        if score is not None:
            mine = [row for row in chosen if tuple(row[name] for name in places) == place]
            blocks.append(_block(mine, f"{task}, N = {size}, {readout}", score))
    seeds = len({row["seed"] for row in rows})
    return "\n\n".join([*blocks, f"mean and standard deviation over {seeds} seeds"])


def _block(rows: Sequence[Row], title: str, score: Column) -> str:
    scores = by_seed(rows, NAME, score.name)
    costs = [by_seed(rows, NAME, column) for column in ("rate_hz", "synaptic_ops_per_s")]
    first = next(iter(scores))
    tests = against(scores, first)
    lines = [
        [
            name,
            found.count,
            _mean(found),
            stdev(found.values()) if len(found) > 1 else None,
            *(_mean(cost[name]) for cost in costs),
            tests[name].p_t_holm if name in tests else None,
        ]
        for name, found in scores.items()
    ]
    header = ["network", "seeds", score.name, "sd", "rate_hz", "synaptic_ops_per_s", "p (Holm)"]
    title += f"; p of the paired t test against {first}{left_out(scores.values())}"
    return f"{title}\n{text_table(lines, header)}"


def _mean(found: Mapping[int, float]) -> float | None:
    """None of a network whose size or rate was out of reach."""
    return mean(found.values()) if found else None


def _families(options: Options) -> tuple[int, int] | None:
    others = len(options["presets"]) * (1 + len(options["recipes"])) - 1
    return (others, others) if others else None


STUDY = Study(
    name="tuning",
    description="presets side by side on fresh seeds, full and pruned: what tuning is worth",
    points=points,
    run=run,
    options=TuningOptions,
    families=_families,
    presets={
        "quick": {},
        "paper": {
            "seeds": 5,
            "sizes": [500, 1000],
            "recipes": ["frugal", "random variance"],
            "vpt_starts": 20,
            "short_tasks": False,
        },
    },
    summary=summary,
    columns=(
        Column(PRESET, "parameters it was drawn from", role="identity"),
        Column(SIZE, "neurons before pruning", "1", role="size"),
    ),
)
