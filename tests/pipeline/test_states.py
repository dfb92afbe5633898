"""What the plan finds out about stage instances is what DVC would say, which takes it longer."""

import shutil
from pathlib import Path

import networkx
import pytest
import yaml
from dvc.repo import Repo, lock_repo

from auxseg.errors import DataError
from auxseg.params.dag import chain, shard_names
from auxseg.pipeline.states import is_changed, needs_graph

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def dag(tmp_path):
    """The real dvc.yaml with 2 rounds and 3 shards, alone in a DVC project."""
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    values["rounds"], values["label_rounds"] = chain(2)
    values["shards"] = shard_names(3)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(values))
    Repo.init(str(tmp_path), no_scm=True).close()
    return tmp_path


def test_graph_is_that_of_dvc(dag):
    with Repo(str(dag)) as repo:
        graph, expected = needs_graph(repo.index), repo.index.graph
        assert set(graph.nodes) == set(expected.nodes)
        assert set(graph.edges) == set(expected.edges)
        assert graph.number_of_edges() > 100


def test_a_cycle_is_refused(dag):
    path = dag / "dvc.yaml"
    path.write_text(path.read_text().replace("deps: [data/code/prepare.txt,", "deps: [data/labels/r1/00.zip,"))
    with Repo(str(dag)) as repo, pytest.raises(DataError, match="in a circle"):
        needs_graph(repo.index)


@pytest.mark.parametrize(
    ("path", "old", "new", "changed"),
    [
        ("params.yaml", "later_rate: 1.0", "later_rate: 0.5", {"train@r1"}),
        ("data/models/r1.txt", "train", "untrained", {"train@r1", "summary"}),
        ("data/manifest.txt", "prepare", None, {"prepare"} | {f"labels@r{r}-0{s}" for r in (0, 1) for s in (0, 1)}),
        ("dvc.yaml", "train.py data/models/${key}.txt", "train.py  data/models/${key}.txt", {"train@r1"}),
        ("src/auxseg/trained.py", "anything = 2", "anything = 4", {"code"}),
        ("data/raw.yaml", "files: 0", "files: 1", {"prepare"}),
        ("data/raw.yaml", "files: 0", "files: 0", set()),  # written again as it was
    ],
)
def test_changes_are_those_of_dvc(project, monkeypatch, path, old, new, changed):
    monkeypatch.chdir(project)
    text = Path(path).read_text()
    assert old in text
    Path(path).unlink()
    if new:
        Path(path).write_text(text.replace(old, new))
    with Repo(".") as repo:
        assert set(repo.status()) == changed
        with lock_repo(repo):
            stages, known = list(networkx.dfs_postorder_nodes(needs_graph(repo.index))), {}
            assert {stage.addressing for stage in stages if is_changed(stage, {})} == changed
            assert {stage.addressing for stage in stages if is_changed(stage, known)} == changed
        assert {"data/manifest.txt", "src/auxseg"} & known.keys()  # looked at once, for all readers
