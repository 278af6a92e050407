"""The study of edge exponents: its rows on a small sweep, and what it refuses."""

import pytest

from hrsnn_brian.errors import InputError
from hrsnn_brian.runs.study import resolve_options
from hrsnn_brian.studies import edge_exponents


def test_too_few_segments_are_refused():
    with pytest.raises(InputError, match="segments = 3: must be a whole number >= 4"):
        resolve_options(edge_exponents.STUDY, None, ["networks=network-A", "segments=3"])


@pytest.mark.compiled
def test_the_sound_mean_stays_among_its_neurons_and_the_signed_one_does_not(compiled_engine):
    (point,) = edge_exponents.points({"networks": ["network-D"], "seeds": 1, "segments": 6}, 0)
    rows = edge_exponents.run(point, compiled_engine)
    assert [row["neighbourhood"] for row in rows] == ["endpoints", "union"]
    for row in rows:
        assert row["node_min_per_s"] <= row["sound_min_per_s"]
        assert row["sound_max_per_s"] <= row["node_max_per_s"]
        assert -1 <= row["reliability_half"] <= row["reliability_full"] <= 1
    # where exponents of both signs meet, the signed mean has a pole
    endpoints = rows[0]
    if endpoints["node_min_per_s"] < 0 < endpoints["node_max_per_s"]:
        assert endpoints["signed_max_per_s"] > 3 * endpoints["node_max_per_s"]
        assert endpoints["signs_differ"] > 0
    assert "signs differ" in edge_exponents.summary(rows)
