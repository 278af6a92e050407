"""The list of figures: what each shows, from which table, drawn by which module."""

import importlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hrsnn_brian.errors import InputError, TableError, unknown_name
from hrsnn_brian.figures.panels import figure_of
from hrsnn_brian.figures.style import VERMILION, house_style, save
from hrsnn_brian.files.schema import read_schema
from hrsnn_brian.files.tables import read_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


SPECTRUM = "spectrum"


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
    "concept": FigureEntry(
        "neurons",
        "a network before and after pruning, coloured by time constant",
        "One network of one seed: its neurons on a ring in the order of the small "
        "world, discs excitatory, triangles inhibitory, crosses removed, lines "
        "synapses. At the right histograms of the time constants and, of each "
        "cluster, the gamma distribution of the same mean and variance. The control "
        "is the network before",
        others=("synapses",),
    ),
    "pruning_methods": FigureEntry(
        "pruning_methods",
        "scores and operations of every recipe at equal size, per task",
        "Points and bars: mean and standard error over the seeds named above; open: "
        "at the rate of the unpruned network. Vertical lines and bands: the controls,"
        " the unpruned network and the one without recurrence. A task where the one "
        "without recurrence is as good as the unpruned network says nothing about "
        "pruning",
    ),
    "paired_differences": FigureEntry(
        "pruning_methods",
        "scores against operations at equal size, and paired differences from one rival",
        "Above, points and bars: mean and standard error over the seeds named above in both "
        "directions; black: the unpruned network, dashed: no recurrence. Below: the mean of "
        "the paired differences to the rival, which is the line at 0, and its 95 % interval "
        "(Student, not corrected), right is better; small dots: seeds. Open: at the rate of "
        "the unpruned network",
    ),
    "dynamics": FigureEntry(
        "dynamics",
        "dynamics of pruned networks beside others of equal size, and spectra",
        "Points and bars: mean and standard error over the seeds named above, small "
        "dots: single seeds; open: at the rate of the unpruned network, which is the "
        "control",
    ),
    "pruning_history": FigureEntry(
        "pruning_history",
        "size, rate, dynamics and score of a network while it is pruned",
        "Points and bars: mean and standard error over the seeds named above. "
        "Iteration 0 is the control, the unpruned network",
    ),
    "free_runs": FigureEntry(
        "free_runs",
        "predictions that feed themselves, true and predicted, and their attractors",
        "One network of each kind, one seed; of all starts that of median valid "
        "prediction time. Black: the series, the control; dashed: where the error "
        "first passes the threshold",
    ),
    "eigenvalue_clouds": FigureEntry(
        "eigenvalues",
        "eigenvalues of the linearised networks, and how far their modes spread",
        "One network of each kind, one seed; no error bars. The control is the "
        "unpruned network, black. A participation ratio counts the neurons a mode "
        "lives on",
    ),
    "state_components": FigureEntry(
        "state_components",
        "principal components of the states along the pruning",
        "One seed, the same input in every panel; no error bars. At the left the "
        "control, the unpruned network",
    ),
    "time_constants": FigureEntry(
        "neurons",
        "time constants before and after the search, and the search itself",
        "One seed; no error bars. Each point of the left panels is a neuron, the line"
        " is no change; each of the right ones a trial, number 0 the control, crosses"
        " trials that failed",
        others=("timescale_search",),
    ),
    "pruning_curve": FigureEntry(
        "pruning_curve",
        "scores against the fraction of synapses kept, per recipe and task",
        "Points and bars: mean and standard error over the seeds named above. "
        "Horizontal lines: controls, no recurrence with its standard error as a band,"
        " and models without a network",
    ),
    "gain": FigureEntry(
        "gain",
        "scores against the gain of pruned networks, and against their input echo",
        "Points and bars: mean and standard error over the seeds named above; large "
        "open: the gain the echo chose. The control is the unpruned network, black",
    ),
    "transfer": FigureEntry(
        "transfer",
        "scores of pruned networks relative to the unpruned one, task by task",
        "Points and bars: mean and standard error over the seeds named above, each "
        "seed relative to its own unpruned network, which is the control, 1 by "
        "definition; no recurrence is another",
    ),
    "prediction_table": FigureEntry(
        "prediction_table",
        "every model on every series, best first",
        "Points and bars: mean and standard error over the seeds named above. Models "
        "without a network are the controls",
    ),
    "classification_table": FigureEntry(
        "classification_table",
        "accuracy against synaptic operations per image, per image set",
        "Points and bars: mean and standard error over the seeds named above. "
        "Controls are no recurrence, and the front-end without a network",
    ),
    "confusions": FigureEntry(
        "confusions",
        "what the networks take the images of every class for, per image set",
        "Shades: share of the test images of a class (row) taken for a class (column), mean over "
        "the seeds named above; above each the accuracy, mean and standard error over seeds. The "
        "controls are the unpruned network and the one without recurrence",
    ),
    "ablation": FigureEntry(
        "ablation",
        "what leaving out or exchanging each ingredient of LNP does to the scores",
        "Points and bars: mean paired difference and its 95 % interval (Student, not "
        "corrected) over the seeds named above; small dots: seeds. The control is LNP"
        " as it is, the line at 0",
    ),
    "heterogeneity": FigureEntry(
        "heterogeneity",
        "score, operations, rate and memory against the spread of tau_m, clusters beside one",
        "Points and bars: mean and standard error over the seeds named above, at "
        "equal size and rate. Controls: equal time constants, and no recurrence, a line or, where "
        "it is far off, in words",
    ),
    "sweep": FigureEntry(
        "sweep",
        "what was varied against the score of every task: lines, or a heat map for two",
        "Points and bars: mean and standard error over the seeds named above",
    ),
    "noise_robustness": FigureEntry(
        "noise_robustness",
        "scores of full and pruned networks against input and membrane noise",
        "Points and bars: mean and standard error over the seeds named above. The "
        "control is the unpruned network, black",
    ),
    "scale": FigureEntry(
        "scale",
        "time, memory and score against the number of neurons",
        "Points and bars: mean and standard error over the seeds named above",
    ),
    "finite_size": FigureEntry(
        "perturbation_size",
        "finite-size exponents against d0 for several dt, beside lambda_inf",
        "Points and bars: mean and standard error over the seeds named above. The "
        "control is lambda_inf, the exponent of an infinitesimal perturbation",
    ),
    "exponent_vs_J": FigureEntry(
        "lyapunov_spectrum",
        "lambda_inf and rate against J and g, per condition",
        "Points and bars: mean and standard error over the seeds named above; no mean"
        " where a check failed on one",
    ),
    "spectrum": FigureEntry(
        "lyapunov_spectrum",
        "Lyapunov exponents against their index, per condition",
        "Points and bars: mean and standard error over the seeds named above, or over"
        " independent inputs of one network; below 0 perturbations die",
    ),
    "convergence": FigureEntry(
        "lyapunov_spectrum",
        "estimates of the largest exponent against measured time",
        "One line per segment of measured time; a flat end is an estimate that has settled",
    ),
    "divergence": FigureEntry(
        "lyapunov_spectrum",
        "ln distance of perturbed copies against time, with fitted windows",
        "One line per pair of copies; straight: the fitted window, whose slope is the"
        " control of the exponents",
    ),
}


