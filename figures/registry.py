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

    caption: what n, bars, lines and controls are, for those who see it without the run. others:
    tables that `draw` takes after the first.
    """

    table: str
    description: str
    caption: str = ""
    others: tuple[str, ...] = ()

    @property
    def tables(self) -> tuple[str, ...]:
        return (self.table, *self.others)


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
    "concept": FigureEntry(
        "neurons",
        "a network before and after pruning, coloured by time constant",
        others=("synapses",),
    ),
    "pruning_history": FigureEntry(
        "pruning_history", "size, rate, dynamics and score of a network while it is pruned"
    ),
    "eigenvalue_clouds": FigureEntry(
        "eigenvalues", "eigenvalues of the linearised networks, and how far their modes spread"
    ),
    "free_runs": FigureEntry(
        "free_runs", "predictions that feed themselves, true and predicted, and their attractors"
    ),
    "state_components": FigureEntry(
        "state_components", "principal components of the states along the pruning"
    ),
    "time_constants": FigureEntry(
        "neurons",
        "time constants before and after the search, and the search itself",
        others=("timescale_search",),
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
    return [name for name in FIGURES if all(path.is_file() for path in _tables(name, run))]


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
    paths = _tables(name, run)
    tables = [read_table(path) for path in paths]
    for path in paths:
        read_schema(path)
    module = importlib.import_module(f"hrsnn_brian.figures.{name}")
    try:
        with house_style():
            axes = module.draw(*tables)
    except TableError as error:
        raise TableError("table", ", ".join(map(str, paths)), error.allowed) from None
    figure: Figure = axes[0].figure
    if missing:
        figure.text(0.995, 0.995, missing, color=VERMILION, ha="right", va="top", fontsize=8)
    return figure


def _tables(name: str, run: Path) -> list[Path]:
    return [run / "tables" / f"{table}.csv" for table in FIGURES[name].tables]
