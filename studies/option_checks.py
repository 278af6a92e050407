"""What studies ask of their options, each refusal naming the option and the value."""

from collections.abc import Iterable

from hrsnn_brian.errors import InputError, unknown_name
from hrsnn_brian.runs.study import Options


def check_names(options: Options, name: str, one: str, known: Iterable[str]) -> None:
    """Raises InputError, naming the nearest, if a value of the list `name` is not in `known`.

    one: what a single value is called.
    """
    known = list(known)
    for value in options[name]:
        if value not in known:
            raise unknown_name(one, value, known)


def check_fractions(options: Options, name: str, *, below_one: bool = False) -> None:
    """Raises InputError unless all values of the list `name` are in (0, 1], or (0, 1)."""
    for value in options[name]:
        if not 0 < value <= 1 or (below_one and value == 1):
            raise InputError(name, value, f"must be in (0, 1{')' if below_one else ']'}")


def check_least(options: Options, **least: float) -> None:
    """Raises InputError if an option is below its least value."""
    for name, bound in least.items():
        if not options[name] >= bound:
            raise InputError(name, options[name], f"must be at least {bound:g}")
