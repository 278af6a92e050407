"""Products of principal components: what they are, and their form as squares of sums."""

import numpy as np
import pytest

from hrsnn_brian.errors import InputError
from hrsnn_brian.readout.products import principal_products


@pytest.fixture
def blocks():
    random = np.random.default_rng(1)
    hidden = random.standard_normal((300, 5)) @ np.diag([5.0, 3.0, 2.0, 1.0, 0.5])
    mixed = hidden @ random.standard_normal((5, 40)) + 0.01 * random.standard_normal((300, 40))
    return {"fast": mixed[:, :25] + 7.0, "slow": 100.0 * mixed[:, 25:] - 3.0}


def test_components_are_those_of_the_standardised_blocks(blocks):
    products = principal_products(blocks, 4)
    scaled = [x - x.mean(axis=0) for x in blocks.values()]
    x = np.hstack([part / np.sqrt(np.mean(part**2)) for part in scaled])
    u, _, _ = np.linalg.svd(x, full_matrices=False)
    z = sum(blocks[k] @ axes for k, axes in products.axes.items()) - products.offset
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(z.T @ z / len(z), np.eye(4), atol=1e-6)
    # the same space as the four leading left vectors
    overlap = u[:, :4].T @ z / np.sqrt(len(z))
    np.testing.assert_allclose(overlap @ overlap.T, np.eye(4), atol=1e-6)


def test_products_are_all_pairs_once(blocks):
    products = principal_products(blocks, 3)
    z = sum(blocks[k] @ axes for k, axes in products.axes.items()) - products.offset
    pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    expected = np.stack([z[:, a] * z[:, b] for a, b in pairs], axis=1)
    np.testing.assert_allclose(products.features(blocks), expected)


def test_squares_of_sums_are_the_same_quadratic_form(blocks):
    products = principal_products(blocks, 4)
    weights = np.random.default_rng(2).standard_normal((10, 3))
    squares = products.as_squares(weights)
    assert squares.factors.shape == (12, 3)
    other = {name: block[:50] * 1.1 for name, block in blocks.items()}  # not what it was fitted to
    sums = sum(other[name] @ part for name, part in squares.sums.items())
    found = squares.constant + sums**2 @ squares.factors
    found = found + sum(other[name] @ part for name, part in squares.linear.items())
    np.testing.assert_allclose(found, products.features(other) @ weights, rtol=1e-9, atol=1e-6)


def test_the_same_rows_give_the_same_components_and_few_rows_fewer(blocks):
    first, second = principal_products(blocks), principal_products(blocks)
    for name in blocks:
        np.testing.assert_array_equal(first.axes[name], second.axes[name])
    few = principal_products({name: block[:4] for name, block in blocks.items()})
    assert len(few.offset) == 3
    with pytest.raises(InputError, match="no principal components"):
        principal_products({"still": np.ones((20, 3))})
