"""Lists and ranges of a sweep: every way of writing them, and what is malformed."""

import pytest

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.settings.levels import Span, values_in

FIELDS = HRSNNParams.keys().fields
J, SIZE, SAMPLE, TRACES = (FIELDS[p] for p in ("weights.J", "N", "timing.sample", "timing.traces"))


@pytest.mark.parametrize(
    ("text", "checked", "values"),
    [
        ("0.2", J, (0.2,)),
        ("1,2,3", J, (1.0, 2.0, 3.0)),
        ("[1, 2]", J, (1, 2)),
        ("0.05:0.3:6", J, (0.05, 0.1, 0.15, 0.2, 0.25, 0.3)),
        ("0.1:10:3:log", J, (0.1, 1.0, 10.0)),
        ("0.1,1:3:3", J, (0.1, 1.0, 2.0, 3.0)),
        ("100:1000:3:log", SIZE, (100, 316, 1000)),
        ("10 ms:40 ms:4", SAMPLE, ("10 ms", "20 ms", "30 ms", "40 ms")),
        ("10 ms,20 ms", SAMPLE, ("10 ms", "20 ms")),
        ("[30 ms,100 ms],[30 ms]", TRACES, (["30 ms", "100 ms"], ["30 ms"])),
        ("{family = 'constant', value = '20 ms'},3", None,
         ({"family": "constant", "value": "20 ms"}, 3)),
    ],
)  # fmt: skip
def test_a_text_is_a_list_or_a_range(text, checked, values):
    assert values_in(text, checked, "x") == values


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("0.05:0.3", Span(0.05, 0.3)),
        ("0.05:0.3:log", Span(0.05, 0.3, log=True)),
        ("10 ms:40 ms", Span(0.01, 0.04, "s")),
    ],
)
def test_a_range_without_a_number_is_everything_between(text, span):
    assert values_in(text, None, "x") == span
    assert values_in(str(span), None, "x") == span


def test_a_span_stays_inside_and_on_its_scale():
    assert [Span(0.1, 10, log=True).at(x) for x in (0, 0.5, 1)] == [0.1, 1.0, 10.0]
    assert [Span(0.12345, 0.2).at(x) for x in (0, 0.5, 1)] == [0.12345, 0.162, 0.2]
    drawn = [Span(1, 4, whole=True).at(x) for x in (0, 0.26, 0.51, 0.76, 1)]
    assert drawn == [1, 2, 3, 4, 4]
    assert Span(0.01, 0.04, "s").at(0.5) == "25 ms"
    for span in (Span(0.1, 10, log=True), Span(0.01, 0.04, "s")):
        assert span.level(span.at(0.3)) == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0.3:0.05:6", "low below high"),
        ("0.05:b:6", "a range is low:high:number"),
        ("0.05:0.3:1", "two or more"),
        ("0.05:0.3:x", "a range is low:high:number"),
        ("0.05:0.3:3:4", "a range is low:high:number"),
        ("0:1:3:log", "ends above 0"),
        ("1 ms:2 Hz:3", "a range is low:high:number"),
        ("0.05:0.3,1", "needs a number beside other values"),
        (" , ", "at least one value"),
    ],
)
def test_what_is_malformed_is_one_line(text, message):
    with pytest.raises(InputError, match=message) as refusal:
        values_in(text, J, "weights.J")
    assert refusal.value.argument == "weights.J"


def test_whole_numbers_need_whole_ends():
    with pytest.raises(InputError, match="whole ends"):
        values_in("1.5:4:3", SIZE, "N")
