"""The user's own matrix: whatever wrote the file, read exactly or refused in one line."""

from pathlib import Path

import numpy as np
import pytest
from equality import equal_networks
from scipy import io, sparse

from hrsnn_brian.errors import InputError
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.effect import BESIDE_A_MATRIX, meaningful
from hrsnn_brian.network.io import load_network, save_network
from hrsnn_brian.network.matrix_file import load_matrix
from hrsnn_brian.network.network import Network
from hrsnn_brian.network.parameters import HRSNNParams
from hrsnn_brian.network.presets import load_preset, preset_table
from hrsnn_brian.network.weights import spectral_radius
from hrsnn_brian.settings.reader import read

SMALL = np.array([[0, 1.5, -0.25], [0.5, 0, 0], [2.5, 0.75, 0]])  # neurons 0, 1 E, neuron 2 I


def refusal(path: Path, **options: str) -> str:
    with pytest.raises(InputError) as error:
        load_matrix(path, **options)
    text = str(error.value)
    assert str(path) in text
    assert "\n" not in text
    return text


def text(path: Path, content: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(content.encode(encoding))
    return path


# --- types and containers ------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["f2", ">f2", ">f4", ">f8", "f4", "longdouble", "i1", ">i2", "i8", "u1", ">u4", "?"]
)
def test_a_matrix_of_any_real_type_is_read_exactly(tmp_path: Path, kind: str) -> None:
    signs = np.sign(SMALL) if "u" not in kind and kind != "?" else np.abs(np.sign(SMALL))
    matrix = (SMALL if "f" in kind or kind == "longdouble" else signs).astype(kind)
    np.save(tmp_path / "w.npy", matrix)
    found = load_matrix(tmp_path / "w.npy")
    assert found.dtype == np.float64
    assert np.array_equal(found.toarray(), matrix.astype(float))


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr", "dia"])
def test_every_sparse_format_is_read(tmp_path: Path, form: str) -> None:
    sparse.save_npz(tmp_path / "w.npz", sparse.coo_array(SMALL).asformat(form))
    assert np.array_equal(load_matrix(tmp_path / "w.npz").toarray(), SMALL)


