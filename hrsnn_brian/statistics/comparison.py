"""Paired comparisons over seeds: is one method better than another, and by how much?

Two methods scored on the same seeds give pairs; everything here works on their differences. Two
tests are reported side by side, since neither is beyond doubt at ten seeds: the t test trusts the
normal law, Wilcoxon's signed-rank test only the symmetry of the differences. [our choice]
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hrsnn_brian.errors import InputError, unknown_name

Floats = NDArray[np.float64]

BETTER = ("lower", "higher")


@dataclass(frozen=True)
class PairedTest:
    """A method `a` against a method `b` on the same seeds; differences are a - b.

    pairs: how many; wins, ties: pairs with a > b, a == b. mean_difference with its confidence
    interval low .. high of level `confidence` (Student's t). dz: Cohen's effect size of paired
    data, mean over standard deviation of the differences. t, p_t: paired t test. signed_rank,
    p_wilcoxon: sum of the ranks of positive differences and its exact p. p values are two-sided.
    p_t_holm, p_wilcoxon_holm: the same within a family (`compare_family`), else equal to p.
    If all differences are equal and not 0, t and dz are infinite and p_t is 0.
    """

    pairs: int
    wins: int
    ties: int
    mean_difference: float
    low: float
    high: float
    confidence: float
    dz: float
    t: float
    p_t: float
    signed_rank: float
    p_wilcoxon: float
    p_t_holm: float
    p_wilcoxon_holm: float

    def favours(self, better: str, level: float = 0.05) -> bool:
        """Whether a is better than b: the right sign, and both corrected p below `level`.

        better: "lower" or "higher" scores are the better ones. Raises InputError for another.
        """
        if better not in BETTER:
            raise unknown_name("better", better, BETTER)
        right = self.mean_difference < 0 if better == "lower" else self.mean_difference > 0
        return right and max(self.p_t_holm, self.p_wilcoxon_holm) < level


def paired_test(a: ArrayLike, b: ArrayLike, confidence: float = 0.95) -> PairedTest:
    """Compare scores a (n,) and b (n,), of which entry k belongs to the same seed.

    Raises InputError unless both are finite vectors of one length >= 2, and confidence in (0, 1).
    """
    d = _differences(a, b)
    if not 0 < confidence < 1:
        raise InputError("confidence", confidence, "must be in (0, 1)")
    from scipy.stats import t as student

    n, mean, sd = d.size, float(d.mean()), float(d.std(ddof=1))
    if np.all(d == d[0]):  # the mean of equal numbers is subject to rounding
        mean, sd = float(d[0]), 0.0
    half = float(student.ppf((1 + confidence) / 2, n - 1)) * sd / math.sqrt(n)
    dz = _ratio(mean, sd)
    t = dz * math.sqrt(n)
    p_t = 2 * float(student.sf(abs(t), n - 1))
    signed_rank, p_wilcoxon = signed_rank_test(d)
    return PairedTest(
        pairs=n,
        wins=int(np.count_nonzero(d > 0)),
        ties=int(np.count_nonzero(d == 0)),
        mean_difference=mean,
        low=mean - half,
        high=mean + half,
        confidence=confidence,
        dz=dz,
        t=t,
        p_t=p_t,
        signed_rank=signed_rank,
        p_wilcoxon=p_wilcoxon,
        p_t_holm=p_t,
        p_wilcoxon_holm=p_wilcoxon,
    )


def signed_rank_test(differences: ArrayLike) -> tuple[float, float]:
    """Wilcoxon's signed-rank statistic W+ and its exact two-sided p.

    differences: (n,). Zeros are left out (Wilcoxon 1945), equal sizes share their mean rank, and p
    is taken over all 2^n signs of the ranks at hand, hence exact with ties as well. With nothing
    but zeros p = 1. The smallest p possible is 2^(1-n): six pairs are needed for p < .05.
    """
    from scipy.stats import rankdata

    d = np.asarray(differences, dtype=float)
    d = d[d != 0]
    if not d.size:
        return 0.0, 1.0
    twice = np.rint(2 * rankdata(np.abs(d))).astype(np.int64)  # mean ranks are whole or half
    statistic, total = int(twice[d > 0].sum()), int(twice.sum())
    law = np.zeros(total + 1)  # law[s]: probability that the doubled W+ is s
    law[0] = 1.0
    for rank in twice:
        law[rank:] = (law[rank:] + law[: law.size - rank]) / 2
        law[:rank] /= 2
    smaller = min(statistic, total - statistic)
    return statistic / 2, min(1.0, 2 * float(law[: smaller + 1].sum()))


def holm(p: ArrayLike) -> Floats:
    """p values (m,) corrected for testing m hypotheses at once (Holm 1979), in the order given.

    Sorted p_(k) are multiplied by m - k + 1, made non-decreasing and cut at 1. Controls the chance
    of even one false rejection whatever the dependence.

    Raises InputError if a value is not in 0 .. 1.
    """
    values = np.asarray(p, dtype=float)
    if values.ndim != 1 or not np.all((values >= 0) & (values <= 1)):
        raise InputError("p values", values.tolist(), "must be a list of numbers from 0 to 1")
    order = np.argsort(values, kind="stable")
    scaled = values[order] * np.arange(values.size, 0, -1)
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0) if values.size else scaled
    return corrected


def seeds_needed(level: float = 0.05, comparisons: int = 1) -> int:
    """Pairs from which Wilcoxon's smallest p, 2^(1-n), stays below `level` when `comparisons` of
    them are Holm-corrected together: 6 for one at .05."""
    return math.floor(math.log2(comparisons / level)) + 2


def compare_family(
    pairs: Mapping[str, tuple[ArrayLike, ArrayLike]], confidence: float = 0.95
) -> dict[str, PairedTest]:
    """`paired_test` of each (a, b), with both p Holm-corrected over the whole family.

    Confidence intervals are those of the single comparisons, not corrected. Raises InputError as
    `paired_test` does, naming the comparison.
    """
    tests = {}
    for name, (a, b) in pairs.items():
        try:
            tests[name] = paired_test(a, b, confidence)
        except InputError as problem:
            what = f"{problem.argument} of {name!r}"
            raise InputError(what, problem.value, problem.allowed) from None
    by_t = holm([test.p_t for test in tests.values()])
    by_rank = holm([test.p_wilcoxon for test in tests.values()])
    return {
        name: PairedTest(**{**asdict(test), "p_t_holm": float(t), "p_wilcoxon_holm": float(w)})
        for (name, test), t, w in zip(tests.items(), by_t, by_rank, strict=True)
    }


def _differences(a: ArrayLike, b: ArrayLike) -> Floats:
    scores: Sequence[Floats] = [np.asarray(x, dtype=float) for x in (a, b)]
    for name, x in zip("ab", scores, strict=True):
        if x.ndim != 1 or x.size < 2:
            raise InputError(f"scores {name}", x.shape, "must be a vector of at least 2 seeds")
        if not np.isfinite(x).all():
            at = int(np.argmin(np.isfinite(x)))
            raise InputError(f"scores {name}", float(x[at]), f"must be finite (entry {at})")
    if scores[0].size != scores[1].size:
        raise InputError("scores b", scores[1].shape, f"must be {scores[0].shape}: pairs by seed")
    return scores[0] - scores[1]


def _ratio(mean: float, sd: float) -> float:
    if sd > 0:
        return mean / sd
    return math.copysign(math.inf, mean) if mean else 0.0
