"""`best` and what is printed of it."""

from pathlib import Path

import pytest
import small_project
import yaml
from small_project import judge

from auxseg.artifacts.rounds import Round
from auxseg.cli.chosen_round import BEST, choose_network, choose_round
from auxseg.errors import DataError, ParamsError


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """Two trainings."""
    monkeypatch.chdir(tmp_path)
    rounds = {"rounds": {"r1": "r0", "r2": "r1"}, "label_rounds": ["r0", "r1", "r2"]}
    Path("params.yaml").write_text(yaml.safe_dump({**small_project.PARAMS, **rounds}))


def test_a_round_by_name_needs_no_judgement(capsys):
    assert choose_round("r1") == choose_network("r1") == Round(1)
    assert capsys.readouterr().out == ""
    with pytest.raises(ParamsError, match="r3: no such round; choose one of r0, r1, r2, or best"):
        choose_round("r3")
    with pytest.raises(ParamsError, match="--round r0: no such training; choose one of r1, r2, or best"):
        choose_network("r0")


@pytest.mark.parametrize("choose", [choose_round, choose_network])
def test_best_is_the_last_good_round_and_says_why(choose, capsys):
    for name in ("r0", "r1"):
        judge(name, best=name)
    judge("r2", best="r1", reasons=("Cat vanishes.", "More is ignored."), advice=("Train longer.",))
    assert str(choose(BEST)) == "r1"
    assert capsys.readouterr().out == "round r1: the guard found r2 worse: Cat vanishes; --round r2 takes it anyway\n"
    judge("r2", best="r2")
    assert str(choose(BEST)) == "r2"
    assert capsys.readouterr().out == "round r2: the last one, and the guard found it good\n"


def test_an_older_project_without_judgements_takes_the_last_round(capsys):
    assert str(choose_round(BEST)) == "r2"
    out = capsys.readouterr().out
    assert out.startswith("round r2: the last one; data/guard has no judgements") and out.count("\n") == 1


def test_of_an_unfinished_run_the_best_finished_round_is_taken(capsys):
    """As where `guard.action: stop` has closed the gate to the next training."""
    judge("r1", best="r1")
    assert str(choose_round(BEST)) == "r1"
    assert "the last finished one, and the guard found it good; r2 is not finished" in capsys.readouterr().out
    judge("r1", best="r0", reasons=("all is background",))
    assert str(choose_round(BEST)) == "r0"
    assert capsys.readouterr().out == (
        "round r0: the guard found r1 worse: all is background; --round r1 takes it anyway; r2 is not finished\n"
    )


def test_no_good_network(capsys):
    judge("r2", best="r0", reasons=("All is background.",))
    assert str(choose_round(BEST)) == "r0"
    capsys.readouterr()
    with pytest.raises(DataError, match="--round r1 takes that network anyway"):
        choose_network(BEST)
    assert capsys.readouterr().out == ""
