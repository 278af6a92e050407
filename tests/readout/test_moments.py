"""Moments of rows that stream past: as if all had been there at once, whatever their offset."""

from pathlib import Path

import numpy as np
import pytest

from hrsnn_brian.errors import InputError
from hrsnn_brian.readout.moments import CHUNK, Moments

Rows = dict[str, np.ndarray]


def rows(n: int = 700, offset: float = 0.0, seed: int = 0) -> tuple[Rows, np.ndarray]:
    generator = np.random.default_rng(seed)
    blocks = {
        "u": offset + generator.normal(size=(n, 2)),
        "trace": generator.gamma(2.0, size=(n, 7)),
        "v": -70.0 + generator.normal(size=(n, 4)),
    }
    return blocks, offset + generator.normal(size=(n, 3))


def added(blocks: Rows, targets: np.ndarray, *edges: int) -> Moments:
    """The moments of the rows, in chunks that end at `edges`."""
    moments = Moments()
    for part in np.split(np.arange(len(targets)), edges):
        moments.add({name: block[part] for name, block in blocks.items()}, targets[part])
    return moments


def assert_same(found: Moments, expected: Moments, rtol: float = 1e-10) -> None:
    assert (found.n, found.widths) == (expected.n, expected.widths)
    np.testing.assert_allclose(found.mean, expected.mean, rtol=rtol)
    np.testing.assert_allclose(found.target_mean, expected.target_mean, rtol=rtol)
    np.testing.assert_allclose(
        np.tril(found.gram), np.tril(expected.gram), rtol=rtol, atol=1e-10 * found.n
    )
    np.testing.assert_allclose(found.cross, expected.cross, rtol=rtol, atol=1e-10 * found.n)


def test_moments_are_those_of_the_rows() -> None:
    blocks, targets = rows(CHUNK + 30)
    x = np.hstack(list(blocks.values()))
    moments = added(blocks, targets)
    centred, wanted = x - x.mean(axis=0), targets - targets.mean(axis=0)
    assert moments.n == len(x)
    assert moments.names == ("u", "trace", "v")
    np.testing.assert_allclose(moments.mean, x.mean(axis=0))
    np.testing.assert_allclose(np.tril(moments.gram), np.tril(centred.T @ centred), atol=1e-9)
    np.testing.assert_allclose(moments.cross, centred.T @ wanted, atol=1e-9)


@pytest.mark.parametrize("edges", [(1,), (1, 2, 3), (350,), (699,), tuple(range(50, 700, 50))])
def test_chunks_do_not_matter(edges: tuple[int, ...]) -> None:
    blocks, targets = rows()
    assert_same(added(blocks, targets, *edges), added(blocks, targets))


def test_an_offset_costs_no_more_digits_than_the_rows_have_lost() -> None:
    """Raw sums of squares would be 1e16 n: nothing would be left of a variance of 1."""
    far, far_targets = rows(offset=1e8)
    near = {name: block - (1e8 if name == "u" else 0.0) for name, block in far.items()}
    found = added(far, far_targets, 1, 300)
    expected = added(near, far_targets - 1e8, 1, 300)
    np.testing.assert_allclose(np.tril(found.gram), np.tril(expected.gram), rtol=1e-6, atol=1e-4)
    np.testing.assert_allclose(found.cross, expected.cross, rtol=1e-6, atol=1e-4)


def test_moments_add_up() -> None:
    blocks, targets = rows()
    first = added({name: block[:200] for name, block in blocks.items()}, targets[:200])
    second = added({name: block[200:] for name, block in blocks.items()}, targets[200:])
    before = first.select()
    assert_same(first + second, added(blocks, targets))
    assert_same(Moments() + first, first)
    assert_same(first + Moments(), before)
    with pytest.raises(InputError, match="must be of the blocks"):
        first + second.select(["u"])


def test_a_selection_is_what_its_blocks_alone_would_give() -> None:
    blocks, targets = rows()
    part = added(blocks, targets).select(["v", "u"])
    assert part.names == ("u", "v")  # in the order of the whole
    assert_same(part, added({name: blocks[name] for name in ("u", "v")}, targets))
    part.gram[:] = 0.0
    with pytest.raises(InputError, match="did you mean 'trace'"):
        added(blocks, targets).select(["traces"])
    with pytest.raises(InputError, match="at least one block"):
        added(blocks, targets).select([])


def test_rows_on_disk_in_single_precision(tmp_path: Path) -> None:
    blocks, targets = rows()
    single = {name: block.astype(np.float32) for name, block in blocks.items()}
    for name, block in single.items():
        block.tofile(tmp_path / name)
    mapped = {
        name: np.memmap(tmp_path / name, np.float32, "r", shape=block.shape)
        for name, block in single.items()
    }
    double = {name: block.astype(float) for name, block in single.items()}
    assert_same(added(mapped, targets, 400), added(double, targets))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"u": np.ones((699, 2))}, "block u .* must have 700 rows"),
        ({"u": np.ones((700, 3))}, "block u .* must have 2 columns"),
        ({"w": np.ones((700, 3))}, "blocks .* must be trace, u, v"),
        ({"v": np.full((700, 4), np.inf)}, "block v .* finite"),
        ({"targets": np.ones((700, 2))}, "targets .* must have 3 columns"),
        ({"targets": np.full((700, 3), np.nan)}, "targets .* finite"),
        ({"targets": np.ones(700)}, "must have shape"),
    ],
)
def test_bad_rows_are_refused_and_leave_nothing(
    change: dict[str, np.ndarray], message: str
) -> None:
    blocks, targets = rows()
    moments = added(blocks, targets)
    bad = blocks | change
    with pytest.raises(InputError, match=message):
        moments.add({k: v for k, v in bad.items() if k != "targets"}, bad.get("targets", targets))
    assert_same(moments, added(blocks, targets))
