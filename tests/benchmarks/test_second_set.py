"""MSRC v2 as a data root: values, tags, splits, and what is left out."""

import csv

import numpy as np
import second_set
from PIL import Image
from scipy.io import savemat

from auxseg.encoded import decode_indices

COW, FACE, BODY, GRASS, HORSE = (second_set.MSRC.index(name) for name in ("cow", "face", "body", "grass", "horse"))


def write(folder, image_id, segments, classes):
    """Write an image and its segments, numbered from 1, as the set stores them; 0 and one number more are void."""
    savemat(folder / f"newsegmentations_mats/{image_id}_GT.mat", {"newseg": segments, "newlabels": [classes]})
    Image.new("RGB", segments.shape[::-1], (9, 9, 9)).save(folder / f"Images/{image_id}.bmp")


def test_data_root(tmp_path):
    source = tmp_path / "source"
    for name in ("Images", "newsegmentations_mats"):
        (source / name).mkdir(parents=True)
    write(source, "5_1_s", np.array([[1, 2, 3, 0]], np.uint8), [COW, GRASS])
    write(source, "5_2_s", np.array([[1, 2, 3, 4]], np.uint8), [FACE, BODY, GRASS])
    write(source, "5_3_s", np.array([[1, 1]], np.uint8), [GRASS])
    write(source, "5_4_s", np.array([[1, 2]], np.uint8), [HORSE, COW])
    write(source, "9_15_s", np.array([[1, 1]], np.uint8), [COW])
    second_set.make_root(source, tmp_path / "root")
    with (tmp_path / "root/image_labels.csv").open() as stream:
        rows = {row["image_id"]: row for row in csv.DictReader(stream)}
    assert {name: row["labels"] for name, row in rows.items()} == {"5_1_s": "cow", "5_2_s": "person", "5_3_s": ""}
    assert {row["split"] for row in rows.values()} <= {"train", "val"}
    cow, person = (second_set.CLASSES.index(name) + 1 for name in ("cow", "person"))
    masks = {name: decode_indices((tmp_path / f"root/masks/{name}.png").read_bytes()).tolist() for name in rows}
    assert masks == {"5_1_s": [[cow, 0, 255, 255]], "5_2_s": [[person, person, 0, 255]], "5_3_s": [[0, 0]]}


def test_a_third_is_val():
    splits = [second_set.split_of(f"{number}_s") for number in range(600)]
    assert 150 < splits.count("val") < 250
