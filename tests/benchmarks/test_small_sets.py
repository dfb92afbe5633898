"""Subsets of a data set: balanced, nested, the same everywhere; their data root; the table."""

import csv

import pytest
import small_sets

from auxseg.errors import DataError

TAGS = {f"i{n:03}": ("cat",) if n % 2 else ("dog", "cow") if n % 10 == 0 else ("dog",) for n in range(100)}


@pytest.mark.parametrize("number", [0, 1, 2])
def test_subsets_are_balanced_and_nested(number):
    few, many = (small_sets.draw_subset(TAGS, count, number) for count in (12, 40))
    assert len(set(few)) == 12 and set(few) < set(many)
    assert few == small_sets.draw_subset(dict(reversed(TAGS.items())), 12, number)
    counts = {name: sum(name in TAGS[image_id] for image_id in few) for name in ("cat", "dog", "cow")}
    assert max(counts.values()) - min(counts.values()) <= 4  # every cow is a dog too


def test_other_numbers_are_other_subsets():
    assert small_sets.draw_subset(TAGS, 12, 0) != small_sets.draw_subset(TAGS, 12, 1)


def test_all_images_are_a_subset_too():
    assert small_sets.draw_subset(TAGS, 100, 0) == sorted(TAGS)


def test_data_root(tmp_path):
    source = tmp_path / "voc"
    for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (source / folder).mkdir(parents=True)
    ids = [*TAGS, "v0", "v1"]
    for image_id in ids:
        (source / f"JPEGImages/{image_id}.jpg").write_bytes(b"photo")
        (source / f"SegmentationClass/{image_id}.png").write_bytes(b"mask")
    (source / "ImageSets/Segmentation/train.txt").write_text("\n".join(TAGS))
    (source / "ImageSets/Segmentation/val.txt").write_text("v0\nv1\n")
    rows = [[image_id, " ".join(names)] for image_id, names in TAGS.items()]
    with (source / "image_labels.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["image_id", "labels"], *rows])
    assert small_sets.make_root(source, tmp_path / "root", 12, 0, 1) == ("cat", "cow", "dog")
    with (tmp_path / "root/image_labels.csv").open() as stream:
        found = list(csv.DictReader(stream))
    assert [row["split"] for row in found] == ["train"] * 12 + ["val"]
    assert found[-1] == {"image_id": "v0", "labels": "", "split": "val"}
    for row in found:
        assert (tmp_path / f"root/images/{row['image_id']}.jpg").read_bytes() == b"photo"
        assert (tmp_path / f"root/masks/{row['image_id']}.png").read_bytes() == b"mask"


def test_table():
    rows = [
        {
            "images": "20",
            "subset": subset,
            "round": name,
            "what": what,
            "miou": miou,
            "good": good,
            "cpu_minutes": "3.0",
            "settings": "",
        }
        for subset, shift in (("0", 0), ("1", 2))
        for name, what, miou, good in (
            ("r0", "labels", 50 + shift, "yes"),
            ("r1", "labels", 53 + 2 * shift, "no" if shift else "yes"),
            ("r1", "model", 40, "yes"),
            ("r1", "model+ms+crf", 45, "yes"),
        )
    ]
    rows.append({**rows[0], "miou": 99, "settings": "network.channels=8"})  # another experiment
    line = small_sets.markdown(rows).splitlines()[-1]
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        "20",
        "2",
        "51.0 (50.0 to 52.0)",
        "55.0 (53.0 to 57.0)",
        "+4.0 (+3.0 to +5.0)",
        "1 of 4",
        "40.0",
        "45.0",
        "3.0",
    ]


def test_cpu_minutes_are_of_each_last_run(tmp_path):
    (tmp_path / "times.csv").write_text("train,r1,99.0,600.0,1\ntrain,r2,9.0,60.0,1\ntrain,r1,9.0,120.0,1\n")
    assert small_sets.cpu_minutes(tmp_path / "times.csv") == 3


def test_classes_may_be_limited():
    chosen = small_sets.draw_subset(TAGS, 40, 0, {"cow": 3, "cat": 7})
    counts = {name: sum(name in TAGS[image_id] for image_id in chosen) for name in ("cat", "dog", "cow")}
    assert counts == {"cat": 7, "dog": 33, "cow": 3}
    with pytest.raises(DataError, match="60 images asked for, and the training list has 50 that fit"):
        small_sets.draw_subset(TAGS, 60, 0, {"cat": 0})
