"""Parameters: the laws neurons are drawn from, units, round trips, and refusals in one line."""

import math
import pickle
import tomllib
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from scipy import stats

from hrsnn_brian.errors import InputError
from hrsnn_brian.files.toml import dump_toml
from hrsnn_brian.network.distributions import (
    Constant,
    Distribution,
    Gamma,
    Lognormal,
    Uniform,
    as_distribution,
    distribution_from_dict,
)
from hrsnn_brian.network.parameters import (
    GraphParams,
    HRSNNParams,
    NeuronParams,
    SynapseParams,
    TimingParams,
    WeightParams,
)
from hrsnn_brian.network.presets import list_presets, load_preset, preset_table
from hrsnn_brian.seeds import rng
from hrsnn_brian.settings.checked import parse_value
from hrsnn_brian.settings.reader import read
from hrsnn_brian.settings.units import (
    format_hertz,
    format_seconds,
    hertz,
    seconds,
)

DRAWS = 20_000


def random(key: str) -> np.random.Generator:
    return rng(1, "network", "test", key)


def one_line(error: pytest.ExceptionInfo[InputError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


# --- distributions -------------------------------------------------------------------------


@pytest.mark.parametrize(("shape", "mean"), [(3.0, 0.020), (0.7, 0.005), (4.0, 1.0)])
def test_unclipped_gamma_follows_the_gamma_law(shape: float, mean: float) -> None:
    draws = Gamma(shape=shape, mean=mean, unit="s").sample(random("gamma"), DRAWS)
    law = stats.gamma(shape, scale=mean / shape)
    assert stats.kstest(draws, law.cdf).pvalue > 1e-3


def test_clipped_gamma_keeps_the_law_inside_and_piles_the_rest_on_the_ends() -> None:
    low, high = 0.008, 0.035
    draws = Gamma(shape=3, mean="20 ms", low="8 ms", high="35 ms").sample(random("clip"), DRAWS)
    law = stats.gamma(3, scale=0.020 / 3)
    for end, mass in ((low, law.cdf(low)), (high, law.sf(high))):
        assert stats.binomtest(int(np.sum(draws == end)), DRAWS, mass).pvalue > 1e-3
    inside = draws[(draws > low) & (draws < high)]
    below, above = law.cdf([low, high])
    assert stats.kstest(inside, lambda x: (law.cdf(x) - below) / (above - below)).pvalue > 1e-3
    assert draws.min() == low
    assert draws.max() == high


def test_default_time_constants_and_thresholds_follow_the_stated_laws() -> None:
    neuron = HRSNNParams().neuron
    tau_m = neuron.tau_m.sample(random("tau_m"), DRAWS)
    law = stats.gamma(3, scale=0.020 / 3)
    inside = tau_m[tau_m > 0.002]
    tail = law.sf(0.002)
    assert stats.kstest(inside, lambda x: 1 - law.sf(x) / tail).pvalue > 1e-3
    assert np.mean(tau_m == 0.002) == pytest.approx(law.cdf(0.002), abs=0.002)
    v_th = neuron.v_th.sample(random("v_th"), DRAWS)
    thresholds = stats.gamma(4, scale=0.25)  # mean 1, CV 1/2
    floor = stats.binomtest(int(np.sum(v_th == 0.2)), DRAWS, thresholds.cdf(0.2))
    assert floor.pvalue > 1e-3
    assert v_th.std() / v_th.mean() == pytest.approx(0.5, rel=0.03)


def test_lognormal_and_uniform_follow_their_laws() -> None:
    draws = Lognormal(mean=2.0, cv=0.8).sample(random("lognormal"), DRAWS)
    sigma = math.sqrt(math.log(1 + 0.8**2))
    law = stats.lognorm(sigma, scale=2.0 * math.exp(-(sigma**2) / 2))
    assert law.mean() == pytest.approx(2.0)
    assert law.std() / law.mean() == pytest.approx(0.8)
    assert stats.kstest(draws, law.cdf).pvalue > 1e-3
    flat = Uniform(-2.7, -0.7).sample(random("uniform"), DRAWS)
    assert stats.kstest(flat, stats.uniform(-2.7, 2.0).cdf).pvalue > 1e-3
    assert set(Constant("20 ms").sample(random("constant"), 5)) == {0.020}


def test_gamma_by_cv_is_gamma_by_shape() -> None:
    assert Gamma.from_cv(mean=1, cv=0.5, low=0.2) == Gamma(shape=4, mean=1, low=0.2)
    by_table = distribution_from_dict({"family": "gamma", "mean": 1, "cv": 0.5, "low": 0.2})
    assert by_table == Gamma(shape=4, mean=1, low=0.2)


@pytest.mark.parametrize(
    "law",
    [
        Gamma(shape=3, mean="20 ms", low="2 ms", high="300 ms"),
        Gamma(shape=1 / 3, mean=1.7),
        Lognormal(mean="0.1 ms", cv=0.3),
        Uniform("1 ms", "2 s"),
        Constant(-1.25),
    ],
)
def test_distributions_survive_their_tables_pickles_and_replace(law: Distribution) -> None:
    assert distribution_from_dict(law.to_dict()) == law
    assert pickle.loads(pickle.dumps(law)) == law
    assert replace(law) == law


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({"family": "gama", "mean": 1, "shape": 1}, "'gamma'"),
        ({"family": "gamma", "mean": 1}, "needs shape"),
        ({"family": "gamma", "mean": 1, "shap": 2}, "'shape'"),
        ({"family": "gamma", "mean": 1, "shape": -2}, "gamma.shape"),
        ({"family": "gamma", "mean": "20 ms", "shape": 3, "low": 0.002}, "same unit"),
        ({"family": "gamma", "mean": "1 ms", "shape": 3, "low": "5 ms", "high": "2 ms"}, "high"),
        ({"family": "uniform", "low": 2, "high": 1}, "uniform.high"),
        ({"family": "constant", "value": float("nan")}, "constant.value"),
        ({"family": "constant", "value": "20 lightyears"}, "lightyears"),
        ({"mean": 1}, "needs a family"),
    ],
)
def test_bad_distributions_are_refused_in_one_line(table: dict[str, object], named: str) -> None:
    with pytest.raises(InputError) as error:
        distribution_from_dict(table)
    assert named in one_line(error)


