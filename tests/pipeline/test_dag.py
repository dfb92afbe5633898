"""The real dvc.yaml, as DVC resolves it: instances, declarations, and that no mask leads to a model."""

import shutil
import subprocess
import sys
from pathlib import Path

import networkx
import pytest
import yaml

from auxseg.engines.dvc_internals import Repo
from auxseg.params.dag import chain, shard_names
from auxseg.params.presets import read_preset
from auxseg.pipeline.declaration import declared
from auxseg.pipeline.fingerprint import Fingerprints
from auxseg.pipeline.instances import instances, outputs

ROOT = Path(__file__).resolve().parents[2]

TRAINS = {"classify", "cam", "labels", "review", "train"}
LEADS_TO_A_MODEL = TRAINS | {"saliency", "tag_score", "baseline", "guard", "propagate"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The real dvc.yaml and params.yaml with 3 rounds and 2 shards, alone in a DVC project."""
    folder = tmp_path_factory.mktemp("dag")
    shutil.copy(ROOT / "dvc.yaml", folder)
    values = read_preset(ROOT / "params/presets/demo.yaml")
    values["rounds"], values["label_rounds"] = chain(3)
    values["shards"] = shard_names(2)
    (folder / "params.yaml").write_text(yaml.safe_dump(values))
    Repo.init(str(folder), no_scm=True).close()
    return folder


@pytest.fixture(scope="module")
def repo(folder):
    with Repo(str(folder)) as repo:
        yield repo


@pytest.fixture(scope="module")
def values(folder):
    return yaml.safe_load((folder / "params.yaml").read_text())


def expected_addresses() -> set[str]:
    shards, trained, labelled = ["00", "01"], ["r1", "r2", "r3"], ["r0", "r1", "r2", "r3"]
    return (
        {"code", "prepare", "classify", "tag_score", "baseline", "summary", "audit"}
        | {f"{stage}@{shard}" for stage in ("saliency", "cam") for shard in shards}
        | {f"{stage}@{r}-{shard}" for stage in ("labels", "score") for r in labelled for shard in shards}
        | {f"propagate@{r}-{shard}" for r in trained for shard in shards}
        | {f"review@{r}" for r in labelled}
        | {f"{stage}@{r}" for stage in ("train", "evaluate", "guard") for r in trained}
    )


def test_dvc_lists_the_expected_instances(folder, values):
    command = [sys.executable, "-m", "dvc", "stage", "list", "--name-only"]
    listed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.split()
    assert sorted(listed) == sorted(expected_addresses())
    assert sorted(one.address for one in instances(values, folder / "dvc.yaml")) == sorted(listed)


def test_declarations_agree_with_dvc(folder, repo, values):
    stages = {stage.name: stage for stage in repo.index.stages}
    for one in instances(values, folder / "dvc.yaml"):
        stage, found = stages[one.address], declared(one.stage, one.template, folder / "dvc.yaml")
        files = {dep.def_path for dep in stage.deps if dep.def_path != "params.yaml"}
        params = {name for dep in stage.deps if dep.def_path == "params.yaml" for name in dep.params}
        assert found.inputs == files, one.address
        assert found.outputs == {out.def_path for out in stage.outs}, one.address
        assert found.sections == params, one.address
    assert outputs(values, folder / "dvc.yaml") == {out.def_path for out in repo.index.outs}


def test_no_mask_leads_to_a_model(repo):
    graph = repo.index.graph
    readers = {stage for stage in repo.index.stages for dep in stage.deps if dep.def_path.startswith("data/masks")}
    assert {stage.name.partition("@")[0] for stage in readers} == {"score", "evaluate", "audit"}
    # DVC's edges lead from a stage to what it needs; `prepare` writes the masks beside the manifest
    for reader in readers:
        after = {stage.name.partition("@")[0] for stage in networkx.ancestors(graph, reader)}
        assert not after & LEADS_TO_A_MODEL, reader.name
    # nothing that leads to a model reads a folder that holds the masks, or a file of such a reader
    written = {out.def_path for stage in readers for out in stage.outs} | {"data/masks"}
    for stage in repo.index.stages:
        if stage.name.partition("@")[0] in LEADS_TO_A_MODEL:
            for dep in stage.deps:
                assert not any(
                    path == dep.def_path or path.startswith(dep.def_path + "/") or dep.def_path.startswith(path + "/")
                    for path in written
                ), (stage.name, dep.def_path)


def test_nothing_is_trained_again_for_a_val_image(repo):
    """`saliency` and `propagate` read both splits, but what they make of training images stays the same."""
    for stage in repo.index.stages:
        if stage.name.partition("@")[0] in TRAINS:
            for dep in stage.deps:
                assert not f"{dep.def_path}/".startswith("data/manifest/val/"), stage.name
                assert dep.def_path != "data/manifest", stage.name


def test_what_contradicts_is_read_by_the_report_alone(repo):
    """`prepare` has seen the masks; what it found in them must not reach a training either."""
    readers = {
        stage.name for stage in repo.index.stages for dep in stage.deps if dep.def_path == "data/contradictions.json"
    }
    assert readers == {"audit"}
    writers = [stage for stage in repo.index.stages for out in stage.outs if out.def_path == "data/contradictions.json"]
    assert [stage.name for stage in writers] == ["prepare"]


def test_no_code_that_leads_to_a_model_can_read_a_mask():
    """Every stage is given the data root, so what it imports counts, not only what it declares."""
    code = Fingerprints(ROOT)
    readers = {
        path.stem
        for path in (ROOT / "workflow/stages").glob("*.py")
        if "auxseg.datasets.masks" in code.closure(path.stem)
    }
    assert readers == {"prepare", "score", "evaluate", "audit"}


def test_a_masks_path_would_be_seen(folder, tmp_path):
    # the proof above fails when somebody lets training read a file of masks
    text = (folder / "dvc.yaml").read_text()
    target = tmp_path / "project"
    target.mkdir()
    code_part, train_part = text.split("  train:\n", 1)
    train_part = train_part.replace("- data/code/train.txt\n", "- data/code/train.txt\n        - data/masks\n", 1)
    (target / "dvc.yaml").write_text(code_part + "  train:\n" + train_part)
    shutil.copy(folder / "params.yaml", target)
    Repo.init(str(target), no_scm=True).close()
    with Repo(str(target)) as repo, pytest.raises(AssertionError, match="'train'"):
        test_no_mask_leads_to_a_model(repo)


def test_no_stage_lists_what_shapes_the_dag(repo):
    for stage in repo.index.stages:
        params = {name for dep in stage.deps if dep.def_path == "params.yaml" for name in dep.params}
        assert not params & {"rounds", "label_rounds"}, stage.name
        assert "shards" not in params or stage.name == "prepare"


def test_every_stage_says_what_it_needs_and_has_a_fingerprint(folder, repo):
    body = yaml.safe_load((folder / "dvc.yaml").read_text())["stages"]
    assert {f"data/code/{name}.txt" for name in body if name != "code"} == declared(
        "code", {}, folder / "dvc.yaml"
    ).outputs
    for stage in repo.index.stages:
        assert {"cpus", "mem_mb", "runtime"} <= set(stage.meta), stage.name
        name = stage.name.partition("@")[0]
        if name != "code":
            fingerprints = {dep.def_path for dep in stage.deps if dep.def_path.startswith("data/code/")}
            assert fingerprints == {f"data/code/{name}.txt"}


def test_dvc_rejects_integer_round_names(folder, tmp_path):
    target = tmp_path / "project"
    shutil.copytree(folder, target)
    values = yaml.safe_load((target / "params.yaml").read_text())
    values["rounds"] = {1: 0, 2: 1}
    (target / "params.yaml").write_text(yaml.safe_dump(values))
    command = [sys.executable, "-m", "dvc", "repro", "--dry"]
    result = subprocess.run(command, cwd=target, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "rounds.r1" in result.stderr
