"""The real DAG with the real stages, through both engines: what runs, what does not, and to which bytes."""

import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest
import tiny

from auxseg.artifacts.archive import Archive
from auxseg.artifacts.tables import read_csv, write_csv
from auxseg.engines.progress import position_line
from auxseg.params.dag import read_params

FRESH = "Data and pipelines are up to date."
SHARDS = ("00", "01")


@pytest.fixture(scope="session")
def data(tmp_path_factory) -> Path:
    return tiny.make_data(tmp_path_factory.mktemp("photos") / "voc")


@pytest.fixture(scope="session")
def finished(tmp_path_factory, data) -> Path:
    folder = tiny.make_project(tmp_path_factory.mktemp("finished") / "project", data)
    printed = tiny.run(folder, "dvc", "repro", data=data)
    (folder / "logs/printed.txt").write_text(printed)
    return folder


@pytest.fixture
def project(tmp_path, finished) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "project", symlinks=True))


def instances(stage: str, *rounds: str) -> set[str]:
    return {f"{stage}@{name}-{shard}" for name in rounds for shard in SHARDS}


def test_every_stage_says_how_far_the_run_is(finished):
    """Where the output is a file, too: that of this run was one."""
    printed = (finished / "logs/printed.txt").read_text()
    pattern = r"^INFO: stage (\d+) of (\d+): (\S+?)(?:, (about .+?))?(?:; (about .+) left in all)?$"
    lines = re.findall(pattern, printed, re.MULTILINE)
    order = [name for name in re.findall(r"Running stage '(.+?)':", printed) if name != "code"]
    assert [address for _, _, address, _, _ in lines] == order
    assert [int(number) for number, *_ in lines] == list(range(2, len(order) + 2))
    assert {total for _, total, *_ in lines} == {str(len(order) + 1)}
    assert lines[0][2:] == ("prepare", "", "")  # nothing is known yet
    assert all(own and left for *_, own, left in lines[1:-1])
    assert lines[-1][2] == "audit" and re.fullmatch(r"about \d+ s", lines[-1][3]) and lines[-1][4] == ""


def test_dvcs_own_lock_tells_what_is_left(finished, monkeypatch):
    monkeypatch.chdir(finished)
    values = read_params()
    assert position_line(values, "audit", "").startswith("stage 26 of 26: audit, ")
    # itself, its score, review@r1, guard@r1, summary and audit
    assert position_line(values, "labels", "r1-01").startswith("stage 21 of 26: ")
    values["labels"]["saliency_threshold"] = 0.5
    assert position_line(values, "labels", "r0-00").startswith("stage 9 of 26: ")  # the other shard is to follow


def test_a_second_run_does_nothing(finished, data):
    assert tiny.status(finished) == FRESH
    assert tiny.repro(finished, data) == set()


def test_verify_finds_nothing_and_runs_stages_again_to_the_same_bytes(finished, data):
    before = tiny.hashes(finished)
    printed = tiny.run(finished, "auxseg", "verify", "--deep", "code", "labels", "score", "--seed", "3", data=data)
    assert len(re.findall(r"^  (code|labels@\S+|score@\S+): the same bytes", printed, re.MULTILINE)) == 3
    assert "every artifact is what was recorded" in printed
    assert tiny.hashes(finished) == before


def test_two_processes_give_the_classifiers_curve_of_one(project, data):
    """With the same global batch; tests/cluster has the same for `train`, on two nodes."""
    losses = []
    for devices in (1, 2):
        tiny.edit_params(project, "classify", devices=devices, dropout=0.0)  # each process draws its own dropout
        tiny.run(project, "python", "workflow/stages/classify.py", data=data)
        losses.append([float(row["loss"]) for row in read_csv(project / "data/curves/r0.csv")])
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)


def test_dvc_shows_metrics_and_plots(finished):
    printed = json.loads(tiny.run(finished, "dvc", "metrics", "show", "--json"))[""]["data"]
    shown = {path: metrics["data"] for path, metrics in printed.items()}
    files = ("data/metrics/classifier.json", "data/summary/metrics.json")
    assert shown == {path: json.loads((finished / path).read_text()) for path in files}
    assert shown["data/summary/metrics.json"]["miou"]["r1"]["labels"] >= 0

    plots = tiny.shown_plots(finished)
    classes = {"background", *tiny.PARAMS["data"]["classes"]}
    assert {row["round"] for row in plots["mIoU by round"]} == {"r0", "r1"}
    assert {row["class"] for row in plots["IoU by class, labels of the last round"]} == classes
    assert {row["class"] for row in plots["IoU by class, model of the last round"]} == classes
    for name in ("r0", "r1"):
        assert all(float(row["loss"]) > 0 for row in plots[f"data/curves/{name}.csv"])


