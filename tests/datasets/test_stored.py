"""What a stage reads of another one: a wrong size, class, number of maps or number is named, and never used."""

import io

import numpy as np
import pytest
from PIL import Image

from auxseg.artifacts.archive import Archive, write_archive
from auxseg.artifacts.tensors import TensorFile, write_tensors
from auxseg.datasets.manifest import ClassTable, ImageRecord
from auxseg.datasets.stored import read_cam, read_label, read_map, read_saliency
from auxseg.encoded import encode_grey, encode_label
from auxseg.errors import DataError
from auxseg.guard.measure import RoundFiles
from auxseg.labelling import LabelJob
from auxseg.params.augmentation import AugmentParams
from auxseg.params.labels import LabelsParams
from auxseg.training.samples import LabelFiles, TrainingSamples

HEIGHT, WIDTH = 20, 30
CLASSES = ClassTable(("cat", "dog", "cow"), (1, 2, 3))
RECORD = ImageRecord("a", "a.png", WIDTH, HEIGHT, "train", ("cat", "cow"), "")
LABEL = np.zeros((HEIGHT, WIDTH), np.uint8)
LABEL[4:9, 3:8], LABEL[0] = 3, 255
SALIENCY = np.linspace(0, 1, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)
CAM = np.linspace(0, 1, 2 * 3 * 4, dtype=np.float16).reshape(2, 3, 4)


def png(values, mode="L", **options):
    buffer = io.BytesIO()
    Image.fromarray(values).convert(mode).save(buffer, "PNG", **options)
    return buffer.getvalue()


def spoilt(values, place, value):
    values = values.copy()
    values[place] = value
    return values


LABELS = {
    "another size": (encode_label(LABEL[:5, :5]), "'a.png' has 5x5 pixels, its image 30x20"),
    "turned": (encode_label(LABEL.T), "'a.png' has 20x30 pixels"),
    "a value that is no class": (
        encode_label(spoilt(LABEL, (7, 7), 200)),
        "'a' has value 200, but the largest class is 3",
    ),
    "the next class": (encode_label(spoilt(LABEL, (7, 7), 4)), "'a' has value 4"),
    "value 254": (encode_label(spoilt(LABEL, (7, 7), 254)), "'a' has value 254"),
    "colours": (png(LABEL, "RGB"), "'a.png' is not an 8-bit PNG of one channel"),
    "one bit": (png(LABEL, "1"), "'a.png' is not an 8-bit PNG"),
    "16 bits": (png(LABEL.astype(np.uint16), "I;16"), "'a.png' is not an 8-bit PNG"),
    "text": (b"no image", "'a.png' is not a PNG"),
    "nothing": (b"", "'a.png' is not a PNG"),
    "another format": (b"GIF89a" + bytes(40), "'a.png' is not a PNG"),
    "cut": (encode_label(LABEL)[:-40], "damaged: "),
    "a header alone": (encode_label(LABEL)[:33], "damaged: "),
}
MAPS = {
    "surplus": (np.concatenate([CAM, CAM]), "has 4 maps, but the image has 2 image-level labels"),
    "missing": (CAM[:1], "has 1 map"),
    "none": (CAM[:0], "has 0 maps"),
    "empty": (CAM[:, :0], r"has shape \(2, 0, 4\)"),
    "flat": (CAM[0], r"has shape \(3, 4\)"),
    "a scalar": (CAM[0, 0, 0], r"has shape \(\)"),
    "nan": (spoilt(CAM, (1, 2, 3), np.nan), "contains values that are not finite numbers"),
    "inf": (spoilt(CAM, (0, 0, 0), np.inf), "contains values that are not finite numbers"),
    "whole numbers": (CAM.astype(np.int64), "contains values that are not finite numbers"),
}


@pytest.fixture
def write(tmp_path):
    """Write the artifacts of one image; what is given replaces what is right."""

    def write(label=None, prior=None, **maps):
        write_archive(tmp_path / "labels.zip", {"a.png": encode_label(LABEL) if label is None else label})
        write_archive(tmp_path / "saliency.zip", {"a.png": encode_grey(SALIENCY) if prior is None else prior})
        write_tensors(
            tmp_path / "maps.safetensors", {f"a.{name}": np.asarray(v) for name, v in ({"cam": CAM} | maps).items()}
        )
        Image.fromarray(np.zeros((HEIGHT, WIDTH, 3), np.uint8)).save(tmp_path / "a.png")
        return tmp_path

    return write


