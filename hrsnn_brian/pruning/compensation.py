"""What the surviving synapses do for those that left: rescaling rules on CSR matrices.

`W[post, pre]` is signed. A "class input" of a neuron is the set of its positive (excitatory) or
of its negative (inhibitory) synapses; the two are rescaled separately, by positive factors, so
Dale's law holds. All matrices have the same shape; the survivors' edges are a subset of the
original's but for those that LNP adds: a class input that the original does not have has no
former sum, and its synapses keep their weight.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrsnn_brian.errors import InputError, unknown_name

RULES = {
    "none": "survivors keep their weight",
    "row": "class inputs times (former sum / kept sum)^alpha; 'row' is 'row 0.5'",
    "variance": "class inputs times a factor that restores their sum of squares",
    "literal": "weights times min(1/p, cap): E[W'] = W as long as p >= 1/cap; "
    "'literal' is 'literal 1000', 'literal inf' has no cap",
    "capped": "weights times 1/p, at most the median of the survivors' 1/p",
}
# of a rule that has one: its name, default, lowest and highest value
_NUMBER = {"row": ("alpha", 0.5, 0.0, 1.0), "literal": ("cap", 1000.0, 1.0, math.inf)}


@dataclass(frozen=True)
class Compensation:
    """A rule of `RULES` and its number: alpha of "row" (0 .. 1), cap of "literal" (>= 1).

    Raises InputError for an unknown rule or a number outside its range.
    """

    rule: str
    number: float | None = None

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise unknown_name("compensation", self.rule, RULES)
        if self.rule in _NUMBER:
            name, default, low, high = _NUMBER[self.rule]
            number = default if self.number is None else float(self.number)
            object.__setattr__(self, "number", number)
            if not low <= number <= high:
                what = f"{name} must be from {low:g} to {high:g}"
                raise InputError("compensation", str(self), what)
        elif self.number is not None:
            raise InputError("compensation", str(self), f"{self.rule!r} takes no number")

    def __str__(self) -> str:
        return self.rule if self.number is None else f"{self.rule} {self.number:g}"


def parse_compensation(text: "str | Compensation") -> Compensation:
    """A rule from words such as "none", "row", "row 0.5", "variance", "literal 100".

    Raises InputError for another rule, or a number that is none or out of range.
    """
    if isinstance(text, Compensation):
        return text
    words = str(text).split()
    if not 1 <= len(words) <= 2:
        raise InputError("compensation", text, f"must be one of {', '.join(RULES)}, e.g. 'row 0.5'")
    try:
        number = float(words[1]) if len(words) == 2 else None
    except ValueError:
        raise InputError("compensation", text, f"{words[1]!r} is not a number") from None
    return Compensation(words[0], number)


def compensate(kept: Any, original: Any, compensation: Compensation, p: NDArray[np.float64]) -> Any:
    """The survivors with the rule applied.

    kept: CSR (N, N), the survivors; original: CSR (N, N), whose sums are "former" for `row` and
    `variance`; p: (kept.nnz,), the probability with which each survivor was kept, for `literal` and
    `capped`.
    """
    rule, number = compensation.rule, compensation.number
    if rule == "row" and number is not None:
        return row_power(kept, original, number)
    if rule == "variance":
        return variance_preserving(kept, original)
    if rule == "capped" and p.size:
        return inverse_probability(kept, p, float(np.median(1.0 / p)))
    return inverse_probability(kept, p, number) if rule == "literal" and number else kept


def row_power(kept: Any, original: Any, alpha: float = 0.5) -> Any:
    """w_ij (S_ic / s_ic)^alpha, S and s the original and kept sums of class input c of neuron i.

    alpha = 1 restores the sums, alpha = 0 does nothing. [measured prototypes: alpha = 0.5]
    A class input that lost all its synapses cannot be restored and stays empty.
    """
    return _rescale_classes(kept, original, 1, alpha)


def variance_preserving(kept: Any, original: Any) -> Any:
    """w_ij (Q_ic / q_ic)^(1/2), Q and q the original and kept sums of squares of class input c.

    Keeps the variance that independent inputs of equal rate cause in the neuron. [our choice]
    """
    return _rescale_classes(kept, original, 2, 0.5)


def inverse_probability(kept: Any, p: NDArray[np.float64], cap: float = math.inf) -> Any:
    """w_ij min(1 / p_ij, cap): unbiased, E[W'] = W, where p_ij >= 1/cap. [paper: step 1]

    p: (kept.nnz,), in (0, 1]. Rare survivors ask for factors of 1e4, hence the cap. That at the
    median of 1/p is from an independent study of rate networks, where it was best.
    """
    return _with_data(kept, kept.data * np.minimum(1.0 / p, cap))


def class_sums(W: Any, power: int = 1) -> NDArray[np.float64]:
    """(N, 2): sum of |w|^power over each neuron's excitatory and inhibitory synapses."""
    sums = np.bincount(
        _class_of_entry(W), weights=np.abs(W.data) ** power, minlength=2 * W.shape[0]
    )
    return sums.astype(np.float64).reshape(-1, 2)


def _rescale_classes(kept: Any, original: Any, power: int, exponent: float) -> Any:
    former, now = class_sums(original, power).ravel(), class_sums(kept, power).ravel()
    factor = np.ones_like(now)
    np.divide(former, now, out=factor, where=(now > 0) & (former > 0))
    return _with_data(kept, kept.data * (factor**exponent)[_class_of_entry(kept)])


def _class_of_entry(W: Any) -> NDArray[np.int64]:
    rows = np.repeat(np.arange(W.shape[0]), np.diff(W.indptr))
    return 2 * rows + (W.data < 0)


def _with_data(W: Any, data: NDArray[np.float64]) -> Any:
    return type(W)((data, W.indices, W.indptr), shape=W.shape)
