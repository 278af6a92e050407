"""The house style of every figure: colours for all eyes, small type; PDF, SVG and PNG."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrsnn_brian.files.atomic import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito's palette: distinct for the colour-blind and in grey.
BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
# What is left out of a file, by its kind.
DATELESS: dict[str, dict[str, str | None]] = {
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
    "png": {"Software": None},
}
GREY, SLATE = "#8C8C8C", "#4D4D4D"
LINES = (ORANGE, BLUE, VERMILION, GREEN, PURPLE, SKY)
MARKERS = ("o", "s", "^", "D", "v", "P")
# Of the members of a family, so many that the recipes of the package have a look each.
_MEMBERS = ("s", "^", "v", "P", "<", ">", "X", "p", "h", "*")
# A recipe has the colour of its family, the first word of its name, in every figure.
FAMILIES = {
    "full": BLACK,
    "no": GREY,  # recurrence
    "lnp": VERMILION,
    "frugal": GREEN,
    "thrifty": "#00674A",  # a darker GREEN
    "activity": ORANGE,
    "magnitude": PURPLE,
    "sampling": "#8A4A6F",  # a darker PURPLE
    "random": BLUE,
    "fresh": SKY,
    "noise": "#A89A00",  # a darker YELLOW
    "lottery": "#7A5230",
    "class": "#5B8C85",  # rewired
    "original": "#C08A3E",  # timescales
}

STYLE = Path(__file__).parent / "hrsnn.mplstyle"


def recipe_style(name: str) -> dict[str, Any]:
    """Colour, marker and line of a recipe or reference, the same in every figure.

    Members of a family share a colour; the line and marker tell the one with the echo gain, and
    the marker others, from the plain one.
    """
    family = name.replace("-", " ").split()[0]
    of_it = name.removeprefix(family)
    echoed = of_it.endswith(" echo")
    # a sum of letters, so that a look depends on the name alone; a test holds the looks apart
    member = _MEMBERS[sum(of_it.encode()) % 255 % len(_MEMBERS)]
    return {
        "color": FAMILIES.get(family, SLATE),
        "marker": "o" if not of_it else "D" if echoed else member,
        "linestyle": "--" if echoed else "-",
    }


def filled(fill: str, colour: str) -> dict[str, Any]:
    """A marker filled in one of matplotlib's ways, the rest of it white, not clear."""
    face = "white" if fill == "none" else colour
    style = "full" if fill == "none" else fill
    return {"fillstyle": style, "markerfacecolor": face, "markerfacecoloralt": "white"}


@contextmanager
def house_style() -> Iterator[None]:
    """Everything drawn or saved inside the block has the house style; nothing outside does."""
    import matplotlib

    with matplotlib.rc_context(fname=STYLE):
        yield


def new_figure(width_in: float, height_in: float) -> "Figure":
    """A figure of the given size in inches, independent of pyplot and of any display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: "Figure", folder: Path, name: str) -> list[Path]:
    """Writes `name` as PDF, SVG and PNG into `folder`, atomically; the same bytes every time."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for kind in DATELESS:
        path = folder / f"{name}.{kind}"
        with house_style(), replacing(path) as stream:
            figure.savefig(stream, format=kind, metadata=DATELESS[kind])
        paths.append(path)
    return paths


def svg_of(figure: "Figure") -> bytes:
    """A figure as SVG, the same bytes every time."""
    stream = io.BytesIO()
    with house_style():
        figure.savefig(stream, format="svg", metadata=DATELESS["svg"])
    return stream.getvalue()


def plain_log_y(axis: "Axes") -> None:
    """A logarithmic vertical axis with plain ticks at 1, 2 and 5 times powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.yaxis.set_minor_locator(NullLocator())


def plain_log_x(axis: "Axes", values: list[float]) -> None:
    """A logarithmic horizontal axis with ticks at `values`, written as plain numbers."""
    from matplotlib.ticker import NullFormatter, NullLocator

    axis.set_xscale("log")
    axis.set_xticks(values, [f"{value:g}" for value in values])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_minor_formatter(NullFormatter())


def open_log_x(axis: "Axes") -> None:
    """A logarithmic horizontal axis with air beside what is drawn.

    Ticks at powers of ten; over less than two decades at 1, 2 and 5 times them, as plain numbers.
    """
    from matplotlib.ticker import FuncFormatter, LogFormatterMathtext, LogLocator, NullFormatter

    low, high = axis.dataLim.intervalx
    axis.set_xscale("log")
    axis.set_xlim(low / 1.6, high * 1.6)
    wide = high > 100 * low
    axis.xaxis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5)))
    plain = FuncFormatter(lambda value, _: f"{value:g}")
    axis.xaxis.set_major_formatter(LogFormatterMathtext() if wide else plain)
    axis.xaxis.set_minor_formatter(NullFormatter())