def test_one_dense_array_in_an_archive_is_a_matrix_and_several_are_not(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", W=SMALL)
    assert np.array_equal(load_matrix(tmp_path / "w.npz").toarray(), SMALL)
    np.savez(tmp_path / "w.npz", W=SMALL, other=SMALL)
    assert "holds 2 arrays" in refusal(tmp_path / "w.npz")
    save_network(build_network(HRSNNParams(N=5), 1), tmp_path / "w.npz")
    assert "is a network of hrsnn build" in refusal(tmp_path / "w.npz")


def test_indices_outside_the_matrix_are_refused(tmp_path: Path) -> None:
    good = sparse.csr_array(SMALL)
    arrays = {"data": good.data, "indptr": good.indptr, "shape": good.shape, "format": b"csr"}
    np.savez(tmp_path / "w.npz", indices=good.indices + 10**6, **arrays)
    assert "cannot be read" in refusal(tmp_path / "w.npz")


def test_matrix_market_is_read_and_a_graph_without_weights_refused(tmp_path: Path) -> None:
    for name, matrix in (("coordinate", sparse.coo_array(SMALL)), ("array", SMALL)):
        io.mmwrite(tmp_path / f"{name}.mtx", matrix)
        assert np.array_equal(load_matrix(tmp_path / f"{name}.mtx").toarray(), SMALL)
    io.mmwrite(tmp_path / "p.mtx", sparse.coo_array(SMALL), field="pattern")
    assert "without weights" in refusal(tmp_path / "p.mtx")
    io.mmwrite(tmp_path / "c.mtx", sparse.coo_array(SMALL * 1j))
    assert "complex" in refusal(tmp_path / "c.mtx")
    assert "cannot be read" in refusal(text(tmp_path / "x.mtx", "nothing"))


@pytest.mark.parametrize(
    ("matrix", "named"),
    [
        (SMALL + 0j, "holds complex numbers"),
        (np.zeros((3, 3), dtype=[("a", "f8"), ("b", "f8")]), "holds records"),
        (np.zeros((3, 3), dtype="m8[s]"), "holds timedelta64"),
        (np.array([["a"]]), "holds texts"),
        (np.zeros((0, 0)), "must not be empty"),
        (np.zeros(9), "shape (9,)"),
        (SMALL.T, "is it W[pre, post]? Save its transpose"),
        (np.array([[0, 1, -1], [-1, 0, 1], [1, -1, 0]]), "W[post, pre], one sign per column"),
    ],
)
def test_what_is_no_matrix_of_weights_is_named(
    tmp_path: Path, matrix: np.ndarray, named: str
) -> None:
    np.save(tmp_path / "w.npy", matrix)
    found = refusal(tmp_path / "w.npy")
    assert named in found
    assert ("transpose" in found) == ("transpose" in named)


def test_one_neuron_and_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    text(tmp_path / "one.csv", "0")
    assert load_matrix("~/one.csv").shape == (1, 1)
    with pytest.raises(InputError, match="no such home folder"):
        load_matrix("~nobody-of-this-name/one.csv")


def test_more_neurons_than_memory_holds_are_refused(tmp_path: Path) -> None:
    path = text(tmp_path / "w.csv", "0,99999999999,1\n")
    assert "need 1e+05 GB" in refusal(path, layout="edges")
    sparse.save_npz(tmp_path / "w.npz", sparse.coo_array(([1.0], ([0], [1])), shape=(10**11,) * 2))
    assert "need 1e+05 GB" in refusal(tmp_path / "w.npz")


# --- text ----------------------------------------------------------------------------------

PLAIN = "0,1.5,-0.25\n0.5,0,0\n2.5,0.75,0\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", ",\n"),
        PLAIN.replace(",", ", "),
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", "   "),
        PLAIN.replace(",", ";").replace(".", ","),
        PLAIN.replace(",", "\t").replace(".", ","),
        PLAIN.replace(",", " ").replace(".", ","),
        '"0","1,5","-0,25"\n"0,5","0","0"\n"2,5","0,75","0"\n',
        "# written by hand\n\n" + PLAIN.replace("\n", " # a neuron\n"),
    ],
)
def test_separators_and_decimal_marks_are_recognised(tmp_path: Path, content: str) -> None:
    for encoding in ("utf-8", "utf-16"):
        path = text(tmp_path / "w.csv", content, encoding)
        assert np.array_equal(load_matrix(path).toarray(), SMALL)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("0,1\n2\n", "line 1 has 2 cells, the last has 1"),
        ("0,1\n2,\n", "line 2, cell 2: is empty"),
        ("0,1\n2,x\n", "line 2, cell 2: 'x' is no number"),
        ("0;0.5\n1,5;0\n", "both a point and a comma"),
        ("0;1.000,5\n1;0\n", "'1.000,5' is no number"),
        ("a,b\n0,1\n2,0\n", "'a' is no number; if they are labels: --set graph.format=labelled"),
        ("0,1\n0,1\n2,0\n", "line or column too many: if they are labels"),
        ("0,1,2\n1,0,2\n0,2,1\n2,0,1\n3,0,1\n", "--set graph.format=edges"),
        ("# nothing\n", "holds no numbers"),
    ],
)
def test_a_text_that_is_no_matrix_says_where(tmp_path: Path, content: str, named: str) -> None:
    assert named in refusal(text(tmp_path / "w.csv", content))


