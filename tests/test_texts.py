"""What the texts say is so: their tables, their code, and the seeds of their cluster script."""

import re
from pathlib import Path

import pytest

from hrsnn_brian.cli.main import COMMANDS
from hrsnn_brian.errors import InputError
from hrsnn_brian.runs.plan import Shard, plan_study
from hrsnn_brian.runs.study import load_study
from hrsnn_brian.studies.results import tables
from hrsnn_brian.studies.results.tables import TABLE, renewed

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
STUDIES = ROOT / "studies" / "README.md"
RESULTS = ROOT / "studies" / "results" / "README.md"
TEXTS = (README, STUDIES, RESULTS, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md")
FRUGAL = "<!-- table: pruning_methods keep=0.05 neuron_fraction=1.0 recipes=frugal -->"


@pytest.mark.parametrize("text", [README, RESULTS], ids=["README", "results"])
def test_tables_are_those_of_the_result_files(text: Path) -> None:
    """If not: python -m hrsnn_brian.studies.results.tables README.md studies/results/README.md"""
    content = text.read_text()
    assert TABLE.search(content)
    assert renewed(content) == content


def test_a_table_has_the_means_of_its_file_best_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = "network,recipe,keep,match,task,readout,seeds,mean,sem,synaptic_ops_per_s"
    rows = [
        "full,,1.0,none,{},spikes,3,0.5,0.1,9000",
        "pruned,a,0.1,none,{},spikes,3,0.75,0.125,1000",
        "pruned,b|c,0.1,none,{},spikes,3,0.25,,2000",
        "pruned,a,0.1,bias,{},spikes,3,0.1,0.1,1000",
        "pruned,a,0.2,none,{},spikes,3,0.1,0.1,1000",
    ]
    both = [row.format(task) for task in ("mackey-glass-84", "lorenz63-x") for row in rows]
    (tmp_path / "made.csv").write_text("\n".join([columns, *both]))
    monkeypatch.setattr(tables, "HERE", tmp_path)
    tables._rows.cache_clear()
    lines = renewed("<!-- table: made keep=0.1 -->\nold\n<!-- end -->").splitlines()
    assert lines[3:-1] == [
        r"| b\|c | 0.250 | 0.25 | 2 | 3 |",
        "| *unpruned, all neurons* | 0.500 ± 0.100 | 0.50 ± 0.10 | 9 | 3 |",
        "| a | 0.750 ± 0.125 | 0.75 ± 0.12 | 1 | 3 |",
    ]


def test_a_table_has_digits_and_the_larger_p_where_its_file_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = "network,recipe,keep,match,task,readout,seeds,mean,sem,synaptic_ops_per_s,rival,p_t,"
    row = "pruned,a,0.1,task,{},spikes,3,0.75,0.125,1000,activity,{},{}"
    rows = [
        row.format("mackey-glass-84", "0.02", "0.0078"),
        row.format("lorenz63-x", "1e-06", "0.0005"),
        row.format("digits", "", ""),
    ]
    (tmp_path / "made.csv").write_text("\n".join([f"{columns}p_wilcoxon", *rows]))
    monkeypatch.setattr(tables, "HERE", tmp_path)
    tables._rows.cache_clear()
    lines = renewed("<!-- table: made keep=0.1 match=task -->\n<!-- end -->").splitlines()
    assert lines[1] == (
        "| recipe | NRMSE, Mackey-Glass 84 ahead (p against activity) | VPT, Lorenz from x (p "
        "against activity) | accuracy, digits (p against activity) | kops/s | seeds |"
    )
    assert lines[3] == (
        "| a | 0.750 ± 0.125 (0.020) | 0.75 ± 0.12 (< .001) | 0.750 ± 0.125 | 1 | 3 |"
    )
    tables._rows.cache_clear()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("pruning_methods", "pruning_method", "result file = 'pruning_method': .*pruning_methods"),
        ("keep=", "kept=", "column = 'kept': .*did you mean 'keep'"),
        ("=frugal", "=frugl", "recipe = 'frugl': .*did you mean 'frugal'"),
        ("recipes=frugal", "match=gain", "no recipe has rows like that"),
    ],
)
def test_a_table_that_cannot_be_made_is_named(old: str, new: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        renewed(f"{FRUGAL.replace(old, new)}\n<!-- end -->")


def test_array_tasks_of_the_cluster_script_share_all_points() -> None:
    script = README.read_text()
    last = int(re.search(r"--array=1-(\d+) ", script)[1])
    study = re.search(
        r"hrsnn study (\w+) --preset (\w+) .*--shard \$SLURM_ARRAY_TASK_ID/(\d+)", script
    )
    assert int(study[3]) == last
    points = plan_study(load_study(study[1]), preset=study[2]).points
    parts = [Shard(number, last).of_points(points) for number in range(1, last + 1)]
    assert sorted(repr(point) for part in parts for point in part) == sorted(map(repr, points))
    assert min(map(len, parts)) > 1


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_commands_modules_and_files_that_a_text_names_exist(text: Path) -> None:
    content = text.read_text().split("## 0.1.0")[0]
    commands = set(re.findall(r"(?:^|`|bin/)hrsnn ([a-z]+)", content, re.MULTILINE))
    assert commands <= set(COMMANDS)
    for module in re.findall(r"python -m (hrsnn_brian[.\w]+)", content):
        assert (ROOT / (module.replace(".", "/") + ".py")).is_file(), module
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", content):
        assert (text.parent / link).exists(), link


@pytest.mark.parametrize("text", [README, STUDIES], ids=["README", "studies"])
def test_python_in_a_text_compiles_and_names_what_there_is(text: Path) -> None:
    import hrsnn_brian as hb

    content = text.read_text()
    for code in re.findall(r"```python\n(.*?)```", content, re.DOTALL):
        compile(code, text.name, "exec")
    names = re.findall(r"\bhb\.(\w+)", content)
    assert names
    for name in names:
        assert hasattr(hb, name), name
