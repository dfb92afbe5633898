"""The table of corrections, which round they hold for, and what the stage makes of table and PNGs."""

import logging

import numpy as np
import pytest

from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.datasets.manifest import ClassTable, ImageRecord
from auxseg.encoded import decode_indices, encode_label
from auxseg.errors import DataError
from auxseg.params.review import ReviewParams
from auxseg.review.corrections import (
    Correction,
    corrected_labels,
    in_force,
    read_corrections,
    shown_classes,
    write_corrections,
)

CLASSES = ClassTable(("cat", "dog"), (1, 2))
RECORD = ImageRecord("a", "a.jpg", 3, 2, "train", ("cat",), "photo")
LABEL = np.array([[0, 1, 2], [255, 1, 0]], np.uint8)
PARAMS = ReviewParams()


def correction(image_id="a", round="r0", classes="1=cat;2=dog", image_sha256="photo"):
    return Correction(image_id, round, classes, image_sha256, "labelme", "ann", "2026-01-31T12:00:00Z")


@pytest.fixture
def store(tmp_path):
    """A project with one correction of r0."""
    store = Store(tmp_path)
    write(store, correction())
    return store


def write(store, *corrections, label=LABEL):
    write_corrections(store.corrections, corrections)
    for one in corrections:
        path = store.correction(*one.key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_label(label))


def labels(store, round_=0, records=(RECORD,), classes=CLASSES, params=PARAMS):
    return corrected_labels(store, Round(round_), records, classes, params)


def test_the_table_comes_back_in_one_order(tmp_path):
    rows = [correction("b", "r10"), correction("b", "r2"), correction("a", "r2")]
    write_corrections(tmp_path / "c.csv", rows)
    assert read_corrections(tmp_path / "c.csv") == rows[::-1]
    assert (tmp_path / "c.csv").read_text().splitlines()[:2] == [
        "image_id,round,classes,image_sha256,source,reviewer,date",
        "a,r2,1=cat;2=dog,photo,labelme,ann,2026-01-31T12:00:00Z",
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("image_sha256", "sha", r"line 1: no column 'image_sha256'"),
        ("r0", "x", r"line 2: round 'x' is not a round"),
        ("1=cat", "cat", r"line 2: classes 'cat;2=dog' is not of the form"),
        (",labelme", "", r"line 2: not as many cells"),
        (",labelme", ",labelme,more", r"line 2: not as many cells"),
        ("r0", "r01", r"line 2: round 'r01' is not a round"),
        ("r0", "r12345", r"line 2: round 'r12345' is not a round"),
        ("\na,", "\n\x07a,", r"line 2: image_id or classes have control characters"),
        ("1=cat", "1=c\x07at", r"line 2: image_id or classes have control characters"),
    ],
)
def test_a_wrong_table_is_one_line(store, old, new, message):
    store.corrections.write_text(store.corrections.read_text().replace(old, new))
    with pytest.raises(DataError, match=message) as error:
        read_corrections(store.corrections)
    assert str(error.value).startswith(f"{store.corrections} line ")


def test_spaces_around_cells_do_not_matter(store):
    header = "image_id,round,classes,image_sha256,source,reviewer,date"
    store.corrections.write_text(f"{header}\n a , r9999 , 1=cat , photo , labelme , ann , 2026-01-31T12:00:00Z \n")
    assert read_corrections(store.corrections) == [correction(round="r9999", classes="1=cat")]


def test_one_row_for_each_image_and_round(store):
    write_corrections(store.corrections, [correction(), correction()])
    with pytest.raises(DataError, match="line 3: r0 a appears twice"):
        read_corrections(store.corrections)


@pytest.mark.parametrize(
    ("corrections", "expected"),
    [("for_good", [None, "r1", "r1", "r3", "r3"]), ("own_round", [None, "r1", None, "r3", None])],
)
def test_the_rounds_that_a_correction_holds_for(corrections, expected):
    rows = [correction(round="r3"), correction(round="r1")]
    params = ReviewParams(corrections=corrections)
    found = [in_force(rows, Round(number), params, {"a": "photo"})[0] for number in range(5)]
    assert [one["a"].round if one else None for one in found] == expected


def test_a_stale_correction_hides_no_earlier_one(store, caplog):
    write(store, correction(), correction(round="r1", image_sha256="older"))
    assert decode_indices(labels(store, round_=2)["a"]).tolist() == LABEL.tolist()
    assert "the correction of a in r1 is not applied: the image has changed since" in caplog.text


def test_labels_have_the_indices_of_todays_class_table(store):
    assert decode_indices(labels(store)["a"]).tolist() == LABEL.tolist()
    later = ClassTable(("ant", "cat", "dog"), (1, 2, 3))
    assert decode_indices(labels(store, classes=later)["a"]).tolist() == [[0, 2, 3], [255, 2, 0]]
    with pytest.raises(DataError, match=r"corrections\.csv: r0 a: the label shows 'dog', but the classes are cat;"):
        labels(store, classes=ClassTable(("cat",), (1,)))


def test_another_image_or_split_leaves_a_correction_out(store, caplog):
    caplog.set_level(logging.INFO)
    other = ImageRecord("a", "a.jpg", 3, 2, "train", ("cat",), "another")
    assert labels(store, records=[other]) == labels(store, records=[]) == {}
    assert [record.getMessage() for record in caplog.records] == [
        "the correction of a in r0 is not applied: the image has changed since",
        "the correction of a in r0 is not applied: the image is not a training image",
    ]


def test_the_log_counts_corrected_labels(store, caplog):
    caplog.set_level(logging.INFO)
    other = ImageRecord("b", "b.jpg", 3, 2, "train", ("cat",), "other")
    assert list(labels(store, records=[RECORD, other])) == ["a"]
    assert [one.getMessage() for one in caplog.records] == ["r0: 1 of 2 labels corrected by hand"]


def test_a_png_that_does_not_fit_its_row_is_named(store):
    write(store, correction(classes="1=cat"))
    with pytest.raises(DataError, match=r"r0/a\.png: value 2 is not among the row's classes '1=cat'"):
        labels(store)
    write(store, correction(), label=LABEL.T)
    with pytest.raises(DataError, match=r"r0/a\.png: 2x3, but the image is 3x2"):
        labels(store)
    store.correction(Round(0), "a").unlink()
    with pytest.raises(DataError, match=r"r0/a\.png: no such"):
        labels(store)


def test_shown_classes():
    assert shown_classes(LABEL, CLASSES) == "1=cat;2=dog"
    assert shown_classes(np.full((1, 2), 255, np.uint8), CLASSES) == ""
    assert correction(classes="").names == {} and correction(classes="2=a=b").names == {2: "a=b"}