@pytest.mark.parametrize(
    "content",
    [
        "a,b,c\n" + PLAIN,
        ",a,b,c\na,0,1.5,-0.25\nb,0.5,0,0\nc,2.5,0.75,0\n",
        "a b c\na 0 1.5 -0.25\nb 0.5 0 0\nc 2.5 0.75 0\n",  # as R writes: no name over the labels
        "a,0,1.5,-0.25\nb,0.5,0,0\nc,2.5,0.75,0\n",
        ",0,1,2\n0,0,1.5,-0.25\n1,0.5,0,0\n2,2.5,0.75,0\n",  # as pandas writes
        '"";"a 1";"b";"c"\n"a 1";0;1,5;-0,25\n"b";0,5;0;0\n"c";2,5;0,75;0\n',
    ],
)
def test_labels_are_read_on_request(tmp_path: Path, content: str) -> None:
    path = text(tmp_path / "w.csv", content)
    assert np.array_equal(load_matrix(path, layout="labelled").toarray(), SMALL)
    assert "graph.format=labelled" in refusal(path)


def test_labels_in_another_order_are_refused(tmp_path: Path) -> None:
    path = text(tmp_path / "w.csv", ",a,b\nb,0,1\na,2,0\n")
    assert "row 1 is labelled 'b', column 1 'a'" in refusal(path, layout="labelled")
    assert "nothing but labels" in refusal(text(path, "a\n"), layout="labelled")


@pytest.mark.parametrize(
    ("content", "layout"),
    [
        ("0,1,0.5\n0,2,2.5\n1,0,1.5\n1,2,0.75\n2,0,-0.25\n", "edges"),
        ("1 2 0.5\n1 3 2.5\n2 1 1.5\n2 3 0.75\n3 1 -0.25\n", "edges-from-1"),
        ("post,pre,weight\n1,0,0.5\n2,0,2.5\n0,1,1.5\n2,1,0.75\n0,2,-0.25\n", "edges"),
        ("From;To;Kind;W\n0;1;x;0,5\n0;2;.;2,5\n1;0;,;1,5\n1;2;x;0,75\n2;0;x;-0,25\n", "edges"),
    ],
)
def test_a_list_of_synapses_is_read_on_request(tmp_path: Path, content: str, layout: str) -> None:
    path = text(tmp_path / "w.csv", content)
    assert np.array_equal(load_matrix(path, layout=layout).toarray(), SMALL)


def test_a_list_of_synapses_may_be_an_array_and_name_lone_neurons(tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", np.array([[0, 1, 0.5], [3, 0, 0]]))
    found = load_matrix(tmp_path / "w.npy", layout="edges")
    assert (found.shape, found.nnz, found[1, 0]) == ((4, 4), 1, 0.5)
    sparse.save_npz(tmp_path / "w.npz", sparse.coo_array(SMALL))
    assert "is for text files" in refusal(tmp_path / "w.npz", layout="edges")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("0,1\n1,0\n", "columns pre, post and weight, this is 2 x 2"),
        ("1,2,0.5\n2,1,0.5\n", "graph.format=edges-from-1"),
        ("0,1,0.5\n1,0,1\n0,1,0.5\n", "0 -> 1 is named more than once"),
        ("0,1,1\n0,1.5,1\n", "synapse 2, 0 -> 1.5: neurons are whole numbers"),
        ("-1,0,1\n", "neurons are whole numbers from 0"),
        ("a,b,c\n0,1,1\n", "one column named pre or source or from"),
        ("pre,post,w,weight\n0,1,1,1\n", "one column named weight or w"),
        ("pre,post,w\n0,1,1\n0,2\n", "line 3 has 2 cells, line 1 has 3"),
        ("pre,post,w\nn1,n2,1\n", "line 2, cell 1: 'n1' is no number"),
        ("pre,post,w\n", "lists no synapse"),
        ("0,1,nan\n", "is nan in row 1, column 0"),
    ],
)
def test_a_broken_list_of_synapses_says_where(tmp_path: Path, content: str, named: str) -> None:
    assert named in refusal(text(tmp_path / "w.csv", content), layout="edges")


