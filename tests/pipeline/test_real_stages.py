"""The real DAG with the real stages, through both engines: what runs, what does not, and to which bytes."""

import hashlib
import re
import shutil
from pathlib import Path

import pytest
import tiny

from auxseg.artifacts.archive import Archive

FRESH = "Data and pipelines are up to date."
SHARDS = ("00", "01")


@pytest.fixture(scope="session")
def data(tmp_path_factory) -> Path:
    return tiny.make_data(tmp_path_factory.mktemp("photos") / "voc")


@pytest.fixture(scope="session")
def finished(tmp_path_factory, data) -> Path:
    folder = tiny.make_project(tmp_path_factory.mktemp("finished") / "project")
    tiny.repro(folder, data)
    return folder


@pytest.fixture
def project(tmp_path, finished) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "project", symlinks=True))


def instances(stage: str, *rounds: str) -> set[str]:
    return {f"{stage}@{name}-{shard}" for name in rounds for shard in SHARDS}


def test_a_second_run_does_nothing(finished, data):
    assert tiny.status(finished) == FRESH
    assert tiny.repro(finished, data) == set()


def test_snakemake_from_scratch_gives_the_same_bytes_and_leaves_dvc_clean(tmp_path, finished, data):
    other = tiny.make_project(tmp_path / "other")
    tiny.run(other, "snakemake", "--cores", "2", data=data)
    assert tiny.hashes(other) == tiny.hashes(finished)
    assert tiny.status(other) == FRESH
    assert "Nothing to be done" in tiny.run(other, "snakemake", "-n", data=data)


def test_another_place_for_the_photographs_changes_nothing(tmp_path, finished, data):
    elsewhere = Path(shutil.copytree(data, tmp_path / "elsewhere"))
    assert tiny.repro(finished, elsewhere) == set()


def test_adding_a_round_runs_nothing_older(project, data):
    tiny.run(project, "auxseg", "rounds", "2")
    expected = {"train@r2", "review@r2", "evaluate@r2", "summary", "audit"}
    expected |= instances("propagate", "r2") | instances("labels", "r2") | instances("score", "r2")
    assert tiny.repro(project, data) == expected


def test_a_crf_value_runs_labels_and_what_follows_and_comes_back_from_the_cache(project, data):
    before, params = tiny.hashes(project), (project / "params.yaml").read_text()
    # 40 is the strength of the bilateral kernel: enough to change some pixel of a saliency label
    tiny.edit_params(project, "labels", saliency_crf={"iterations": 3, "bilateral_compat": 40.0})
    executed = tiny.repro(project, data)
    assert instances("labels", "r0", "r1") <= executed
    allowed = instances("labels", "r0", "r1") | instances("score", "r1") | {"review@r1", "summary", "audit"}
    assert executed <= allowed
    assert tiny.hashes(project) != before

    (project / "params.yaml").write_text(params)
    assert tiny.repro(project, data) == set()
    assert tiny.hashes(project) == before


def test_a_fusion_threshold_leaves_networks_of_the_same_labels_alone(project, data):
    tiny.edit_params(project, "labels", cam_threshold=0.3)
    executed = tiny.repro(project, data, *instances("labels", "r0"), "review@r0")
    assert executed <= instances("labels", "r0") | {"review@r0"}
    assert not any(stage.startswith(("saliency", "classify", "cam", "prepare")) for stage in executed)


@pytest.mark.parametrize("path", ["src/auxseg/training/loop.py", "workflow/stages/train.py"])
def test_a_docstring_runs_the_code_stage_only(project, data, path):
    source = project / path
    source.write_text(source.read_text().replace('"""', '"""Reworded. ', 1) + "\n# a comment\n")
    assert tiny.repro(project, data) == {"code"}


def test_an_unrelated_module_runs_the_code_stage_only(project, data):
    (project / "src/auxseg/unrelated.py").write_text("answer = 42\n")
    assert tiny.repro(project, data) == {"code"}


def test_a_new_photograph_leaves_the_other_shard_fresh(tmp_path, project, data):
    root = Path(shutil.copytree(data, tmp_path / "more"))
    shutil.copy(root / "JPEGImages/train00000.jpg", root / "JPEGImages/new.jpg")
    shutil.copy(root / "SegmentationClass/train00000.png", root / "SegmentationClass/new.png")
    with (root / "ImageSets/Segmentation/train.txt").open("a") as stream:
        stream.write("new\n")
    labels = root / "image_labels.csv"
    row = next(line for line in labels.read_text().splitlines() if line.startswith("train00000,"))
    labels.write_text(labels.read_text() + row.replace("train00000", "new") + "\n")

    tiny.run(project, "auxseg", "scan", data=root)
    executed = tiny.repro(project, root, *(f"saliency@{shard}" for shard in SHARDS))
    assert "prepare" in executed
    assert len(executed - {"prepare"}) == 1


def test_without_masks_only_the_figures_are_absent(tmp_path, project, data):
    root = Path(shutil.copytree(data, tmp_path / "unmasked"))
    shutil.rmtree(root / "SegmentationClass")
    tiny.run(project, "auxseg", "scan", data=root)
    labels = {name: value for name, value in tiny.hashes(project).items() if name.startswith("data/labels")}

    executed = tiny.repro(project, root)

    stages = {name.partition("@")[0] for name in executed}
    assert stages == {"prepare", "score", "evaluate", "summary", "audit"}
    after = tiny.hashes(project)
    assert {name: after[name] for name in labels} == labels
    assert "labels" not in (project / "data/summary/rounds.csv").read_text()


def test_a_rejection_reaches_the_next_training_and_nothing_else(project, data):
    name, content = next(iter(Archive(project / "data/labels/r0/00.zip").items()))
    row = f"{name.removesuffix('.png')},{hashlib.sha256(content).hexdigest()},r0,reject,blurred,me,2026-01-01\n"
    with (project / "review/verdicts.csv").open("a") as stream:
        stream.write(row)
    assert tiny.repro(project, data, "--single-item", "review@r0", "review@r1") == {"review@r0", "review@r1"}
    report = tiny.status(project)
    changed = set(re.findall(r"^(\S+):$", report, re.MULTILINE))
    assert changed == {"train@r1"}


def test_bad_params_stop_before_anything_is_written(project, data):
    before = tiny.hashes(project)
    tiny.edit_params(project, "labels", cam_treshold=0.3)
    printed = tiny.run(project, "dvc", "repro", "labels@r0-00", data=data, code=255)
    assert "unknown key 'labels.cam_treshold'; did you mean 'cam_threshold'?" in printed
    after = tiny.hashes(project)
    assert not set(after) - set(before)
