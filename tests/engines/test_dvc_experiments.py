"""The recipe of docs/experiments.md: `dvc exp run` in a project, its results and the way back."""

import json
import re
from pathlib import Path

import pytest
from stub import commit, dvc, ran, run

ROOT = Path(__file__).resolve().parents[2]


def recipe() -> list[str]:
    """Return the commands of the page, without their comments."""
    text = (ROOT / "docs/experiments.md").read_text()
    part = text[text.index("## `dvc exp run`") :]
    return [line.partition("#")[0].strip() for line in re.findall(r"^    (\S.*)$", part, re.MULTILINE)]


def values(folder: Path) -> dict[str, float]:
    """Return name -> prior_weight of the working tree and of every experiment, as `dvc exp show` has them."""
    found = {}
    for commit_ in json.loads(dvc(folder, "exp", "show", "--json").stdout):
        states = [(commit_["name"] or commit_["rev"], commit_)]
        states += [(e["revs"][0]["name"], e["revs"][0]) for e in commit_["experiments"] or []]
        for name, state in states:
            found[name] = state["data"]["params"]["params.yaml"]["data"]["labels"]["prior_weight"]
    return found


@pytest.mark.nightly
def test_the_recipe_runs_experiments_and_brings_one_back(project):
    (project / ".gitignore").write_text((project / ".gitignore").read_text() + "/dvc.lock\n")
    commit(project)
    run(project, "git", "rm", "-q", "--cached", "dvc.lock")
    for key, value in (("user.name", "t"), ("user.email", "t@t")):
        run(project, "git", "config", key, value)
    commit(project)
    executed = []
    for command in recipe():
        if command.startswith("dvc exp run"):
            assert "labels.prior_weight=0.75" in command
        words = command.replace('"DVC reads git"', "DVC-reads-git").split()
        if words[0] == "dvc":
            printed = dvc(project, *words[1:]).stdout
        else:
            printed = run(project, *[word.strip("'") for word in words]).stdout
        if command.startswith("dvc exp run"):
            executed = ran(project)
            name = re.search(r"Ran experiment\(s\): (\S+)", printed)[1]
            assert name == "weight-75"
            assert values(project)[name] == 0.75
    assert sorted(executed) == ["labels@r0-00", "labels@r0-01", "labels@r1-00", "labels@r1-01", "train@r1"]
    assert "up to date" in dvc(project, "status").stdout
    assert "prior_weight: 0.75" in (project / "params.yaml").read_text()
