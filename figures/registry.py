"""The list of figures: what each shows, from which table, drawn by which module."""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hrsnn_brian.errors import InputError, TableError, unknown_name
from hrsnn_brian.figures.style import VERMILION, house_style, save
from hrsnn_brian.files.schema import read_schema
from hrsnn_brian.files.tables import read_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class FigureEntry:
    """A figure: `draw(table)` of the module of its name draws it from `tables/<table>.csv`.

    caption: what bars, lines and controls are, for those who see it without the run.
    """

    table: str
    description: str
    caption: str = ""


FIGURES = {
    "pruning_curve": FigureEntry(
        "pruning_curve", "scores against the fraction of synapses kept, per recipe and task"
    ),
    "pruning_methods": FigureEntry(
        "pruning_methods", "scores and operations of every recipe at equal size, per task"
    ),
    "gain": FigureEntry(
        "gain", "scores against the gain of pruned networks, and against their input echo"
    ),
    "transfer": FigureEntry(
        "transfer", "scores of pruned networks relative to the unpruned one, task by task"
    ),
    "prediction_table": FigureEntry("prediction_table", "every model on every series, best first"),
    "classification_table": FigureEntry(
        "classification_table", "accuracy against synaptic operations per image, per image set"
    ),
    "ablation": FigureEntry(
        "ablation", "what leaving out or exchanging each ingredient of LNP does to the scores"
    ),
    "heterogeneity": FigureEntry(
        "heterogeneity", "score and operations against the spread of tau_m, clusters beside one"
    ),
    "sweep": FigureEntry(
        "sweep", "what was varied against the score of every task: lines, or a heat map for two"
    ),
    "noise_robustness": FigureEntry(
        "noise_robustness", "scores of full and pruned networks against input and membrane noise"
    ),
    "scale": FigureEntry("scale", "time, memory and score against the number of neurons"),
    "dynamics": FigureEntry(
        "dynamics", "dynamics of LNP networks beside random ones of equal size, and spectra"
    ),
    "finite_size": FigureEntry(
        "perturbation_size", "finite-size exponents against d0 for several dt, beside lambda_inf"
    ),
    "exponent_vs_J": FigureEntry(
        "lyapunov_spectrum", "lambda_inf and rate against J and g, per condition"
    ),
    "spectrum": FigureEntry(
        "lyapunov_spectrum", "Lyapunov exponents against their index, per condition"
    ),
    "convergence": FigureEntry(
        "lyapunov_spectrum", "estimates of the largest exponent against measured time"
    ),
    "divergence": FigureEntry(
        "lyapunov_spectrum", "ln distance of perturbed copies against time, with fitted windows"
    ),
}


def list_figures() -> dict[str, str]:
    """Name -> one-line description."""
    return {name: entry.description for name, entry in FIGURES.items()}


def drawable(run: Path) -> list[str]:
    """The figures whose tables the run directory holds."""
    return [name for name in FIGURES if _table(name, run).is_file()]


def draw_figure(name: str, run: Path, folder: Path | None = None, missing: str = "") -> list[Path]:
    """Draws a figure from the run's table into `folder` (default: the run's figures/).

    Returns its PDF, SVG and PNG. Raises InputError if the figure is unknown, the run does not hold
    its table or its schema, or the table lacks a column.
    """
    figure = drawn(name, run, missing)
    folder = run / "figures" if folder is None else folder
    if folder.exists() and not folder.is_dir():
        raise InputError("--out", str(folder), "is a file; give a folder")
    return save(figure, folder, name)


def drawn(name: str, run: Path, missing: str = "") -> "Figure":
    """A figure from the run's table, not saved; missing: what it then says is not in it.

    Raises InputError as `draw_figure` does.
    """
    if name not in FIGURES:
        raise unknown_name("figure", name, FIGURES)
    path = _table(name, run)
    table = read_table(path)
    read_schema(path)
    module = importlib.import_module(f"hrsnn_brian.figures.{name}")
    try:
        with house_style():
            axes = module.draw(table)
    except TableError as error:
        raise TableError("table", str(path), error.allowed) from None
    figure: Figure = axes[0].figure
    if missing:
        figure.text(0.995, 0.995, missing, color=VERMILION, ha="right", va="top", fontsize=8)
    return figure


def _table(name: str, run: Path) -> Path:
    return run / "tables" / f"{FIGURES[name].table}.csv"
