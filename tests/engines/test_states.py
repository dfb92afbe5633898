"""What the plan finds out about stage instances is what DVC would say."""

import hashlib
import shutil
from pathlib import Path

import pytest
import yaml

from auxseg.engines.dvc_internals import Repo, lock_repo
from auxseg.engines.plan import make_plan
from auxseg.engines.receipts import read_params_file
from auxseg.engines.restore import needed_stages
from auxseg.engines.states import check_cached, is_changed
from auxseg.errors import DataError
from auxseg.params.dag import chain, shard_names
from auxseg.params.presets import read_preset

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def dag(tmp_path):
    """The real dvc.yaml with 2 rounds and 3 shards, alone in a DVC project."""
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    values = read_preset(ROOT / "params/presets/demo.yaml")
    values["rounds"], values["label_rounds"] = chain(2)
    values["shards"] = shard_names(3)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(values))
    Repo.init(str(tmp_path), no_scm=True).close()
    return tmp_path


def test_graph_is_that_of_dvc(dag):
    with Repo(str(dag)) as repo:
        needed, expected = needed_stages(repo.index.stages), repo.index.graph
        assert set(needed) == set(expected.nodes)
        assert {(stage, one) for stage, above in needed.items() for one in above} == set(expected.edges)
        assert expected.number_of_edges() > 100
        order = {stage: position for position, stage in enumerate(needed)}
        assert all(order[stage] > order[one] for stage, above in needed.items() for one in above)


def test_a_cycle_is_one_line(dag, monkeypatch):
    monkeypatch.chdir(dag)
    path = dag / "dvc.yaml"
    path.write_text(path.read_text().replace("deps: [data/code/prepare.txt,", "deps: [data/labels/r1/00.zip,"))
    with pytest.raises(DataError, match=r"in a cycle: .*labels@r1-00 -> prepare") as error:
        make_plan(dry=True)
    assert "\n" not in str(error.value)


def test_two_writers_of_a_file_are_one_line(dag, monkeypatch):
    monkeypatch.chdir(dag)
    path = dag / "dvc.yaml"
    path.write_text(path.read_text().replace("outs: [data/manifest, data/masks,", "outs: [data/manifest, data/audit,"))
    with pytest.raises(DataError, match=r"DVC: output 'data/audit' is specified in") as error:
        make_plan(dry=True)
    assert "\n" not in str(error.value)


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
            params = read_params_file()
            assert {stage.addressing for stage in repo.index.stages if is_changed(stage, params, {})} == changed


def test_a_section_that_is_gone_is_a_change(project, monkeypatch):
    monkeypatch.chdir(project)
    values = yaml.safe_load(Path("params.yaml").read_text())
    del values["train"]
    Path("params.yaml").write_text(yaml.safe_dump(values))
    with Repo(".") as repo, lock_repo(repo):
        params = read_params_file()
        assert {stage.addressing for stage in repo.index.stages if is_changed(stage, params, {})} == {"train@r1"}


def test_only_cached_files_may_be_removed(project, monkeypatch):
    monkeypatch.chdir(project)
    model, label = Path("data/models/r1.txt"), Path("data/labels/r1/00.zip")
    check_cached([model, label])
    label.unlink()
    label.write_text("something that DVC has never seen\n")
    with pytest.raises(DataError, match=r"^data/labels/r1/00\.zip: would be removed, but no finished run has put it"):
        check_cached([model, label])


def test_fingerprints_are_taken_as_written(project, monkeypatch):
    monkeypatch.chdir(project)
    path = Path("data/code/train.txt")
    written = hashlib.md5(path.read_bytes()).hexdigest()
    with Repo(".") as repo, lock_repo(repo):
        train = next(stage for stage in repo.index.stages if stage.addressing == "train@r1")
        params = read_params_file()
        assert is_changed(train, params, {str(path): "0" * 32})
        path.write_text("other\n")
        assert is_changed(train, params, {})
        assert not is_changed(train, params, {str(path): written})


def test_numbers_are_read_as_dvc_reads_them(project, monkeypatch):
    monkeypatch.chdir(project)
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text.replace("prior_weight: 0.5", "prior_weight: 5e-1"))
    with Repo(".") as repo, lock_repo(repo):
        assert repo.status() == {}
        assert not any(is_changed(stage, read_params_file(), {}) for stage in repo.index.stages)
