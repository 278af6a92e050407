"""Schemas: what lies beside a table, what studies file of it, and the same first columns in all."""

import json
import math
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from hrsnn_brian.errors import InputError
from hrsnn_brian.evaluation.present import Presented
from hrsnn_brian.files.columns import IDENTITY, ROLES, Column, identity, name_of
from hrsnn_brian.files.schema import read_schema, schema_of, schema_path
from hrsnn_brian.files.score import Score
from hrsnn_brian.files.tables import Table, columns_of, read_table, schema_in, write_table
from hrsnn_brian.network.build import build_network
from hrsnn_brian.network.presets import load_preset
from hrsnn_brian.pruning.prune import Pruned, prune
from hrsnn_brian.pruning.size import Size
from hrsnn_brian.runs.runner import plan_study, run_study
from hrsnn_brian.runs.study import load_study

# ---- scores and columns


def test_a_score_has_a_direction_and_a_primary_one_must():
    with pytest.raises(InputError, match="better of x = 'up': one of higher, lower, none"):
        Score("x", 1.0, better="up")
    with pytest.raises(InputError, match="better of x = 'none': one of higher, lower"):
        Score("x", 1.0, primary=True)
    with pytest.raises(InputError, match="role of column x = 'kind'"):
        Column("x", role="kind")


def test_a_schema_says_of_scores_what_they_said_and_of_known_columns_what_is_known():
    rows = [
        {"task": "a", "rate_hz": 9.0, "s": Score("s", 1.0, "m/s", "lower", "error", primary=True)},
        {"task": "b", "t": Score("t", 2.0, better="higher", minor=True), "own": 1},
        {"task": "b", "w": Score("w", "none", unit="", label="why"), "e": Score("e", 0.1)},
    ]
    schema = schema_of(rows, [Column("own", "an own one", "kg")])
    assert schema.columns["s"] == Column("s", "error", "m/s", "lower", "score")
    assert (schema.columns["s"].label, schema.columns["own"].label) == (
        "error (m/s)",
        "an own one (kg)",
    )
    assert schema.columns["rate_hz"].role == "cost"
    assert [schema.columns[name].role for name in ("t", "w", "e")] == ["score", "note", "measure"]
    assert (schema.primary("a").name, schema.primary("b")) == ("s", None)
    assert list(schema.columns) == columns_of(rows)
    assert (schema.shown("b"), schema.scores()) == ([], ["t", "s"])
    assert schema.tasks["b"].scores == ("t",)
    assert schema_of([{"x": 1}]).columns["x"] == Column("x")  # no meaning


def test_a_schema_lies_beside_every_table_and_comes_back(tmp_path):
    rows = [{"task": "a", "s": Score("s", math.inf, better="lower", primary=True)}, {"task": "b"}]
    csv, schema, *_ = write_table(tmp_path / "t.csv", rows)
    assert (csv.name, schema.name) == ("t.csv", "t.schema.json")
    assert csv.read_text() == "task,s\na,inf\nb,\n"
    document = json.loads(schema.read_text())
    assert (document["schema"], document["tasks"]["a"]["primary"]) == (1, "s")
    assert read_schema(csv) == schema_of(rows) == schema_in(read_table(csv))
    table = read_table(csv)
    assert schema_in(table[table["task"] == "a"]).primary("a").name == "s"
    schema.unlink()
    with pytest.raises(InputError, match=r"has no t\.schema\.json beside it .*run its study again"):
        read_schema(csv)
    with pytest.raises(InputError, match="has no schema"):
        schema_in(read_table(csv))


def test_a_table_keeps_its_schema_and_frames_carry_it():
    rows = [{"task": "a", "s": Score("s", 1.0, better="lower", primary=True)}]
    table = Table(rows)
    assert table == [{"task": "a", "s": 1.0}]
    assert Table(table).schema is table.schema
    assert schema_in(table.frame()) == table.schema


# ---- studies

