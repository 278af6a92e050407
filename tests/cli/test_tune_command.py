"""`hrsnn tune` ends with the command that confirms what it chose."""

import shlex
from itertools import pairwise

from hrsnn_brian.cli.main import make_parser
from hrsnn_brian.cli.tune_command import _confirming
from hrsnn_brian.runs.study import load_study, resolve_options


def test_the_study_it_proposes_is_of_the_same_tasks_and_images(tmp_path):
    folder, out = f"data={tmp_path / 'my images'}", str(tmp_path / "mine.toml")
    words = ["--task", "digits", "--task", "wind", "--set", "J=0.05,0.2", "--set", folder]
    parser, _ = make_parser("tune")
    args = parser.parse_args(["tune", *words, "--set", "train=50", "--out", out])
    said = shlex.split(_confirming(args))
    assert said[:3] == ["hrsnn", "study", "tuning"]
    settings = [word for flag, word in pairwise(said) if flag == "--set"]
    assert settings == [f"presets=default,{out}", "tasks=digits,wind", folder, "train=50"]
    (tmp_path / "mine.toml").write_text("[weights]\nJ = 0.07\n")
    chosen = resolve_options(load_study("tuning"), "quick", settings)
    assert (chosen["tasks"], chosen["train"]) == (["digits", "wind"], 50)
