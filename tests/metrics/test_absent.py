"""Classes without masks, from rows of the tables of the summary."""

import pytest

from auxseg.metrics.absent import absent_notes


def rows(split, what, **recalls):
    """Rows of both tables for one round that is scored."""
    scored = {"round": "r1", "what": what, "set": split}
    return scored, [{"round": "r1", "what": what, "class": name, "recall": recall} for name, recall in recalls.items()]


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        ([rows("val", "model", background="90", cat="0", dog="5")], {}),
        ([rows("val", "model", background="90", cat="", dog="0")], {"val": "cat"}),
        ([rows("val", what, background="90", cat="", dog="") for what in ("model", "model+ms")], {"val": "cat, dog"}),
        ([rows("train", "labels", cat=""), rows("val", "model", dog="")], {"train": "cat", "val": "dog"}),
        ([rows("train", "labels", **{f"c{n}": "" for n in range(7)})], {"train": "c0, c1, c2, c3, c4, …"}),
    ],
)
def test_a_note_for_every_split(parts, shown):
    found = absent_notes([scored for scored, _ in parts], [row for _, classes in parts for row in classes])
    assert [note.partition(";")[0] for note in found] == [
        f"no mask of {split} shows {names}" for split, names in shown.items()
    ]


def test_rows_of_a_round_that_is_not_scored_say_nothing():
    assert absent_notes([], rows("val", "model", cat="")[1]) == []