def test_a_time_distribution_refuses_bare_numbers_and_a_bare_one_refuses_times() -> None:
    with pytest.raises(InputError, match="'20 ms'"):
        as_distribution(Gamma(shape=3, mean=20), "s", "neuron.tau_m")
    with pytest.raises(InputError, match="without a unit"):
        as_distribution(Gamma(shape=3, mean="20 ms"), "1", "neuron.v_th")


# --- units ---------------------------------------------------------------------------------


def test_times_and_rates_are_read_in_si() -> None:
    assert seconds("20 ms") == 0.020
    assert seconds(" 2.5e2us") == 0.00025
    assert seconds("3 * ms") == 0.003
    assert seconds("1.5 s") == 1.5
    assert hertz("0.2 kHz") == 200.0


def test_text_of_a_time_is_exact() -> None:
    values = [0.0, 0.0001, 0.3, 1 / 3, 5e-324, 1.7e308, *random("times").random(200)]
    for value in values:
        assert seconds(format_seconds(value)) == value
        assert hertz(format_hertz(value)) == value
    assert format_seconds(0.02) == "20 ms"


@pytest.mark.parametrize("bad", [20, 0.02, "20", "ms", "20 mV", "20 Hz", "nan ms", True, None, []])
def test_what_is_no_time_is_refused(bad: object) -> None:
    with pytest.raises(InputError) as error:
        seconds(bad, "neuron.t_ref")
    assert "such as '20 ms'" in one_line(error)


def test_brian_quantities_are_read_by_their_dimension() -> None:
    brian2 = pytest.importorskip("brian2")
    assert seconds(20 * brian2.ms) == 0.020
    assert seconds(brian2.ms) == 0.001
    assert hertz(200 * brian2.Hz) == 200.0
    assert Gamma(shape=3, mean=20 * brian2.ms) == Gamma(shape=3, mean="20 ms")
    for bad in (20 * brian2.mV, 20 * brian2.Hz, [1, 2] * brian2.ms, 3 * brian2.ms / brian2.ms):
        with pytest.raises(InputError):
            seconds(bad)


# --- the model -----------------------------------------------------------------------------


