"""CPU time of the readouts of `hrsnn evaluate`, as a ratio to one eigendecomposition for each.

    python -m hrsnn_brian.studies.benchmarks.readout_benchmark [--neurons 500 1000 2000]

Traces of three time constants of N neurons that fire with a Lorenz series, and their membranes:
4000 rows, the last 800 of which choose among 27 penalties by two rules. Fitted are the readouts
"spikes" (3 N features and the input) and "spikes+v" (4 N). The yardstick is what was here before:
for each readout the eigenvectors of the fitted rows' Gram matrix, and a Cholesky factor for each
penalty chosen. Both run in one process, in turn; penalties must be the same and errors agree,
else the benchmark fails. Last come the exponents of growth with N, from one size to the next.
"""

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np
import scipy.linalg

from hrsnn_brian.errors import EngineError
from hrsnn_brian.readout.held_out import HeldErrors, Selection
from hrsnn_brian.readout.moments import Floats, Rows, mean_and_scale
from hrsnn_brian.readout.ridge import fit_selections
from hrsnn_brian.tasks.chaotic import lorenz63_series

ROWS, HELD, HORIZONS = 4000, 800, (1, 5, 20, 50)
SELECTION = Selection()
Chosen = list[tuple[Floats, Floats]]  # per readout and rule: penalties and errors of the targets


def states(n: int) -> tuple[dict[str, Floats], Floats]:
    """Blocks (rows, features) by name, and targets (rows, horizons)."""
    generator = np.random.default_rng(0)
    z = lorenz63_series(ROWS + max(HORIZONS), generator)[:, :1] / 8.0  # about z-scored
    present = z[:ROWS]
    past = np.hstack([np.roll(z, k, axis=0)[:ROWS] for k in range(10)])
    drive = np.tanh(past @ generator.normal(size=(past.shape[1], n)) + generator.normal(size=n))
    spikes = (generator.random(drive.shape) < 0.5 * np.maximum(drive, 0.0)).astype(float)
    blocks = {"u": present}
    for samples in (1.5, 5.0, 15.0):
        trace, decay = spikes.copy(), np.exp(-1.0 / samples)
        for now, before in zip(trace[1:], trace[:-1], strict=True):
            now += decay * before
        blocks[f"trace_{samples:g}"] = trace
    blocks["v"] = drive + 0.1 * generator.normal(size=drive.shape)
    return blocks, np.hstack([z[h : h + ROWS] - present for h in HORIZONS])


def by_eigenvectors(blocks: Rows, targets: Floats) -> Chosen:
    standard = [mean_and_scale(block) for block in blocks.values()]
    x = np.hstack(
        [(b - mean) / scale for b, (mean, scale) in zip(blocks.values(), standard, strict=True)]
    )
    n_fit = ROWS - HELD
    mean, y_mean = x[:n_fit].mean(axis=0), targets[:n_fit].mean(axis=0)
    fitted = x[:n_fit] - mean
    s, v = scipy.linalg.eigh(fitted.T @ fitted, driver="evd", overwrite_a=True, check_finite=False)
    rotated = v.T @ (fitted.T @ (targets[:n_fit] - y_mean))
    projected = (x[n_fit:] - mean) @ v
    filtered = [rotated / (np.maximum(s, 0.0) + a * n_fit)[:, None] for a in SELECTION.alphas]
    errors = HeldErrors(SELECTION, targets.shape[1])
    errors.add(np.stack([projected @ f for f in filtered], axis=1) + y_mean, targets[n_fit:])
    gram, cross = x.T @ x, x.T @ (targets - targets.mean(axis=0))
    chosen = []
    for rule in SELECTION.rules:
        best = errors.best(rule)
        for k in np.unique(best):
            penalised = gram.copy()
            penalised[np.diag_indices_from(penalised)] += SELECTION.alphas[k] * ROWS
            scipy.linalg.solve(
                penalised, cross[:, best == k], assume_a="pos", overwrite_a=True, check_finite=False
            )
        chosen.append((np.array(SELECTION.alphas)[best], errors.rmse(best)))
    return chosen


def before(blocks: Rows, targets: Floats, names: list[tuple[str, ...]]) -> Chosen:
    found = []
    for some in names:
        found += by_eigenvectors({name: blocks[name] for name in some}, targets)
    return found


def after(blocks: Rows, targets: Floats, names: list[tuple[str, ...]]) -> Chosen:
    fitted = fit_selections(blocks, targets, HELD, names, SELECTION)
    return [(r.alpha, r.validation_rmse) for readouts in fitted for r in readouts]


def run_case(n: int) -> tuple[float, float]:
    """CPU seconds before and after; raises EngineError if they do not choose alike."""
    blocks, targets = states(n)
    names = [tuple(name for name in blocks if name != "v"), tuple(blocks)]

    def timed(fit: Callable[..., Chosen]) -> tuple[float, Chosen]:
        start = time.process_time()
        found = fit(blocks, targets, names)
        return time.process_time() - start, found

    (theirs, expected), (ours, found) = timed(before), timed(after)
    for (alpha, rmse), (wanted, error) in zip(found, expected, strict=True):
        if not np.array_equal(alpha, wanted) or not np.allclose(rmse, error, rtol=1e-6):
            raise EngineError(f"N = {n}: {alpha} {rmse}, by eigenvectors {wanted} {error}")
    return theirs, ours


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--neurons", type=int, nargs="+", default=[500, 1000, 2000])
    sizes = parser.parse_args(arguments).neurons
    print("neurons features  eigenvectors_s  now_s   ratio")
    times = []
    for n in sizes:
        theirs, ours = run_case(n)
        times.append((theirs, ours))
        print(f"{n:7d} {4 * n:8d} {theirs:15.2f} {ours:6.2f} {theirs / ours:7.2f}", flush=True)
    if len(sizes) > 1:
        growth = np.diff(np.log(times), axis=0) / np.diff(np.log(sizes))[:, None]
        for name, exponents in zip(("eigenvectors", "now"), growth.T, strict=True):
            print(f"{name}: N to the {', '.join(f'{e:.2f}' for e in exponents)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
