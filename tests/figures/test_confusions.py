"""What was taken for what, on counts known by hand."""

import numpy as np
import pytest

from hrsnn_brian.errors import InputError
from hrsnn_brian.figures.confusions import draw, shares
from hrsnn_brian.files.tables import Table

COUNTS = {  # (network, seed) -> {(wanted, taken for): images}
    ("full", 1): {(0, 0): 9, (0, 1): 1, (10, 10): 4, (2, 2): 5},
    ("full", 2): {(0, 0): 10, (10, 10): 2, (10, 2): 2, (2, 2): 5},
    ("frugal", 1): {(0, 1): 10, (10, 10): 4, (2, 2): 5},
}


def frame():
    rows = []
    for (name, seed), counts in COUNTS.items():
        pruned = name != "full"
        for (wanted, taken), images in counts.items():
            row = {"network": "pruned" if pruned else name, "recipe": name if pruned else ""}
            row |= {"task": "digits", "readout": "spikes", "seed": seed, "images": images}
            rows.append(row | {"wanted": wanted, "taken_for": taken})
    return Table(rows).frame()


def test_shares_are_means_over_seeds_of_the_images_of_a_class():
    axes = draw(frame())
    assert [axis.get_title(loc="left") for axis in axes] == [
        "digits\nfull, 0.921 ± 0.026",  # of 18 and 17 of 19
        "digits\nfrugal, 0.474",
    ]
    assert [tick.get_text() for tick in axes[0].get_xticklabels()] == ["0", "1", "2", "10"]
    shown = np.asarray(axes[0].images[0].get_array(), dtype=float)
    np.testing.assert_allclose(shown[0], [0.95, 0.05, 0, 0])
    np.testing.assert_allclose(shown[3], [0, 0, 0.25, 0.75])
    assert np.isnan(shown[1]).all()  # no image is of class 1
    assert axes[0].get_ylabel() == "class of the image"


def test_names_of_classes_may_be_words_and_missing_columns_are_said():
    rows = frame().assign(wanted="cat", taken_for="dog", seed=range(11), images=1)
    np.testing.assert_array_equal(shares(rows, ["cat", "dog"])[0], [0, 1])
    with pytest.raises(InputError, match="has no column 'wanted'"):
        draw(frame().drop(columns="wanted"))