def test_defaults_are_the_sparse_configuration() -> None:
    params = HRSNNParams()
    assert (params.N, params.n_excitatory, params.in_degree) == (500, 400, 50)
    assert (params.weights.J, params.weights.g) == (0.10, 6.0)
    assert params.neuron.t_ref == 0.002
    assert params.synapse.tau_e == params.synapse.tau_i == Constant("100 ms")
    assert params.timing.traces == (0.030, 0.100, 0.300)
    assert load_preset() == load_preset("sparse") == params


@pytest.mark.parametrize(
    ("n", "in_degree"), [(1, 0), (2, 1), (5, 1), (300, 30), (500, 50), (1000, 50)]
)
def test_automatic_in_degree_follows_the_size(n: int, in_degree: int) -> None:
    assert HRSNNParams(N=n).in_degree == in_degree
    assert replace(HRSNNParams(), N=n).in_degree == in_degree
    params = read(HRSNNParams, HRSNNParams().to_dict(), [f"N={n}"])
    assert params.in_degree == in_degree


def test_an_in_degree_the_user_set_is_kept_or_refused() -> None:
    assert HRSNNParams(N=60, graph=GraphParams(K=50)).in_degree == 50
    with pytest.raises(InputError, match=r"graph\.K = 50: must be at most N - 1 = 39"):
        HRSNNParams(N=40, graph=GraphParams(K=50))


@pytest.mark.parametrize("name", [*list_presets()])
def test_every_preset_survives_its_table_and_a_pickle(name: str) -> None:
    params = load_preset(name)
    assert HRSNNParams.from_dict(params.to_dict()) == params
    assert pickle.loads(pickle.dumps(params)) == params
    assert hash(params) == hash(load_preset(name))


def test_parameters_are_frozen_and_can_be_replaced() -> None:
    neuron = NeuronParams(t_ref="3 ms")
    with pytest.raises(FrozenInstanceError):
        neuron.t_ref = "4 ms"  # type: ignore[misc]
    hard = replace(neuron, reset="hard")
    assert (hard.t_ref, hard.reset, hard.tau_m) == (0.003, "hard", neuron.tau_m)


def test_presets_hold_the_networks_they_name() -> None:
    presets = list_presets()
    assert next(iter(presets)) == "default"
    assert all("\n" not in text and len(text) < 130 for text in presets.values())
    for letter, J, sigma, p in (
        ("A", 0.1, 0.5, 0.1),
        ("B", 0.3, 0.5, 0.1),
        ("C", 0.5, 0.5, 0.1),
        ("D", 0.6, 0.7, 0.2),
    ):
        params = load_preset(f"network-{letter}")
        # a synapse gets J/sqrt(K)
        assert params.weights.J / params.in_degree**0.5 == pytest.approx(J, rel=1e-9)
        assert params.encoder.gain == sigma
        assert params.in_degree == p * params.N
        assert params.neuron.bias == Constant(1.2)
    chrsnn = load_preset("chrsnn")
    assert len(set(chrsnn.neuron.tau_m_clusters)) == chrsnn.graph.clusters == 2
    assert load_preset("homogeneous").neuron.tau_m == Constant("20 ms")
    assert preset_table("dense")["neuron"]["t_ref"] == "0 ms"


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({"N": 0}, "N = 0"),
        ({"N": 2.5}, "whole number"),
        ({"N": True}, "whole number"),
        ({"fraction_e": 1.2}, "fraction_e"),
        ({"fraction_e": float("nan")}, "fraction_e"),
        ({"grahp": {}}, "'graph'"),
        ({"graph": {"knd": "x"}}, "'kind'"),
        ({"graph": 3}, "table"),
        ({"graph": {"kind": "smal_world"}}, "'small_world'"),
        ({"graph": {"kind": "matrix"}}, "graph.matrix"),
        ({"graph": {"matrix": "w.npy"}}, "graph.matrix"),
        ({"graph": {"rewire": -0.1}}, "graph.rewire"),
        ({"graph": {"clusters": 3}, "neuron": {"tau_m_clusters": ["5 ms"]}}, "tau_m_clusters"),
        ({"N": 3, "graph": {"clusters": 4}}, "graph.clusters"),
        ({"weights": {"spectral_radius": 0.9}}, "weights.spectral_radius"),
        ({"weights": {"cv": 0}}, "weights.cv"),
        ({"neuron": {"t_ref": 2}}, "'20 ms'"),
        ({"neuron": {"t_ref": "-2 ms"}}, "neuron.t_ref"),
        ({"neuron": {"tau_m": 20}}, "'20 ms'"),
        ({"neuron": {"tau_m": "0 ms"}}, "> 0"),
        ({"neuron": {"v_th": {"family": "uniform", "low": -1, "high": 1}}}, "> 0"),
        ({"neuron": {"reset": 3}}, "neuron.reset"),
        ({"synapse": {"tau_e": "5 ms"}}, "currents = 'two'"),
        ({"encoder": {"rate_max": 200}}, "'200 Hz'"),
        ({"timing": {"dt": "3 ms"}}, "timing.sample"),
        ({"timing": {"traces": []}}, "timing.traces"),
        ({"timing": {"traces": "30 ms"}}, "timing.traces"),
    ],
)
def test_bad_parameters_are_refused_in_one_line(table: dict[str, object], named: str) -> None:
    with pytest.raises(InputError) as error:
        HRSNNParams.from_dict(table)
    assert named in one_line(error)


