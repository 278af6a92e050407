"""Points on the workers of a dask cluster: the same table, also when a worker is killed."""

import os
import signal
import sys
from pathlib import Path

import pytest

from hrsnn_brian.cli.main import main
from hrsnn_brian.errors import EngineError, InputError
from hrsnn_brian.runs import cluster
from hrsnn_brian.runs.cluster import dask_executor
from hrsnn_brian.runs.parallel import as_finished
from hrsnn_brian.runs.runner import plan_study, run_study
from hrsnn_brian.runs.study import load_study

pytest.importorskip("distributed", reason="the extra [cluster] is not installed")
pytestmark = pytest.mark.signals

STUDY = """
import os
from pathlib import Path
from hrsnn_brian.runs.study import Study
from hrsnn_brian.seeds import rng

def points(options, seed):
    return [{"seed": seed + k, "home": options["home"]} for k in range(options["seeds"])]

def run(point, engine):
    victim = Path(point["home"]) / "victim"
    if point["seed"] == 3 and victim.exists():
        victim.unlink()
        os.kill(os.getpid(), 9)
    with open(Path(point["home"]) / "pids", "a") as stream:
        stream.write(f"{os.getpid()}\\n")
    draw = rng(point["seed"], "task", "x").normal(size=(60, 60))
    return [{"seed": point["seed"], "value": float((draw @ draw).sum())}]

STUDY = Study("spread", "a little work", points, run, uses_engine=False,
              presets={"quick": {"seeds": 8, "home": ""}})
"""
SBATCH = """#!/bin/sh
here="$(dirname "$0")"
cp "$1" "$here/job"
sh "$here/job" > "$here/worker.log" 2>&1 &
echo "Submitted batch job $!"
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spread.py").write_text(STUDY)
    return tmp_path


def test_a_cluster_of_this_machine_gives_the_same_table_whoever_is_killed_or_lost(
    here, monkeypatch
):
    plan = plan_study(load_study("spread.py"), overrides=[f"home={here}"])
    one = run_study(plan, out="one")
    (here / "pids").unlink()
    (here / "victim").touch()
    with dask_executor(2) as executor:
        many = run_study(plan, out="many", jobs=executor)
        assert str(executor) == "on 2 processes (dask)"
        address = executor._client.scheduler.address
        with monkeypatch.context() as patch:
            patch.setattr(cluster, "package_version", lambda: "9.9")
            connecting = dask_executor(1, address)
            with pytest.raises(InputError, match=r"its worker .* has .*, not 9\.9 as here"):
                connecting.__enter__()
        monkeypatch.setattr(cluster, "_PATIENCE_S", 2.0)
        with dask_executor(1, address) as other:
            other._client.wait_for_workers(2, timeout=60)  # the killed one is started anew
            assert other.slots == 2
            left = as_finished(abs, range(100), other)
            next(left)
            executor._client.cluster.close()
            with pytest.raises(EngineError, match=f"on the workers of {address} .*was lost"):
                list(left)
    assert many.computed == 8
    assert not (here / "victim").exists()
    pids = set((here / "pids").read_text().split())
    assert str(os.getpid()) not in pids
    assert len(pids) > 1
    assert many.files[0].read_bytes() == one.files[0].read_bytes()


def test_slurm_starts_workers_from_a_file(here, monkeypatch, capsys):
    """With an sbatch that runs the job at once, as a queue that is empty would."""
    handler = signal.getsignal(signal.SIGINT)
    for name, text in (("sbatch", SBATCH), ("scancel", "#!/bin/sh\nkill $1\n")):
        (here / name).write_text(text)
        (here / name).chmod(0o755)
    (here / "slurm.toml").write_text('jobs = 1\ncores = 1\nmemory = "1GB"\nqueue = "short"\n')
    words = ["study", "spread.py", "--set", f"home={here}", "--out", "run", "--executor", "dask"]
    assert main([*words, "--slurm", "slurm.toml"]) == 2
    assert "this machine has no sbatch" in capsys.readouterr().err
    monkeypatch.setenv("PATH", f"{here}{os.pathsep}{Path(sys.executable).parent}:/usr/bin:/bin")
    assert main([*words, "--slurm", "slurm.toml"]) == 0
    assert "#SBATCH -p short" in (here / "job").read_text()
    assert len(set((here / "pids").read_text().split())) == 1
    assert "on workers of SLURM (dask, slurm.toml)" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cores = 1", "memory"),
        ("colour = 3\ncores = 1\nmemory = '1GB'", "colour"),
        ("jobs = 0", "jobs in slurm.toml = 0: must be a whole number >= 1"),
        ("jobs = ", "is not valid TOML"),
    ],
)
def test_a_slurm_file_that_cannot_be_used_is_one_line(here, monkeypatch, capsys, text, said):
    (here / "slurm.toml").write_text(text)
    monkeypatch.setattr(cluster.shutil, "which", lambda name: name)
    words = ["study", "spread.py", "--executor", "dask", "--slurm", "slurm.toml"]
    assert main(words) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_a_scheduler_that_does_not_answer_is_one_line(here, monkeypatch, capsys):
    monkeypatch.setattr(cluster, "_PATIENCE_S", 0.2)
    for address in ("tcp://127.0.0.1:1", "nonsense://x"):
        assert main(["study", "spread.py", "--executor", "dask", "--scheduler", address]) == 2
        error = capsys.readouterr().err
        assert f"--scheduler = {address!r}: cannot be reached (" in error
        assert error.count("\n") == 1
    assert not (here / "runs").exists()
