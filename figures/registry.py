"""The list of figures: what each shows, from which table, drawn by which module."""

import importlib
from dataclasses import dataclass
from pathlib import Path

from hrsnn_brian.errors import InputError, TableError, unknown_name
from hrsnn_brian.figures.style import house_style, save
from hrsnn_brian.files.schema import read_schema
from hrsnn_brian.files.tables import read_table


@dataclass(frozen=True)
class FigureEntry:
    """A figure: `module.draw(table)` draws it from `tables/<table>.csv` of a run."""

    name: str
    description: str
    table: str
    module: str


FIGURES: dict[str, FigureEntry] = {
    entry.name: entry
    for entry in (
        FigureEntry(
            name="pruning_curve",
            description="scores against the fraction of synapses kept, per recipe and task",
            table="pruning_curve",
            module="hrsnn_brian.figures.pruning_curve",
        ),
        FigureEntry(
            name="pruning_methods",
            description="scores and operations of every recipe at equal size, per task",
            table="pruning_methods",
            module="hrsnn_brian.figures.pruning_methods",
        ),
        FigureEntry(
            name="ablation",
            description="what leaving out or exchanging each ingredient of LNP does to the scores",
            table="ablation",
            module="hrsnn_brian.figures.ablation",
        ),
        FigureEntry(
            name="dynamics",
            description="dynamics of LNP networks beside random ones of equal size, and spectra",
            table="dynamics",
            module="hrsnn_brian.figures.dynamics",
        ),
        FigureEntry(
            name="finite_size",
            description="finite-size exponents against d0 for several dt, beside lambda_inf",
            table="perturbation_size",
            module="hrsnn_brian.figures.finite_size",
        ),
        FigureEntry(
            name="exponent_vs_J",
            description="lambda_inf and rate against J and g, per condition",
            table="lyapunov_spectrum",
            module="hrsnn_brian.figures.exponent_vs_J",
        ),
        FigureEntry(
            name="spectrum",
            description="Lyapunov exponents against their index, per condition",
            table="lyapunov_spectrum",
            module="hrsnn_brian.figures.spectrum",
        ),
        FigureEntry(
            name="convergence",
            description="estimates of the largest exponent against measured time",
            table="lyapunov_spectrum",
            module="hrsnn_brian.figures.convergence",
        ),
        FigureEntry(
            name="divergence",
            description="ln distance of perturbed copies against time, with fitted windows",
            table="lyapunov_spectrum",
            module="hrsnn_brian.figures.divergence",
        ),
    )
}


def list_figures() -> dict[str, str]:
    """Name -> one-line description."""
    return {name: entry.description for name, entry in FIGURES.items()}


def get_figure(name: str) -> FigureEntry:
    """The figure of that name. Raises InputError, naming the nearest, if there is none."""
    if name not in FIGURES:
        raise unknown_name("figure", name, FIGURES)
    return FIGURES[name]


def drawable(run: Path) -> list[str]:
    """The figures whose tables the run directory holds."""
    return [name for name, entry in FIGURES.items() if _table(entry, run).is_file()]


def draw_figure(name: str, run: Path, folder: Path | None = None) -> list[Path]:
    """Draws a figure from the run's table into `folder` (default: the run's figures/).

    Returns the PDF and the PNG. Raises InputError if the figure is unknown, the run does not hold
    its table or its schema, or the table lacks a column.
    """
    entry = get_figure(name)
    table = read_table(_table(entry, run))
    read_schema(_table(entry, run))
    folder = run / "figures" if folder is None else folder
    if folder.exists() and not folder.is_dir():
        raise InputError("--out", str(folder), "is a file; give a folder")
    module = importlib.import_module(entry.module)
    try:
        with house_style():
            axes = module.draw(table)
    except TableError as error:
        raise TableError("table", str(_table(entry, run)), error.allowed) from None
    return save(axes[0].figure, folder, name)


def _table(entry: FigureEntry, run: Path) -> Path:
    return run / "tables" / f"{entry.table}.csv"