OWN = """
from hrsnn_brian import Column, Score, Study

def points(options, seed):
    return [{"seed": seed + k} for k in range(options["seeds"])]

def run(point, engine):
    score = Score("hits", 0.5 + point["seed"], better="higher", label="hits", primary=True)
    return [{"seed": point["seed"], "task": "darts", "hits": score, "kg": 1.0, "plain": 2}]

def summary(table):
    return "best by " + table.schema.primary("darts").name + ", " + str(table[0]["hits"])

STUDY = Study("own", "own scores", points, run, presets={"quick": {"seeds": 2}},
              uses_engine=False, summary=summary, columns=(Column("kg", "mass", "kg"),))
"""


def test_the_scores_of_an_own_study_are_filed_and_read_back_by_a_resumed_run(tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    study = load_study(str(tmp_path / "own.py"))
    first = run_study(plan_study(study), out=tmp_path / "run")
    again = run_study(plan_study(study), out=tmp_path / "run")
    assert (first.computed, again.computed) == (2, 0)
    for found in (first, again):
        assert found.rows[1] == {"seed": 1, "task": "darts", "hits": 1.5, "kg": 1.0, "plain": 2}
        assert study.summary(found.rows) == "best by hits, 0.5"
        schema = read_schema(tmp_path / "run" / "tables" / "own.csv")
        assert schema == found.rows.schema
        assert list(schema.columns) == ["seed", "task", "hits", "kg", "plain"]
        assert schema.columns["kg"] == Column("kg", "mass", "kg")
        assert schema.columns["plain"] == Column("plain")
    assert schema_path(tmp_path / "run" / "tables" / "own.csv") in first.files


def test_columns_of_an_own_study_must_be_columns(tmp_path):
    (tmp_path / "own.py").write_text(OWN.replace('(Column("kg", "mass", "kg"),)', '("kg",)'))
    with pytest.raises(InputError, match="must be Column objects"):
        load_study(str(tmp_path / "own.py"))


# ---- the same first columns in every study


@pytest.fixture
def stubbed(monkeypatch):
    """Every network is silent noise, and a free run predicts nothing."""

    def present(engine, network, task, seed, **_):
        random = np.random.default_rng(seed)
        shape = (task.n_samples, network.n_neurons)
        states = {name: random.random(shape) for name in ("trace_30ms", "v")}
        return Presented(np.ones(network.n_neurons, dtype=np.int32), 1.0, states)

    monkeypatch.setattr("hrsnn_brian.evaluation.evaluate.present", present)
    monkeypatch.setattr(
        "hrsnn_brian.evaluation.evaluate._run_freely",
        lambda network, loop, engine, seed: loop.score(loop.teacher),
    )


PARAMETERS = load_preset("default", ["N=40", "K=10"])
SHORT = {"seed": 1, "short_tasks": True, "network": PARAMETERS.to_dict()}
SIZE = {"keep": 0.5, "neuron_fraction": 1.0}


def curve(monkeypatch):
    for own in (
        {"recipe": "full", "keep": 1.0, "curves": ["noise"]},
        {"recipe": "magnitude", "keep": 0.5},
    ):
        yield SHORT | {"task": "wind"} | own


def of_rules(monkeypatch):
    settings = [("mackey-glass-84", {}), ("lorenz63-x", {"starts": 5})]
    common = SHORT | {
        "tasks": [
            {"task": name, "task_settings": {"quick": True} | own, "images": {}}
            for name, own in settings
        ],
        "match": ["none"],
        "readouts": ["spikes"],
        "stability": False,
    }
    for rule, keep in (("full", 1.0), ("no recurrence", 0.0), ("magnitude raw", 0.5)):
        yield common | {
            "recipe": rule,
            "keep": keep,
            "neuron_fraction": 1.0,
            "phase": "development",
        }


def of_ablation(monkeypatch):
    history = ({"stable": True, "lambda_1_per_s": -1.0},)
    monkeypatch.setattr(
        "hrsnn_brian.studies.ablation._pruned",
        lambda point, network, size, engine: Pruned(network, history, None),
    )
    yield SHORT | SIZE | {"recipe": "baseline", "tasks": ["wind"], "readouts": ["spikes"]}


def of_dynamics(monkeypatch):
    monkeypatch.setattr("hrsnn_brian.studies.dynamics.dynamics_row", lambda *_: {"rate_hz": 3.0})
    monkeypatch.setattr(
        "hrsnn_brian.studies.dynamics._pruned",
        lambda point, full, measure: prune(full, "magnitude", Size(keep=0.5), probe=measure),
    )
    lengths = {"noise_seconds": 1.0, "exponents": 1, "exponent_seconds": 1.0, "segments": 1}
    common = SHORT | lengths | {"short_measures": True, "match": ["none"], "neuron_fraction": 1.0}
    for keep in (1.0, 0.5):
        yield common | {"keep": keep, "controls": ["fresh", "class-rewired"]}


def of_edges(monkeypatch):
    def node_exponents(network, **_):
        segments = np.random.default_rng(0).normal(size=(6, network.n_neurons))
        return SimpleNamespace(segments=segments, exponents=segments.mean(axis=0))

    monkeypatch.setattr("hrsnn_brian.dynamics.exponents.nodes.node_exponents", node_exponents)
    yield {"network": "network-A", "seed": 1, "segments": 6}


POINTS: dict[str, tuple[Callable, set[str]]] = {
    "pruning_curve": (
        curve,
        {"noise", "magnitude", "no recurrence"}
        | {"persistence", "input only", "linear AR", "NG-RC"},
    ),
    "pruning_methods": (of_rules, {"full", "no recurrence", "magnitude raw"}),
    "improve": (of_rules, {"full", "no recurrence", "magnitude raw"}),
    "ablation": (of_ablation, {"baseline"}),
    "dynamics": (of_dynamics, {"full", "lnp", "fresh", "class-rewired"}),
    "edge_exponents": (of_edges, {"network-A"}),
}


@pytest.mark.parametrize("name", POINTS)
def test_rows_of_every_study_begin_with_the_identity_and_all_columns_have_a_meaning(
    name, stubbed, monkeypatch
):
    study, (points, names) = load_study(name), POINTS[name]
    rows = [row for point in points(monkeypatch) for row in study.run(point, None)]
    for row in rows:
        assert tuple(row)[: len(IDENTITY)] == IDENTITY
        assert (row["network"] == "pruned") == bool(row["recipe"]) or row["keep"] == 1.0
        assert row["neurons"] or row["readout"] == "none"
        assert row["seed"] == 1
    assert {name_of(row) for row in rows} == names
    schema = schema_of(rows, study.columns)
    assert [name for name, column in schema.columns.items() if not column.meaning] == []
    assert {column.role for column in schema.columns.values()} <= set(ROLES)
    for task in {row["task"] for row in rows} - {""}:
        assert schema.primary(task) is not None


def test_sizes_reached_stand_beside_those_asked_for(stubbed, monkeypatch):
    rows = [r for p in of_rules(monkeypatch) for r in load_study("pruning_methods").run(p, None)]
    synapses = {name_of(row): (row["synapses"], row["keep"]) for row in rows}
    full = build_network(PARAMETERS, 1).n_synapses
    assert synapses == {
        "full": (full, 1.0),
        "no recurrence": (0, 0.0),
        "magnitude raw": (full // 2, 0.5),
    }


def test_identity_of_a_row_without_a_network_has_no_size():
    row = identity("pruned", recipe="lnp", seed=1, keep=0.1)
    assert (row["neurons"], row["synapses"], row["keep"], row["match"]) == (None, None, 0.1, "none")
    assert (name_of(row), name_of(identity("full", seed=1))) == ("lnp", "full")