@pytest.mark.nightly  # every day: test_kills.py, whose last run of Snakemake has the bytes of DVC's
def test_snakemake_from_scratch_gives_the_same_bytes_and_leaves_dvc_clean(tmp_path, finished, data):
    other = tiny.make_project(tmp_path / "other", data)
    tiny.run(other, "snakemake", "--cores", "2", data=data)
    assert tiny.hashes(other) == tiny.hashes(finished)
    assert tiny.status(other) == FRESH
    assert "Nothing to be done" in tiny.run(other, "snakemake", "-n", data=data)


@pytest.mark.nightly
def test_threads_and_another_backbone_give_the_same_bytes_twice(tmp_path, data):
    folders = [tiny.make_project(tmp_path / name, data) for name in ("one", "two")]
    for folder in folders:
        tiny.edit_params(folder, "runtime", threads=2)
        tiny.edit_params(folder, "backbone", name="efficientnet_lite0", weights="imagenet")
        tiny.repro(folder, data)
    first, second = map(tiny.hashes, folders)
    assert first == second
    assert {"data/models/r1.safetensors", "data/predictions/r1.zip"} <= first.keys()


def test_another_place_for_the_images_changes_nothing(tmp_path, finished, data):
    elsewhere = Path(shutil.copytree(data, tmp_path / "elsewhere"))
    assert tiny.repro(finished, elsewhere) == set()


def test_adding_a_round_runs_nothing_older(project, data):
    tiny.auxseg(project, "rounds", "2")
    new = {"train@r2", "review@r2", "guard@r2", "evaluate@r2"}
    new |= instances("propagate", "r2") | instances("labels", "r2") | instances("score", "r2")
    assert tiny.stale(project) == new
    first = {"train@r2", "evaluate@r2"}
    assert tiny.repro(project, data, *first) == first
    assert tiny.stale(project) == (new - first) | {"summary", "audit"}


def test_a_crf_value_runs_labels_and_what_follows_and_comes_back_from_the_cache(project, data):
    before, params = tiny.hashes(project), (project / "params.yaml").read_text()
    # 40 is the strength of the bilateral kernel: enough to change some pixel of a saliency label
    tiny.edit_params(project, "labels", saliency_crf={"iterations": 3, "bilateral_compat": 40.0})
    executed = tiny.repro(project, data, "train@r1", *instances("labels", "r1"))
    assert executed == instances("labels", "r0", "r1") | {"baseline"}  # the labels of r0 come out as before
    assert tiny.hashes(project) != before
    assert tiny.stale(project) <= instances("score", "r1") | {"review@r1", "guard@r1", "summary", "audit"}

    (project / "params.yaml").write_text(params)
    assert tiny.repro(project, data) == set()
    assert tiny.hashes(project) == before


def test_a_fusion_threshold_runs_labels_and_what_follows_and_nothing_before(project, data):
    tiny.edit_params(project, "labels", saliency_threshold=0.5)
    first = instances("labels", "r0") | {"review@r0"}
    assert tiny.repro(project, data, *first) == first
    follows = {"baseline", "train@r1", "guard@r1", "audit"}
    assert tiny.stale(project) == follows | instances("score", "r0") | instances("labels", "r1")


def test_docstrings_and_an_unrelated_module_run_the_code_stage_only(project, data):
    for path in ("src/auxseg/training/loop.py", "workflow/stages/train.py"):
        source = project / path
        source.write_text(source.read_text().replace('"""', '"""Reworded. ', 1) + "\n# a comment\n")
    (project / "src/auxseg/unrelated.py").write_text("answer = 42\n")
    assert tiny.repro(project, data) == {"code"}