def test_self_loops_leave_on_request(tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", SMALL + np.diag([1, np.nan, -1]))
    assert np.array_equal(load_matrix(tmp_path / "w.npy", self_loops="drop").toarray(), SMALL)
    np.save(tmp_path / "w.npy", SMALL + np.diag([1, 0, -1]))
    assert "(2 in all); to leave these out: --set graph.self_loops=drop" in refusal(
        tmp_path / "w.npy"
    )


# --- the parameters beside a matrix --------------------------------------------------------


@pytest.fixture(scope="module")
def drawn() -> Network:
    return build_network(load_preset("default", ["N=60", "graph.kind=erdos_renyi"]), 3)


@pytest.fixture
def own(tmp_path: Path, drawn: Network) -> list[str]:
    """Settings of a matrix in units of J: the weights without their 1/sqrt(K)."""
    in_units_of_J = drawn.W * np.sqrt(drawn.n_synapses / 60)
    sparse.save_npz(tmp_path / "w.npz", in_units_of_J)
    return ["graph.kind=matrix", f"graph.matrix={tmp_path / 'w.npz'}"]


def test_a_matrix_in_units_of_J_becomes_the_drawn_network(drawn: Network, own: list[str]) -> None:
    """Divided by the root of the mean in-degree, synapses over neurons, whatever their spread."""
    assert len(set(np.diff(drawn.W.indptr))) > 3
    given = build_network(load_preset("default", own), 3)
    scaled = build_network(load_preset("default", [*own, "graph.scale=J/sqrt(K)"]), 3)
    np.testing.assert_allclose(scaled.W.toarray(), drawn.W.toarray(), rtol=1e-14)
    factor = np.sqrt(drawn.n_synapses / 60)
    np.testing.assert_allclose(given.W.toarray(), drawn.W.toarray() * factor, rtol=1e-14)
    assert np.array_equal(scaled.bias, drawn.bias)


def test_a_matrix_is_scaled_to_a_spectral_radius(own: list[str]) -> None:
    found = build_network(load_preset("default", [*own, "graph.scale=1.7"]), 3)
    assert spectral_radius(found.W) == pytest.approx(1.7)
    other = build_network(load_preset("default", [*own, "weights.spectral_radius=1.7"]), 3)
    assert np.array_equal(other.W.toarray(), found.W.toarray())
    with pytest.raises(InputError, match=r"graph.scale = 1.7 scales the matrix, too"):
        load_preset("default", [*own, "graph.scale=1.7", "weights.spectral_radius=2"])


@pytest.mark.parametrize("value", ["0.9", "1", "true", "J", "nan", "inf", '"1.5"'])
def test_other_scales_are_refused(own: list[str], value: str) -> None:
    with pytest.raises(InputError, match=r"graph.scale = .*as-given, J/sqrt\(K\) or a number > 1"):
        load_preset("default", [*own, f"graph.scale={value}"])


@pytest.mark.parametrize("setting", ["scale=1.5", "format=edges", "self_loops=drop"])
def test_settings_of_a_matrix_need_one(setting: str) -> None:
    with pytest.raises(InputError, match=r"goes with graph\.kind = 'matrix'"):
        load_preset("default", [f"graph.{setting}"])


@pytest.mark.parametrize("key", BESIDE_A_MATRIX)
def test_a_key_that_means_nothing_beside_a_matrix_is_refused(own: list[str], key: str) -> None:
    """Also if it is set to its default."""
    section, _, name = key.rpartition(".")
    plain = HRSNNParams().to_dict()
    value = (plain[section] if section else plain)[name]
    with pytest.raises(InputError, match=r"means nothing beside graph\.matrix") as error:
        load_preset("default", [*own, f"{key}={value}"])
    assert str(error.value).startswith(f"{key} = ")


def test_what_a_preset_says_beside_a_matrix_is_not_taken(own: list[str]) -> None:
    params = load_preset("network-A", own)
    assert preset_table("network-A")["weights"]["J"] != 0.1
    assert (params.weights, params.N) == (HRSNNParams().weights, HRSNNParams().N)
    assert params.neuron.t_ref == load_preset("network-A").neuron.t_ref
    assert meaningful(build_network(params, 1).params)["weights"] == {}
    assert meaningful(load_preset("network-A")) == load_preset("network-A").to_dict()


def test_in_python_a_value_that_means_nothing_is_refused_when_building(own: list[str]) -> None:
    graph = {"kind": "matrix", "matrix": own[1].partition("=")[2]}
    with pytest.raises(InputError, match=r"weights.J = 0.2: means nothing"):
        build_network(HRSNNParams(graph=graph, weights={"J": 0.2}), 1)
    with pytest.raises(InputError, match=r"N = 61: the matrix has 60 neurons"):
        build_network(HRSNNParams(N=61, graph=graph), 1)
    network = build_network(HRSNNParams(graph=graph), 1)
    assert equal_networks(build_network(network.params, 1), network)
    params = read(HRSNNParams, network.params.to_dict(), ["neuron.t_ref=0 ms"])
    assert build_network(params, 1).n_neurons == 60


def test_a_scaled_matrix_survives_its_file_and_old_files_stay(
    tmp_path: Path, own: list[str]
) -> None:
    network = build_network(load_preset("default", [*own, "graph.scale=J/sqrt(K)"]), 1)
    path = save_network(network, tmp_path / "net.npz")
    assert equal_networks(load_network(path), network)
    assert equal_networks(build_network(load_network(path).params, 1), network)
    # what is hashed for the identity of a network has no key that older versions did not write
    for params in (HRSNNParams(), build_network(load_preset("default", own), 1).params):
        assert not {"scale", "format", "self_loops"} & set(params.to_dict()["graph"])


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("graph.rewire=0.5", "graph.kind is small_world"),
        ("graph.within=0.5", "graph.kind is clustered"),
        ("neuron.v_reset=0.5", "neuron.reset is hard"),
        ("rate_max=100 Hz", "encoder.kind is poisson"),
        ("tau_in=10 ms", "encoder.kind is poisson"),
        ("family=constant cv=0.5", "weights.family is gamma or lognormal"),
        ("encoder.kind=current encoder.width=1", "encoder.kind is population or poisson"),
        ("encoder.kind=current center.low=-1", "encoder.kind is population or poisson"),
    ],
)
def test_a_key_without_effect_is_refused(text: str, needs: str) -> None:
    texts = text.replace(" Hz", "~Hz").replace(" ms", "~ms").split()
    with pytest.raises(InputError, match=f"has no effect unless {needs}"):
        load_preset("default", [part.replace("~", " ") for part in texts])


@pytest.mark.parametrize(
    "texts",
    [
        ["graph.kind=small_world", "rewire=0.5"],
        ["reset=hard", "v_reset=0.5"],
        ["rewire=0.1"],  # what it is anyway
        ["encoder.kind=poisson", "rate_max=100 Hz", "encoder.width=1"],
    ],
)
def test_a_key_with_effect_is_taken(texts: list[str]) -> None:
    load_preset("default", texts)


def test_other_synapses_may_come_in_any_real_type(drawn: Network) -> None:
    half = drawn.W.toarray().astype(">f2")
    assert np.array_equal(drawn.with_weights(half).W.toarray(), half.astype(float))
    assert drawn.with_weights((drawn.W.toarray() * 2).tolist()).n_synapses == drawn.n_synapses
    with pytest.raises(InputError, match="must hold real numbers, holds complex"):
        drawn.with_weights(drawn.W.toarray() + 1j)
    with pytest.raises(InputError, match=r"W = .*must be a matrix"):
        drawn.with_weights([[0, 1], [0]])