def test_one_current_needs_one_time_constant_two_do_not() -> None:
    assert SynapseParams(currents="two", tau_e="5 ms", tau_i="10 ms").tau_i == Constant("10 ms")
    assert TimingParams(dt="0.1 ms", sample="0.7 ms").sample == pytest.approx(0.7e-3)


def test_short_keys_are_keyword_arguments() -> None:
    params = HRSNNParams(N=300, J=0.2, tau_syn="50 ms", neuron={"t_ref": "1 ms"}, bias=0.5)
    assert params == load_preset(
        "default", ["N=300", "J=0.2", "tau_syn=50 ms", "t_ref=1 ms", "bias=0.5"]
    )
    assert replace(params, J=0.3).weights == replace(params.weights, J=0.3)
    both = HRSNNParams(weights=WeightParams(g=5), J=0.2)
    assert (both.weights.g, both.weights.J) == (5, 0.2)
    assert HRSNNParams(**{"neuron.tau_m.mean": "30 ms"}).neuron.tau_m.to_dict()["mean"] == "30 ms"
    assert pickle.loads(pickle.dumps(params)) == params


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: HRSNNParams(Jay=3), "model parameter = 'Jay': unknown; known: J, K, N,"),
        (lambda: HRSNNParams(grahp={}), "did you mean 'graph'"),
        (lambda: HRSNNParams(tref="1 ms"), "did you mean 't_ref'"),
        (lambda: HRSNNParams(kind="poisson"), "ambiguous: graph.kind, encoder.kind"),
        (lambda: HRSNNParams(J=-1), "weights.J = -1"),
        (lambda: HRSNNParams(J=0.1, weights={"J": 0.2}), "J = 0.1: is also given in weights"),
        (lambda: NeuronParams(tref="1 ms"), "neuron parameter = 'tref': unknown; did you mean"),
        (lambda: replace(NeuronParams(), J=3), "neuron parameter = 'J': unknown; known:"),
        (lambda: HRSNNParams.from_dict({"J": 0.2}), "model parameter = 'J': unknown"),
    ],
)
def test_unknown_keyword_arguments_are_refused_in_one_line(make, named: str) -> None:
    with pytest.raises(InputError) as error:
        make()
    assert named in one_line(error)


# --- presets written by hand ----------------------------------------------------------------


@pytest.fixture
def presets(tmp_path, monkeypatch):
    monkeypatch.setattr("hrsnn_brian.network.presets._folder", lambda: tmp_path)
    (tmp_path / "sparse.toml").write_text('description = "the default"\nN = 100\n')
    (tmp_path / "broken.toml").write_text("N = 100\ngraph = {\n")
    (tmp_path / "bare.toml").write_text("N = 101\n")
    (tmp_path / "bom.toml").write_bytes('\ufeffdescription = "ä"\nN = 102\n'.encode())
    (tmp_path / "latin.toml").write_bytes("N = 100\ndescription = 'ä'\n".encode("latin-1"))
    return tmp_path