def with_a_new_image(data, root, split):
    """Copy the data set, with one image more, a copy of the first one of `split`."""
    shutil.copytree(data, root)
    first = f"{split}00000"
    shutil.copy(root / f"JPEGImages/{first}.jpg", root / "JPEGImages/new.jpg")
    shutil.copy(root / f"SegmentationClass/{first}.png", root / "SegmentationClass/new.png")
    with (root / f"ImageSets/Segmentation/{split}.txt").open("a") as stream:
        stream.write("new\n")
    tags = root / "image_labels.csv"
    row = next(line for line in tags.read_text().splitlines() if line.startswith(f"{first},"))
    tags.write_text(tags.read_text() + row.replace(first, "new") + "\n")
    return root


def test_a_new_image_leaves_the_other_shard_fresh(tmp_path, project, data):
    root = with_a_new_image(data, tmp_path / "more", "train")
    tiny.auxseg(project, "scan", data=root)
    executed = tiny.repro(project, root, *(f"saliency@{shard}" for shard in SHARDS))
    assert "prepare" in executed
    assert len(executed - {"prepare"}) == 1


def test_a_new_val_image_trains_nothing(tmp_path, project, data):
    root = with_a_new_image(data, tmp_path / "more", "val")
    tiny.auxseg(project, "scan", data=root)
    executed = {name.partition("@")[0] for name in tiny.repro(project, root)}
    assert executed == {
        *("prepare", "saliency", "tag_score", "labels", "baseline", "score"),
        *("propagate", "guard", "evaluate", "summary", "audit"),
    }
    assert "new.png" in Archive(project / "data/predictions/r1.zip")


def test_without_masks_only_the_figures_are_absent(tmp_path, project, data):
    root = Path(shutil.copytree(data, tmp_path / "unmasked"))
    shutil.rmtree(root / "SegmentationClass")
    tiny.auxseg(project, "scan", data=root)
    labels = {name: value for name, value in tiny.hashes(project).items() if name.startswith("data/labels")}

    executed = tiny.repro(project, root)

    stages = {name.partition("@")[0] for name in executed}
    assert stages == {"prepare", "score", "evaluate", "summary", "audit"}
    after = tiny.hashes(project)
    assert {name: after[name] for name in labels} == labels
    assert "labels" not in (project / "data/summary/rounds.csv").read_text()
    assert "val_mean_average_precision" in tiny.run(project, "dvc", "metrics", "show")
    assert tiny.shown_plots(project)["data/curves/r1.csv"]


def judge(project, shard, **cells):
    """Import a verdict on the first label of a shard; return the image."""
    name, content = next(iter(Archive(project / f"data/labels/{cells['round']}/{shard}.zip").items()))
    row = {
        "image_id": name.removesuffix(".png"),
        "label_hash": hashlib.sha256(content).hexdigest(),
        "verdict": "accept",
        "drop_classes": "",
        "note": "",
        "reviewer": "me",
        "date": "2026-01-01T12:00:00Z",
        **cells,
    }
    write_csv(project / "exported.csv", list(row), [list(row.values())])
    tiny.auxseg(project, "verdicts", "import", "exported.csv")
    return row["image_id"]


def test_a_rejection_changes_the_next_round_and_only_what_depends_on_it(project, data):
    before = tiny.hashes(project)
    image = judge(project, "00", round="r0", verdict="reject", note="blurred")

    executed = tiny.repro(project, data)

    retrained = {"review@r0", "train@r1", "evaluate@r1"} | instances("propagate", "r1")
    follows = {"review@r1", "guard@r1", "summary", "audit"} | instances("labels", "r1") | instances("score", "r1")
    assert retrained <= executed <= retrained | follows
    after = tiny.hashes(project)
    changed = {path for path in after if after[path] != before.get(path)}
    assert {"data/review/r0.csv", "data/models/r1.safetensors", "data/maps/r1/00.safetensors"} <= changed
    assert not {path for path in changed if "r0" in path} - {"data/review/r0.csv"}
    assert f"{image},leave_out," in (project / "data/review/r0.csv").read_text().splitlines()
    assert tiny.status(project) == FRESH


