"""Settings of the user's own matrix."""

from typing import Any

from hrsnn_brian.settings.checked import Checked
from hrsnn_brian.settings.fields import OneOf, as_number

AS_GIVEN, BY_IN_DEGREE = "as-given", "J/sqrt(K)"


class MatrixChoice(OneOf):
    """One of a few names; the default is not written, as networks without a matrix have none."""

    def plain(self, value: str) -> str | None:
        return None if value == self._default else value


class MatrixScale(Checked[str | float]):
    """A name, or the wanted spectral radius; "as-given" is not written."""

    def __init__(self) -> None:
        super().__init__(AS_GIVEN)

    def allowed(self) -> str:
        wanted = "the spectral radius of -1 + W (the leak alone gives 1)"
        return f"{AS_GIVEN}, {BY_IN_DEGREE} or a number > 1, {wanted}"

    def convert(self, value: Any) -> str | float:
        if value in (AS_GIVEN, BY_IN_DEGREE):
            return str(value)
        number = as_number(value)
        if number is None or number <= 1:
            raise self.refused(value)
        return float(number)

    def plain(self, value: str | float) -> str | float | None:
        return None if value == AS_GIVEN else value