def test_presets_by_hand_need_no_description_and_hide_no_others(presets) -> None:
    found = list_presets()
    assert found["default"] == "the default"
    assert found["bare"] == "(no description)"
    assert found["bom"] == "ä"
    assert found["latin"] == "CANNOT BE USED: line 2 is not UTF-8; save it as UTF-8"
    assert found["broken"].startswith("CANNOT BE USED: is not valid TOML: ")
    assert [load_preset(name).N for name in ("bare", "bom")] == [101, 102]


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("broken", "preset = 'broken': is not valid TOML: "),
        ("latin", "preset = 'latin': line 2 is not UTF-8"),
        ("none.toml", "preset = 'none.toml': cannot be read (No such file or directory)"),
    ],
)
def test_a_preset_that_cannot_be_read_is_refused_in_one_line(presets, name, named) -> None:
    with pytest.raises(InputError) as error:
        load_preset(name)
    assert named in one_line(error)


def test_a_preset_may_be_a_file_of_ones_own(presets) -> None:
    assert load_preset(str(presets / "bare.toml"), ["J=0.2"]) == HRSNNParams(N=101, J=0.2)


# --- overrides -----------------------------------------------------------------------------


def override(*texts: str) -> HRSNNParams:
    return load_preset("default", texts)


def test_overrides_reach_what_they_name() -> None:
    params = override("N=300", "K=20", "neuron.t_ref=0 ms", "J=0.05", "reset=hard", "tau_syn=50 ms")
    assert (params.N, params.in_degree, params.neuron.t_ref) == (300, 20, 0.0)
    assert (params.weights.J, params.neuron.reset) == (0.05, "hard")
    assert params.synapse.tau_e == params.synapse.tau_i == Constant("50 ms")
    law = '{family = "lognormal", mean = "20 ms", cv = 0.5}'
    assert override(f"tau_m={law}").neuron.tau_m == Lognormal(mean="20 ms", cv=0.5)
    assert override('traces=["30 ms"]').timing.traces == (0.030,)


def test_overrides_reach_into_distributions() -> None:
    assert override("neuron.tau_m.mean=30 ms").neuron.tau_m.to_dict()["mean"] == "30 ms"
    assert override("tau_m.shape=5").neuron.tau_m.to_dict()["shape"] == 5.0
    assert override("v_th.cv=0.25").neuron.v_th == Gamma(shape=16, mean=1, low=0.2)
    params = read(HRSNNParams, {}, ["neuron.bias.low=-3"])
    assert params.neuron.bias == Uniform(-3.0, -0.7)


def test_overrides_leave_their_table_alone() -> None:
    table = HRSNNParams().to_dict()
    read(HRSNNParams, table, ["neuron.tau_m.mean=30 ms", "N=100"])
    assert table == HRSNNParams().to_dict()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("N", "key=value"),
        ("=3", "key=value"),
        ("M=3", "unknown"),
        ("neuron.tref=2 ms", "'neuron.t_ref'"),
        ("tref=2 ms", "'t_ref'"),
        ("kind=small_world", "ambiguous: graph.kind, encoder.kind"),
        ("N=many", "N = 'many'"),
        ("N=3e2", "whole number"),
        ("graph=3", "unknown"),
        ("tau_m={family=", "not valid TOML"),
        ("tau_m.maen=30 ms", "'mean'"),
        ("N.x=3", "unknown"),
        ("J=1\nK=3", "J"),
    ],
)
def test_bad_overrides_are_refused_in_one_line(text: str, named: str) -> None:
    with pytest.raises(InputError) as error:
        override(text)
    assert named in one_line(error)


def test_every_key_can_be_set_to_its_own_default() -> None:
    plain = HRSNNParams().to_dict()
    for key in HRSNNParams.keys().fields:
        section, _, leaf = key.rpartition(".")
        value = (plain[section] if section else plain).get(leaf)
        if value is not None and not isinstance(value, (dict, list)):
            assert override(f"{key}={value}") == HRSNNParams()


def test_values_are_typed_as_in_toml() -> None:
    texts = ("3", "3.0", "true", '"a"', "a b", "2 ms", "inf", "[1, 2]")
    assert [parse_value(t) for t in texts] == [3, 3.0, True, "a", "a b", "2 ms", math.inf, [1, 2]]


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(InputError, match="'sparse'"):
        load_preset("sprase")
    with pytest.raises(InputError, match="unknown"):
        load_preset("../model")


def test_resolved_parameters_are_toml() -> None:
    for name in list_presets():
        params = load_preset(name)
        assert HRSNNParams.from_dict(tomllib.loads(dump_toml(params.to_dict()))) == params
