"""The stages `score` and `summary` on small artifacts: tables with and without masks, against the files themselves."""

import shutil
from collections import Counter
from pathlib import Path

import default_params
import numpy as np
import pyarrow.parquet
import pytest
import report_data
from PIL import Image

from auxseg.artifacts.archive import Archive
from auxseg.artifacts.tables import read_csv
from auxseg.datasets.manifest import read_mask_list
from auxseg.encoded import decode_indices
from auxseg.metrics.saliency import SaliencyMeasures
from auxseg.metrics.segmentation import Counts
from auxseg.metrics.tables import write_counts
from auxseg.pipeline.stage import Stage

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = ("r0", "r1", "r2")
HEIGHT, WIDTH = SIZE = (60, 90)
NAMES = report_data.CLASSES.with_background


@pytest.fixture(scope="module", params=[True, False], ids=["masks", "no masks"])
def project(request, tmp_path_factory, load_stage):
    """A project in which both stages ran; the current folder."""
    folder = tmp_path_factory.mktemp("tables")
    report_data.make(folder, masks=request.param, size=SIZE)
    shutil.copy(ROOT / "dvc.yaml", folder)
    (folder / "params.yaml").write_text(default_params.TEXT)
    (folder / "data/evaluate").mkdir()
    shutil.rmtree(folder / "data/summary")
    patch = pytest.MonkeyPatch()
    patch.chdir(folder)
    patch.setenv("AUXSEG_DATA", str(folder / "raw"))
    for name in ROUNDS:
        for shard in report_data.SHARDS:
            load_stage("score").main(Stage("score", name, shard))
    load_stage("summary").main(Stage("summary"))
    yield request.param
    patch.undo()


def table(name):
    return read_csv(Path(f"data/summary/{name}.csv"))


def labels(round_name):
    return {
        name: decode_indices(content)
        for shard in report_data.SHARDS
        for name, content in Archive(Path(f"data/labels/{round_name}/{shard}.zip")).items()
    }


def test_pixels_of_every_class_and_ignored_share(project):
    rows = {(row["round"], row["class"]): row for row in table("labels")}
    assert {name for name, _ in rows} == set(ROUNDS)
    for name in ROUNDS:
        pixels = Counter()
        for label in labels(name).values():
            pixels.update(label.reshape(-1).tolist())
        assert [int(rows[name, class_name]["pixels"]) for class_name in NAMES] == [
            pixels[index] for index in range(len(NAMES))
        ]
        share = 100 * pixels[255] / sum(pixels.values())
        assert float(rows[name, "all"]["ignore_share"]) == pytest.approx(share, rel=1e-5)


def test_scores_where_there_are_masks(project):
    rows = [row for row in table("labels") if row["class"] == "all"]
    assert [bool(row["iou"]) for row in rows] == [project] * 3
    if project:
        miou = {row["round"]: row["miou"] for row in table("rounds") if row["what"] == "labels"}
        assert {row["round"]: row["iou"] for row in rows} == miou
    else:
        assert [table(name) for name in ("rounds", "confusion", "saliency")] == [[], [], []]


def test_confusion_adds_up_to_the_masks(project):
    if not project:
        pytest.skip("needs masks")
    truth = Counter()
    for path in Path("raw").glob("mask-train*.png"):
        truth.update(np.asarray(Image.open(path)).reshape(-1).tolist())
    for name in ROUNDS:
        rows = [row for row in table("confusion") if row["round"] == name]
        for index, class_name in enumerate(NAMES):
            cells = [row for row in rows if row["mask"] == class_name]
            assert sum(int(row["pixels"]) for row in cells) == truth[index]
            assert sum(float(row["share"]) for row in cells) == pytest.approx(100 if cells else 0, abs=0.01)


def test_saliency_of_all_shards_together(project):
    if not project:
        pytest.skip("needs masks")
    measures = SaliencyMeasures()
    for shard in report_data.SHARDS:
        masks = read_mask_list([Path(f"data/masks/{shard}.csv")])
        for name, content in Archive(Path(f"data/saliency/{shard}.zip")).items():
            path = Path("raw") / masks[name.removesuffix(".png")]
            if "train" in path.name:
                measures.add(decode_indices(content), np.asarray(Image.open(path)))
    prior, *later = table("saliency")
    assert (prior["round"], prior["what"], int(prior["images"])) == ("r0", "prior", measures.images)
    for name, value in measures.figures().items():
        assert float(prior[name]) == pytest.approx(value, rel=1e-5)
    assert [row["what"] for row in later] == ["saliency label"] * 2


def test_confidence_counts_every_position(project):
    rows = table("confidence")
    found = {(row["round"], row["measure"]) for row in rows}
    assert found == {(name, "cam") for name in ROUNDS} | {(name, "confidence") for name in ROUNDS[1:]}
    for key in found:
        images = 4 if key[1] == "cam" else 5  # a negative has no CAM
        positions = images * (HEIGHT // 8) * (WIDTH // 8)
        own = [int(row["count"]) for row in rows if (row["round"], row["measure"]) == key]
        assert sum(own) == positions
    assert len(table("last_confidence")) == 20


def test_parquet_holds_the_same_rows(project):
    read = pyarrow.parquet.read_table("data/summary/labels.parquet").to_pylist()
    rows = table("labels")
    assert len(read) == len(rows)
    for one, other in zip(read, rows, strict=True):
        assert one.keys() == other.keys()
        assert (one["round"], one["class"], one["pixels"]) == (other["round"], other["class"], int(other["pixels"]))
        assert (one["iou"] is None) == (other["iou"] == "")
    images = pyarrow.parquet.read_table("data/summary/images.parquet").to_pylist()
    assert {row["round"] for row in images} == set(ROUNDS)
    sizes = Counter()
    for row in images:
        sizes[row["round"], row["image_id"]] += row["pixels"]
    assert set(sizes.values()) == {HEIGHT * WIDTH} and len(sizes) == 15


def test_the_same_bytes_again(project, load_stage):
    files = sorted(
        path for folder in ("summary", "score") for path in Path("data", folder).rglob("*") if path.is_file()
    )
    before = {path: path.read_bytes() for path in files}
    load_stage("score").main(Stage("score", "r1", "00"))
    load_stage("summary").main(Stage("summary"))
    assert {path: path.read_bytes() for path in files} == before


def test_masks_on_val_alone_and_what_a_killed_stage_left(project, load_stage, tmp_path, monkeypatch):
    if project:
        pytest.skip("needs a project without masks")
    shutil.copytree(Path(), tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    counts = Counts.of(np.array([[0, 1]], np.uint8), np.array([[0, 1]], np.uint8), len(report_data.CLASSES))
    write_counts(Path("data/evaluate/r2.csv"), {"model+ms+crf": counts})
    for left in ("data/evaluate/.tmp-7-r1.csv", "data/score/counts/.tmp-7-r1", "data/score/.DS_Store"):
        Path(left).touch()
    load_stage("summary").main(Stage("summary"))
    rows = table("last_round")
    assert [row["class"] for row in rows] == list(NAMES)
    assert [(row["labels"], row["model+ms+crf"]) for row in rows[:2]] == [("", "100")] * 2
