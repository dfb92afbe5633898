"""Labels of another method as round 0."""

import numpy as np
import pytest
from PIL import Image

from auxseg.datasets.manifest import ClassTable, ImageRecord
from auxseg.datasets.scan import content_sha256
from auxseg.encoded import encode_label
from auxseg.errors import DataError, ParamsError
from auxseg.external.labels import LabelFolder
from auxseg.params.labels import LabelsParams

CLASSES = ClassTable(("cat", "dog"), (8, 12))
RECORD = ImageRecord("a", "a.jpg", 3, 2, "train", ("cat",), "")
VALUES = np.array([[0, 8, 12], [255, 8, 0]], np.uint8)


def load(folder, unlisted="error", **values):
    scanned = content_sha256(folder / "given", "path", "root")
    params = LabelsParams(**{"initial": "precomputed", "path": "given", "sha256": scanned} | values)
    return LabelFolder.of(params, folder, CLASSES, unlisted)(RECORD)


@pytest.fixture
def given(tmp_path):
    (tmp_path / "given").mkdir()
    (tmp_path / "given/a.png").write_bytes(encode_label(VALUES))
    return tmp_path


def test_mask_values_become_class_indices(given):
    assert load(given).tolist() == [[0, 1, 2], [255, 1, 0]]


def test_values_outside_the_table(given):
    (given / "given/a.png").write_bytes(encode_label(VALUES + (VALUES == 12)))
    with pytest.raises(DataError, match="mask value 13 is not in the class table"):
        load(given)
    assert load(given, "ignore").tolist() == [[0, 1, 255], [255, 1, 0]]


def test_rejections(given):
    Image.fromarray(np.zeros((3, 2), np.uint8)).save(given / "given/a.png")
    with pytest.raises(DataError, match="2x3 pixels, but its image has 3x2"):
        load(given)
    (given / "given/a.png").unlink()
    with pytest.raises(DataError, match=r"a\.png: no such label; add it"):
        load(given)
    with pytest.raises(ParamsError, match=r"'labels\.sha256': the content of labels.path has not been scanned"):
        load(given, sha256=None)
    with pytest.raises(DataError, match=r"elsewhere: no such folder; fix labels\.path"):
        load(given, path="elsewhere")
    with pytest.raises(ParamsError, match=r"key 'labels': initial: precomputed reads a folder; set labels\.path to it"):
        LabelsParams.parse({"initial": "precomputed"})
