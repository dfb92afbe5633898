"""The table of verdicts: what is rejected, which of two rows counts, and that importing twice changes nothing."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from verdict_rows import HASH, OTHER, verdict

from auxseg.artifacts.archive import write_archive
from auxseg.errors import DataError
from auxseg.review.verdicts import (
    COLUMNS,
    Verdict,
    conflicts,
    label_hashes,
    latest,
    merge,
    read_verdicts,
    write_verdicts,
)

HEADER = "image_id,label_hash,round,verdict,drop_classes,note,reviewer,date"


@pytest.fixture
def table(tmp_path):
    def write(*rows, header=HEADER):
        path = tmp_path / "verdicts.csv"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return path

    return write


def test_the_columns_are_those_of_the_page_and_of_the_docs():
    assert ",".join(COLUMNS) == HEADER


def test_a_row_by_hand(table):
    path = table(f"a b,{HASH},r12,reject,\"dog; cat\",'wing, tail',me,2026-01-31T12:00:00Z".replace("'", '"'))
    (read,) = read_verdicts(path)
    assert read == Verdict("a b", HASH, "r12", "reject", ("cat", "dog"), "wing, tail", "me", "2026-01-31T12:00:00Z")


def test_a_spreadsheets_byte_order_mark_does_not_matter(tmp_path):
    path = tmp_path / "excel.csv"
    path.write_text(f"{HEADER}\na,{HASH},r0,accept,,,me,2026-01-01\n", encoding="utf-8-sig")
    assert [one.image_id for one in read_verdicts(path)] == ["a"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (f",{HASH},r0,accept,,,me,2026-01-01", "line 3 has no image_id"),
        ("a,abc,r0,accept,,,me,2026-01-01", "line 3: label_hash 'abc' is not a SHA-256"),
        (f"a,{HASH},0,accept,,,me,2026-01-01", "line 3: round '0' is not a round"),
        (f"a,{HASH},r01,accept,,,me,2026-01-01", "line 3: round 'r01' is not a round"),
        (f"a,{HASH},r0,accept,,,me,20260131T120000Z", "line 3: date '20260131T120000Z' is not an ISO date"),
        (
            f"a,{HASH},r0,rejected,,,me,2026-01-01",
            "line 3: verdict 'rejected' is not one of accept, reject, unsure; write one of them",
        ),
        (f"a,{HASH},r0,accept,,,me,yesterday", "line 3: date 'yesterday' is not an ISO date"),
        (f"a,{HASH},r0,accept,,wing, tail,me,2026-01-01", "line 3 has more cells than the header"),
        (f"a,{HASH},r0,accept", "line 3 has no cell 'drop_classes'"),
        (f"a\x07,{HASH},r0,accept,,,me,2026-01-01", "line 3: image_id 'a\\x07' has control characters"),
        (f"a,{HASH},r0,accept,c\x07at,,me,2026-01-01", "line 3: drop_classes 'c\\x07at' has control characters"),
    ],
)
def test_a_bad_row_is_one_line_that_names_file_and_line(table, row, message):
    path = table(f"z,{HASH},r0,accept,,,me,2026-01-01", row)
    with pytest.raises(DataError) as error:
        read_verdicts(path)
    assert str(error.value).startswith(f"{path} {message}")
    assert "\n" not in str(error.value)


def test_a_missing_column_is_named(table):
    path = table(f"a,{HASH},accept,,,me,2026-01-01", header=HEADER.replace("round,", ""))
    with pytest.raises(DataError, match=r"verdicts\.csv line 1: no column 'round'; the header is " + HEADER):
        read_verdicts(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"verdicts\.csv: an empty file; give a CSV with the header " + HEADER),
        (f"a,{HASH},r0,reject,,,me,2026-01-01\n", r"verdicts\.csv line 1: no column 'image_id'"),
        (HEADER.replace(",", ";") + "\n", r"verdicts\.csv line 1: cells are separated by ';'"),
        (
            HEADER.replace(",", "\t") + "\n",
            r"verdicts\.csv line 1: cells are separated by tabs; save it again with commas",
        ),
    ],
    ids=["emptied", "only a row", "semicolons", "tabs"],
)
def test_a_table_without_header_is_rejected(tmp_path, content, message):
    """It would read as no verdicts at all, and un-reject every label."""
    (tmp_path / "verdicts.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        read_verdicts(tmp_path / "verdicts.csv")


def test_a_missing_file_is_rejected(tmp_path):
    with pytest.raises(DataError, match=r"none\.csv: no such file"):
        read_verdicts(tmp_path / "none.csv")


def test_the_newest_verdict_of_a_reviewer_counts_whatever_the_order():
    old, new = verdict(date="2026-01-31T23:59:00Z"), verdict(verdict="reject", date="2026-02-01")
    assert merge([old], [new]) == merge([new], [old]) == [new]
    assert merge([verdict(date="2026-02-01T01:00:00+02:00")], [old]) == [old]  # 23:00 in UTC


def test_of_two_verdicts_of_one_day_the_one_imported_later_counts():
    first, second = verdict(), verdict(verdict="reject")
    assert merge([first], [second]) == [second]
    assert merge([second], [first]) == [first]


def test_images_rounds_reviewers_and_labels_are_kept_apart():
    """Two projects on the same images have other labels in the same rounds."""
    rows = [verdict(), verdict("b"), verdict(reviewer="you"), verdict(round="r1"), verdict(label_hash=OTHER)]
    assert merge(rows) == sorted(rows, key=lambda one: one.key)
    assert len(merge(rows)) == 5


def test_the_latest_verdict_of_a_reviewer_is_that_on_the_label_else_the_newest():
    old, older = verdict(label_hash=OTHER, date="2026-03-01"), verdict(label_hash="e" * 64, date="2026-02-01")
    holding, other = verdict(date="2026-01-01"), verdict("b", reviewer="you")
    for rows in ([older, old, holding, other], [holding, other, old, older]):
        assert latest(rows, {"a": HASH, "b": HASH}) == [holding, other]
        assert latest(rows, {"b": HASH}) == latest(rows, {}) == [old, other]


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=5)
FEW = NAMES | st.sampled_from(["a", "b"])
"""So that two rows often have the same image or reviewer."""
ROWS = st.lists(
    st.builds(
        verdict,
        image_id=FEW,
        verdict=st.sampled_from(["accept", "reject", "unsure"]),
        reviewer=FEW,
        date=st.dates().map(str),
        round=st.sampled_from(["r0", "r2", "r10"]),
        note=st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=8).map(str.strip),
        drop_classes=st.lists(st.sampled_from(["cat", "dog", "red fox"]), unique=True).map(sorted).map(tuple),
    ),
    max_size=6,
)


@given(ROWS, ROWS)
def test_importing_twice_is_importing_once(tmp_path_factory, existing, imported):
    path = tmp_path_factory.mktemp("verdicts") / "verdicts.csv"
    once = merge(existing, imported)
    assert merge(once, imported) == once
    write_verdicts(path, reversed(once))
    content = path.read_bytes()
    assert read_verdicts(path) == once
    write_verdicts(path, read_verdicts(path))
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"note": " spaces "}, "a verdict would change; remove odd characters from its note"),
        ({"label_hash": "abc"}, "it could not be read again: .* label_hash 'abc' is not a SHA-256"),
    ],
)
def test_what_would_not_come_back_is_not_written(tmp_path, fields, why):
    path = tmp_path / "verdicts.csv"
    path.write_text("as it was")
    with pytest.raises(DataError, match=rf"verdicts\.csv: not written, because {why}"):
        write_verdicts(path, [verdict(), verdict("b", **fields)])
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("verdicts.csv", "as it was")]


def test_who_disagrees():
    accept, reject = verdict(reviewer="ann"), verdict(reviewer="bob", verdict="reject")
    assert conflicts([reject, accept, verdict("b"), verdict("b", verdict="unsure", reviewer="x")]) == [[accept, reject]]
    assert conflicts([accept, verdict(reviewer="bob", verdict="reject", label_hash=OTHER)]) == []
    assert conflicts([accept, verdict(reviewer="bob", verdict="reject", round="r1")]) == []


def test_a_verdict_is_stale_when_the_label_changed_or_went():
    assert not verdict().is_stale({"a": HASH})
    assert verdict().is_stale({"a": OTHER})
    assert verdict().is_stale({})


def test_hashes_are_of_the_members_bytes(tmp_path):
    write_archive(tmp_path / "00.zip", {"a.png": b"1", "sub/b.png": b"2"})
    write_archive(tmp_path / "01.zip", {"c.png": b"3"})
    assert label_hashes([tmp_path / "00.zip", tmp_path / "01.zip"]) == {
        name: hashlib.sha256(content).hexdigest() for name, content in (("a", b"1"), ("sub/b", b"2"), ("c", b"3"))
    }