def test_other_rounds_verdicts_and_stale_ones_retrain_nothing(project, data):
    before = tiny.hashes(project)
    dropped = tiny.PARAMS["data"]["classes"][0]
    image = judge(project, "01", round="r1", drop_classes=dropped)
    stale = judge(project, "00", round="r0", verdict="reject", label_hash="0" * 64)

    assert tiny.repro(project, data) - {"audit"} == {"review@r0", "review@r1"}

    assert f"{image},train,{dropped}" in (project / "data/review/r1.csv").read_text().splitlines()
    assert tiny.hashes(project)["data/review/r0.csv"] == before["data/review/r0.csv"]
    assert stale in (project / "data/review/r0.stale.csv").read_text()
    assert f"stale: r0 {stale}: me reject" in tiny.auxseg(project, "verdicts", "status")


def correct(project, data, image):
    """Correct a label of r0 as a person does: export it, draw a polygon in labelme, import it; return the project."""
    (project / "ids.txt").write_text(image + "\n")
    command = ("corrections", "export", "--round", "r0", "--images", "ids.txt", "--to", "drawn")
    tiny.auxseg(project, *command, data=data)
    path = project / f"drawn/{image}.json"
    content = json.loads(path.read_text())
    points = [[1, 1], [40, 1], [40, 40], [1, 40]]
    content["shapes"].append({"label": tiny.PARAMS["data"]["classes"][0], "points": points, "shape_type": "polygon"})
    path.write_text(json.dumps(content))
    tiny.auxseg(project, "corrections", "import", "drawn", "--round", "r0", data=data)


def test_a_correction_changes_the_next_round_and_only_what_depends_on_it(project, data):
    before = tiny.hashes(project)
    image = next(iter(Archive(project / "data/labels/r0/00.zip"))).removesuffix(".png")
    correct(project, data, image)
    assert tiny.stale(project) == {"review@r0", "review@r1"}

    executed = tiny.repro(project, data, "train@r1", "propagate@r1-00")
    executed |= tiny.repro(project, data, "--single-item", "review@r1")

    assert executed == {"review@r0", "review@r1", "train@r1", "propagate@r1-00"}
    assert tiny.stale(project) >= {"labels@r1-00", "propagate@r1-01", "evaluate@r1", "guard@r1", "summary", "audit"}
    after = tiny.hashes(project)
    changed = {path for path in after if after[path] != before.get(path)}
    assert {"data/corrections/r0.zip", "data/models/r1.safetensors", "data/maps/r1/00.safetensors"} <= changed
    older = {path for path in changed if "r0" in path}
    assert older == {"data/corrections/r0.zip", "data/review/r0.csv"}
    assert f"{image},corrected," in (project / "data/review/r0.csv").read_text().splitlines()
    assert list(Archive(project / "data/corrections/r1.zip")) == [f"{image}.png"]  # for good


def test_a_correction_of_the_last_round_retrains_nothing(project, data):
    image = next(iter(Archive(project / "data/labels/r1/00.zip")))
    image_id, path = image.removesuffix(".png"), project / "review/corrections/r1" / image
    path.parent.mkdir()
    path.write_bytes(Archive(project / "data/labels/r1/00.zip")[image])
    digest = {row["id"]: row["sha256"] for row in read_csv(project / "data/manifest/train/00.csv")}[image_id]
    names = ";".join(f"{index}={name}" for index, name in enumerate(tiny.PARAMS["data"]["classes"], 1))
    with (project / "review/corrections/corrections.csv").open("a") as stream:
        stream.write(f"{image_id},r1,{names},{digest},labelme,me,2026-01-01T12:00:00Z\n")

    assert tiny.repro(project, data) == {"review@r0", "review@r1", "summary", "audit"}

    train = len(read_csv(project / "data/review/r1.csv"))
    rows = read_csv(project / "data/summary/corrections.csv")
    assert [(row["round"], row["corrected"], row["images"]) for row in rows] == [("r1", "1", str(train))]
    assert "by hand" not in tiny.auxseg(project, "table")  # no network is trained on the labels of the last round
    assert tiny.status(project) == FRESH


def test_bad_params_stop_before_anything_is_written(project, data):
    before = tiny.hashes(project)
    tiny.edit_params(project, "labels", cam_treshold=0.3)
    printed = tiny.run(project, "dvc", "repro", "labels@r0-00", data=data, code=255)
    assert "unknown key 'labels.cam_treshold'; did you mean 'cam_threshold'?" in printed
    after = tiny.hashes(project)
    assert not set(after) - set(before)
