"""What the stage `score` writes for one shard: files by hand, of one image of 2 x 2 pixels."""

import numpy as np
import pytest

from auxseg.datasets.manifest import ClassTable, ImageRecord
from auxseg.metrics.scores import CAM_THRESHOLDS, Scores, strongest_class

MASK = np.array([[2, 1], [0, 255]], np.uint8)
LABEL = np.array([[2, 255], [1, 0]], np.uint8)
DOG, CAT = [[0.5, 0.75], [0, 0.125]], [[0.25, 0.875], [0, 0.125]]
CAM = np.array([DOG, CAT], np.float16)


def record(*tags):
    return ImageRecord("a", "a.jpg", 2, 2, "train", tags, "")


@pytest.fixture
def files(tmp_path):
    """Return kind -> lines of what scores write, without the header."""

    def write(fill):
        scores = Scores(ClassTable(("cat", "dog"), (1, 2)))
        fill(scores)
        scores.write(lambda kind: tmp_path / f"{kind}.csv")
        return {path.stem: path.read_text().splitlines()[1:] for path in tmp_path.iterdir()}

    return write


def test_thresholds_of_the_cam():
    assert [f"{100 * one:.10g}" for one in CAM_THRESHOLDS] == [str(one) for one in range(5, 75, 5)]


def test_strongest_class():
    index, value = strongest_class(CAM, [2, 1])
    assert (index.dtype, index.tolist()) == (np.uint8, [[2, 1], [2, 2]])  # a tie goes to the first
    assert value.tolist() == [[0.5, 0.875], [0, 0.125]]
    index, value = strongest_class(np.zeros((0, 1, 3), np.float32), [])
    assert (index.tolist(), value.tolist()) == ([[0, 0, 0]], [[0, 0, 0]])
    assert (index.dtype, value.dtype) == (np.uint8, np.float32)


def test_what_needs_no_mask(files):
    def fill(scores):
        scores.describe(record("dog", "cat"), LABEL, CAM, np.array([[1.0, 0.3]], np.float16))
        scores.describe(record(), np.zeros((1, 2), np.uint8), np.zeros((0, 1, 2), np.float16), None)

    found = files(fill)
    assert sorted(found) == ["areas", "confidence", "confusion", "counts", "saliency"]
    assert found["areas"] == ["a,0,1,1", "a,1,1,1", "a,2,1,1", "a,255,1,1", "a,0,2,1"]
    histogram = {line for line in found["confidence"] if not line.endswith(",0")}
    assert histogram == {"cam,0,1", "cam,2,1", "cam,10,1", "cam,17,1", "confidence,6,1", "confidence,19,1"}
    assert found["counts"] == found["confusion"] == found["saliency"] == []


def test_comparison_with_the_mask(files):
    saliency = np.array([[255, 255], [0, 0]], np.uint8)
    found = files(lambda scores: scores.compare(record("dog", "cat"), LABEL, CAM, saliency, MASK))
    counts = found["counts"]
    assert len(counts) == 3 * 15  # the labels and 14 thresholds, of three classes each
    assert counts[:3] == ["labels,0,0,0,1,1", "labels,1,0,1,1,1", "labels,2,1,1,1,1"]
    assert [line for line in counts if line.startswith("cam>0.45")] == [f"cam>0.45,{k},1,1,1,1" for k in range(3)]
    above = ["0,1,2,1,1", "1,1,1,1,1", "2,0,0,1,1"]  # 0.5 is not above 0.5
    assert [line for line in counts if line.startswith("cam>0.50")] == [f"cam>0.50,{line}" for line in above]
    assert found["confusion"] == ["0,1,1", "1,255,1", "2,2,1"]
    assert found["saliency"][0].split(",")[:3] == ["mae", "0", "1"]
    assert float(found["saliency"][0].split(",")[3]) == pytest.approx(0, abs=1e-9)


def test_images_add_up_and_a_negative_has_no_cam(files):
    nothing = np.zeros((2, 2), np.uint8)

    def fill(scores):
        for _ in range(2):
            scores.compare(record(), LABEL, np.zeros((0, 2, 2), np.float16), nothing, nothing)

    found = files(fill)
    assert found["counts"][:3] == ["labels,0,2,2,8,2", "labels,1,0,2,0,2", "labels,2,0,2,0,2"]
    assert found["counts"][3:6] == ["cam>0.05,0,8,8,8,2", "cam>0.05,1,0,0,0,2", "cam>0.05,2,0,0,0,2"]
    assert found["confusion"] == ["0,0,2", "0,1,2", "0,2,2", "0,255,2"]
    assert found["saliency"] == []  # no image has foreground
