"""What a pruning recipe is: steps in their order, repeated until a size is reached.

Lyapunov Noise Pruning is a recipe with four steps, a rival one with one or two; a variant is
`recipe.changed(...)`. `lnp` and `recipes` hold the shipped ones, `prune` applies them.
"""

# ruff: noqa: RUF009 - the calls in class bodies make descriptors, not shared default values

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from hrsnn_brian.dynamics.echo import EXPLOSIVE
from hrsnn_brian.errors import InputError
from hrsnn_brian.pruning.echo_gain import EchoGain
from hrsnn_brian.pruning.iteration import Step
from hrsnn_brian.settings.checked import Checked
from hrsnn_brian.settings.fields import OneOf, OptionalReal, Real, Whole
from hrsnn_brian.settings.keys import Keys
from hrsnn_brian.settings.reader import Settings, assignments
from hrsnn_brian.settings.section import Section, checked_fields

if TYPE_CHECKING:
    from hrsnn_brian.dynamics.probe import ProbeLengths

MAIN = "rule"  # `--set neurons=random` stands for neurons.rule=random
_OWN = ("name", "description", "source", "cost", "rounds")
_PARTS = ("start", "steps", "finish")


@dataclass(frozen=True)
class Stability(Section):
    """The condition that a network must meet after every iteration, and what breaks it off.

    Stable is lambda_1 <= lambda_max, min_rate <= mean rate <= max_rate and, where bounds are given,
    under common noise shown through the encoder lambda <= lambda_common_max and an input echo <=
    echo_max: independent noise does not see the coherent mode in which networks run away. Both are
    measured anyway, unless the encoder shows nothing; a network without an echo passes. Exponents
    are the largest ones at one time step. All are compared as they are: the standard errors, which
    the history has beside them, do not enter, so that within them the decision is chance. [our
    choice; that the loop ends early when a condition fails is the paper's]
    """

    section: ClassVar[str] = "stability"
    lambda_max: Real = Real(0.0).about("largest lambda_1 of a stable network", "1/s")
    # None, so that `lnp` stays what it was: its slow leaks bring both to these bounds
    lambda_common_max: OptionalReal = OptionalReal(-math.inf).about(
        "if given, largest exponent of a stable network under common noise, such as 0", "1/s"
    )
    echo_max: OptionalReal = OptionalReal(0).about(
        "if given, largest input echo of a stable network; above 2 it is about to run away"
    )
    min_rate: Real = Real(0.1, 0).about("lowest mean rate of a stable network", "Hz")
    max_rate: Real = Real(500.0, 0).about("highest mean rate of a stable network", "Hz")
    patience: Whole = Whole(3, low=1).about("unstable iterations in a row that end pruning")
    disconnected: OneOf = OneOf(
        "refuse", {"refuse": "a network in several parts is refused", "allow": "it is pruned"}
    ).about("what becomes of a network that is in several parts")

    def __post_init__(self) -> None:
        if not self.min_rate < self.max_rate:
            raise InputError("min_rate", self.min_rate, f"must be in 0 .. {self.max_rate:g} Hz")

    def failures(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        """Why a network with the measures of `row` is not stable; empty if it is.

        row: "rate_hz" and "lambda_1_per_s"; "lambda_common_per_s" and "input_echo", if measured.
        """
        rate = row["rate_hz"]
        reasons = []
        if rate == 0:
            reasons.append("it is silent (no spikes)")
        elif rate < self.min_rate:
            reasons.append(f"its rate of {rate:.3g} Hz is below min_rate = {self.min_rate:g}")
        if rate > self.max_rate:
            reasons.append(f"it explodes: {rate:.4g} Hz, above max_rate = {self.max_rate:g}")
        for name, what, bound in (
            ("lambda_1_per_s", "lambda_1", "lambda_max"),
            ("lambda_common_per_s", "lambda under common noise", "lambda_common_max"),
        ):
            value, most = row.get(name), getattr(self, bound)
            if value is None or most is None:
                continue
            if math.isnan(value):
                reasons.append(f"its {what} could not be measured")
            elif value > most:
                reasons.append(f"its {what} of {value:.3g}/s is above {bound} = {most:g}")
        echo = row.get("input_echo", math.nan)
        if self.echo_max is not None and echo > self.echo_max:
            reasons.append(f"its input echo of {echo:.3g} is above echo_max = {self.echo_max:g}")
        return tuple(reasons)


# Judged under common noise as well.
COHERENT = Stability(lambda_common_max=0.0, echo_max=EXPLOSIVE)


@dataclass(frozen=True)
class Recipe:
    """A way to prune: what is done once before, in every iteration, and once in the last.

    name, description, source, cost: what a list says of it. family: whose random streams it draws
    from, so that variants of a recipe draw alike. rounds: its number of iterations, unless another
    is asked for. stability: the condition after every iteration; None measures and asks nothing.
    fewer_neurons: the recipe makes no sense where all neurons stay.
    """

    name: str
    description: str
    source: str
    cost: str
    family: str
    steps: tuple[Step, ...] = ()
    start: tuple[Step, ...] = ()
    finish: tuple[Step, ...] = (EchoGain(),)
    stability: Stability | None = None
    rounds: int = 1
    fewer_neurons: bool = False

    def sections(self) -> Iterator[Section]:
        """Everything that holds settings, in the order of application."""
        yield from (*self.start, *self.steps, *self.finish)
        if self.stability is not None:
            yield self.stability

    def step(self, section: str) -> Any:
        """The step of that name, None if the recipe has none."""
        return next((s for s in self.sections() if s.section == section), None)

    @property
    def needs(self) -> tuple[str, ...]:
        """Facts that its steps look at or ask for, sorted."""
        steps = (*self.start, *self.steps, *self.finish)
        return tuple(sorted({need for step in steps for need in step.needs | step.asks}))

    @property
    def measures(self) -> bool:
        """Whether networks are simulated, so that the lengths of the probe matter."""
        return bool(self.needs) or self.stability is not None

    def stream(self, step: str, number: int) -> tuple[str | int, ...]:
        """Keys of a random stream.

        Those of LNP name family, step and iteration; the others' are older, and kept so that the
        published tables stay reproducible.
        """
        if number == 0:
            return (step,)
        if self.family == "lnp":
            return ("lnp", step, number)
        return (self.family, number) if step == "synapses" else (step, number)

    def options(self) -> dict[str, tuple[Checked[Any], Any]]:
        """Dotted name -> the field and its value in this recipe."""
        return {
            f"{part.section}.{name}": (checked, getattr(part, name))
            for part in self.sections()
            for name, checked in checked_fields(type(part))
        }

    def changed(self, **changes: Any) -> "Recipe":
        """The recipe with some settings exchanged; `name`, `rounds`, ... are its own.

        Settings go by their dotted or short name ("synapses.score" as synapses__score or score); a
        step's name alone stands for its rule.

        Raises InputError for a setting it does not have (the nearest is named) or a value that is
        not allowed.
        """
        own: dict[str, Any] = {key: changes[key] for key in _OWN if key in changes}
        by_section: dict[str, dict[str, Any]] = {}
        for key, value in changes.items():
            if key not in own:
                path = self._path(key.replace("__", "."))
                by_section.setdefault(path[0], {})[path[1]] = value

        def new(part: Any) -> Any:
            return replace(part, **by_section.get(part.section, {}))

        own |= {part: tuple(map(new, getattr(self, part))) for part in _PARTS}
        own["stability"] = None if self.stability is None else new(self.stability)
        return replace(self, **own)

    def with_settings(self, settings: Settings) -> "Recipe":
        """The recipe with settings given as texts, key=value or a TOML file, or as a table.

        Raises InputError as `changed` does, and for a text or file that cannot be read.
        """
        return self.changed(**assignments(self.keys(), settings))

    def keys(self) -> Keys:
        """The keys of its settings; a step's name stands for its rule."""
        keys = Keys({}, argument=f"option of recipe {self.name!r}", see=self.name)
        for part in self.sections():
            keys |= type(part).keys().under(part.section)
        rules = {p.partition(".")[0]: (p,) for p in keys.fields if p.endswith(f".{MAIN}")}
        return replace(keys, aliases={**keys.aliases, **rules})

    def _path(self, key: str) -> tuple[str, str]:
        section, _, name = self.keys().paths(key)[0].partition(".")
        return section, name

    def to_dict(self) -> dict[str, Any]:
        """Everything that decides what it does, as plain values."""
        table = {part.section: part.to_dict() for part in self.sections()}
        order = {part: [step.section for step in getattr(self, part)] for part in _PARTS}
        return {"family": self.family, **order, **table}


def with_lengths(recipe: Recipe, settings: Settings) -> "tuple[Recipe, ProbeLengths]":
    """`with_settings`, which may set the lengths of the probe, too, if the recipe then measures."""
    from hrsnn_brian.dynamics.probe import ProbeLengths

    prefix, keys = f"{ProbeLengths.section}.", recipe.keys()
    given = assignments(keys | ProbeLengths.keys().under(ProbeLengths.section), settings)
    lengths = {path: given.pop(path) for path in [*given] if path.startswith(prefix)}
    changed = recipe.changed(**given)
    if lengths and not changed.measures:
        raise keys.unknown(next(iter(lengths)))
    measured = {path.removeprefix(prefix): value for path, value in lengths.items()}
    return changed, ProbeLengths.from_dict(measured)
