"""What the texts show is run as it stands there: blocks after <!-- run --> and <!-- file: NAME -->.

A shell block is run line by line, a Python block as a program, a file is written; all in the order
of the text, in one folder. Networks of sweeps are not simulated: their scores are fakes.
"""

import re
import shlex
from pathlib import Path
from typing import NamedTuple

import pytest
import sweep_fakes

from hrsnn_brian.cli.main import main
from hrsnn_brian.files.tables import read_table
from hrsnn_brian.statistics.search import propose

ROOT = Path(__file__).resolve().parents[1]
TEXTS = (ROOT / "README.md", ROOT / "studies" / "README.md")
_MARKED = re.compile(r"<!-- (run|file: ([\w.-]+)) -->\n```(\w+)\n(.*?)```\n", re.DOTALL)
_MARK = re.compile(r"<!-- (?:run|file)\b")


class Block(NamedTuple):
    """file: where it is written; "" if it is run. kind: sh, python, toml."""

    file: str
    kind: str
    text: str


def blocks_of(text: str) -> list[Block]:
    found = [Block(file or "", kind, body) for _, file, kind, body in _MARKED.findall(text)]
    assert len(found) == len(_MARK.findall(text)), "a mark stands before no fenced block"
    return found


BLOCKS = {
    str(path.relative_to(ROOT)): blocks_of(path.read_text(encoding="utf-8")) for path in TEXTS
}


def commands(text: str) -> list[list[str]]:
    return [shlex.split(line) for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def test_a_mark_without_a_block_is_noticed():
    assert blocks_of("<!-- file: a.py -->\n```python\nx = 1\n```\n") == [
        Block("a.py", "python", "x = 1\n")
    ]
    with pytest.raises(AssertionError, match="no fenced block"):
        blocks_of("<!-- run -->\n\n```sh\nhrsnn doctor\n```\n")


def test_the_texts_show_sweeps_and_a_study_of_ones_own_in_thirty_lines():
    shown = [block for blocks in BLOCKS.values() for block in blocks]
    assert any("hrsnn sweep" in block.text for block in shown)
    assert any("hb.sweep(" in block.text for block in shown)
    (own,) = [block for block in shown if block.file == "rates.py"]
    assert "STUDY = " in own.text
    assert len(own.text.splitlines()) <= 30


@pytest.mark.compiled
@pytest.mark.parametrize("name", BLOCKS)
def test_marked_texts_run_as_they_stand(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sweep_fakes.install(monkeypatch)
    quick = lambda history, d, seed, method: propose(history, d, seed, "sobol")  # noqa: E731
    monkeypatch.setattr("hrsnn_brian.statistics.search.propose", quick)
    for block in BLOCKS[name]:
        if block.file:
            Path(block.file).write_text(block.text)
        elif block.kind == "python":
            exec(compile(block.text, name, "exec"), {"__name__": "__main__"})
        else:
            for words in commands(block.text):
                assert words[0] == "hrsnn", words
                assert main(words[1:]) == 0, words
    done = sorted(path.parent.name for path in Path("runs").glob("*/DONE"))
    asked = sum(
        block.text.count("hrsnn s") + block.text.count("hb.sweep(") for block in BLOCKS[name]
    )
    assert len(done) == asked
    for run in Path("runs").iterdir():
        (table,) = (run / "tables").glob("*.csv")
        assert len(read_table(table)) > 1
    if any(block.file == "rates.py" for block in BLOCKS[name]):
        rates = read_table("runs/rates-quick-seed0/tables/rates.csv")
        assert list(rates["J"]) == [0.1, 0.3, 0.1, 0.3]
        assert (rates["rate_hz"] > 0).all()
