"""Settings of the user's own matrix."""

import math
from typing import Any

import numpy as np

from hrsnn_brian.errors import InputError
from hrsnn_brian.settings.fields import Checked, Choice

AS_GIVEN, BY_IN_DEGREE = "as-given", "J/sqrt(K)"


class MatrixChoice(Choice):
    """One of a few names; the first is not written, as networks without a matrix have none."""

    def plain(self, value: str) -> str | None:
        return None if value == self.names[0] else value


class MatrixScale(Checked[str | float]):
    """A name, or the wanted spectral radius; "as-given" is not written."""

    def __init__(self) -> None:
        super().__init__(AS_GIVEN)

    def convert(self, value: Any) -> str | float:
        if value in (AS_GIVEN, BY_IN_DEGREE):
            return str(value)
        is_number = isinstance(value, (int, float, np.integer, np.floating))
        if not is_number or isinstance(value, bool) or not 1 < value < math.inf:
            allowed = f"must be {AS_GIVEN}, {BY_IN_DEGREE} or a number > 1, the spectral radius "
            raise InputError(self.argument, value, allowed + "of -1 + W (the leak alone gives 1)")
        return float(value)

    def plain(self, value: str | float) -> str | float | None:
        return None if value == AS_GIVEN else value
