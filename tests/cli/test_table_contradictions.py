"""`auxseg table` repeats that masks contradict the image-level labels, because its figures depend on it."""

from pathlib import Path

import pytest
import small_project
import yaml

from auxseg.cli.main import main
from auxseg.datasets.contradictions import Contradiction, Contradictions

HEADER = "round,what,set,images,miou,precision,recall\n"
FOUND = (Contradiction("a", "train", ("cat",), ()),)


@pytest.mark.parametrize(
    ("found", "lines"), [(Contradictions(9), 0), (Contradictions(9, FOUND, "1 of 9 masks contradict the labels"), 1)]
)
def test_the_message_follows_the_figures(tmp_path, monkeypatch, capsys, found, lines):
    monkeypatch.chdir(tmp_path)
    Path("dvc.yaml").touch()
    Path("params.yaml").write_text(yaml.safe_dump(small_project.PARAMS))
    Path("data/summary").mkdir(parents=True)
    Path("data/summary/rounds.csv").write_text(HEADER + "r0,labels,train,9,50,60,70\n")
    found.write(Path("data/contradictions.json"))
    assert main(["table"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out.count("warning: 1 of 9 masks contradict the labels") == lines
    assert out[1].split()[-4:] == ["9", "50.0", "60.0", "70.0"]