def list_figures() -> dict[str, str]:
    """Name -> one-line description."""
    return {name: entry.description for name, entry in FIGURES.items()}


def drawable(run: Path) -> list[str]:
    """The figures whose tables the run directory holds."""
    return [
        name
        for name in FIGURES
        if all(path.is_file() for path in _tables(name, run))
        or (name == SPECTRUM and measured_spectrum(run) is not None)
    ]


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
    if name == SPECTRUM and not paths[0].is_file() and (measured := measured_spectrum(run)):
        from hrsnn_brian.figures.portraits import plot_kind

        return figure_of([plot_kind(SPECTRUM, measured)])
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


def measured_spectrum(run: Path) -> dict[str, list[float]] | None:
    """The exponents that `hrsnn lyapunov --out` left, as `portraits.spectrum` takes them.

    None if the run directory holds none. Raises InputError for a result that cannot be read.
    """
    path = run / "result.json"
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        values, errors = (
            [math.nan if x is None else float(x) for x in found[name]]
            for name in ("exponents", "standard_error")
        )
    except (KeyError, TypeError, ValueError) as problem:
        what = f"is no result of hrsnn lyapunov: {problem}"
        raise InputError("--run", str(path), what) from None
    count = min(len(values), len(errors))  # lambda_inf is one of all
    return {
        "index": list(range(1, count + 1)),
        "exponent_per_s": values[:count],
        "standard_error_per_s": errors[:count],
    }


def _tables(name: str, run: Path) -> list[Path]:
    return [run / "tables" / f"{table}.csv" for table in FIGURES[name].tables]