def test_whole_artifacts_come_back(write):
    folder = write(confidence=CAM[0], prediction=LABEL[4:6])
    maps = TensorFile(folder / "maps.safetensors")
    assert (read_label(Archive(folder / "labels.zip"), RECORD, 3) == LABEL).all()
    assert (read_saliency(Archive(folder / "saliency.zip"), RECORD) == np.rint(SALIENCY * 255)).all()
    assert (read_cam(maps, RECORD) == CAM).all()
    assert (read_map(maps, RECORD, "prediction", 3) == LABEL[4:6]).all()
    assert (read_map(maps, RECORD, "confidence") == CAM[0]).all()


def users_of_labels(folder):
    """Every reader of a label: the stages score and guard, training, and the labels of the round before."""
    files = {"00": folder / "labels.zip"}
    saliency, maps = {"00": folder / "saliency.zip"}, {"00": folder / "maps.safetensors"}
    samples = TrainingSamples(
        [RECORD],
        folder,
        CLASSES,
        AugmentParams(crop=32, scale=(1.0, 1.0)),
        0,
        LabelFiles([Archive(files["00"])]),
        LabelFiles([Archive(saliency["00"])]),
    )
    return {
        "score": lambda: read_label(Archive(files["00"]), RECORD, 3),
        "guard": lambda: RoundFiles(CLASSES, files, None, saliency, maps)(RECORD),
        "train": lambda: samples[1, 0, 0],
    }


@pytest.mark.parametrize("case", LABELS)
@pytest.mark.parametrize("user", ["score", "guard", "train"])
def test_wrong_labels_are_named_by_every_stage_that_reads_them(write, case, user):
    content, message = LABELS[case]
    with pytest.raises(DataError, match=rf"labels\.zip: damaged: .*{message.removeprefix('damaged: ')}") as error:
        users_of_labels(write(label=content))[user]()
    assert "\n" not in str(error.value) and str(error.value).endswith("run `dvc repro`, which makes it again")


@pytest.mark.parametrize("case", sorted(LABELS.keys() - {"a value that is no class", "the next class", "value 254"}))
@pytest.mark.parametrize("user", ["guard", "train", "labels"])
def test_wrong_saliency_is_named_by_every_stage_that_reads_it(write, case, user):
    folder = write(prior=LABELS[case][0])
    job = LabelJob(LabelsParams(), CLASSES, folder, folder / "maps.safetensors", folder / "saliency.zip")
    with pytest.raises(DataError, match=r"saliency\.zip: damaged: "):
        {**users_of_labels(folder), "labels": lambda: job(RECORD)}[user]()


@pytest.mark.parametrize("case", MAPS)
@pytest.mark.parametrize("user", ["labels", "guard"])
def test_wrong_cams_become_no_labels(write, case, user):
    cam, message = MAPS[case]
    folder = write(cam=cam)
    job = LabelJob(LabelsParams(), CLASSES, folder, folder / "maps.safetensors", folder / "saliency.zip")
    with pytest.raises(DataError, match=rf"maps\.safetensors: damaged: 'a\.cam' {message}"):
        {**users_of_labels(folder), "labels": lambda: job(RECORD)}[user]()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("saliency", spoilt(CAM[0], (0, 0), np.nan)),
        ("saliency", CAM),
        ("prediction", np.full((3, 4), 4, np.uint8)),
        ("prediction", np.ones((3, 4), np.int32)),
        ("prediction", np.ones((0, 4), np.uint8)),
        ("confidence", spoilt(CAM[0], (0, 0), np.inf)),
        ("entropy", spoilt(CAM[0], (2, 3), np.nan)),
        ("scores", np.array([1, np.nan, 0], np.float16)),
        ("scores", np.zeros(2, np.float16)),
        ("scores", CAM[0]),
    ],
)
def test_wrong_maps_of_a_network_are_named(write, name, value):
    maps = TensorFile(write(**{name: value}) / "maps.safetensors")
    with pytest.raises(DataError, match=rf"maps\.safetensors: damaged: 'a\.{name}' "):
        read_map(maps, RECORD, name, 3)


def test_a_label_that_no_archive_has_is_named(write):
    files = LabelFiles([Archive(write() / "labels.zip")])
    with pytest.raises(DataError, match=r"no archive contains 'b\.png'"):
        files["b"]
