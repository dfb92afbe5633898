"""Verdicts: which rows count, what they do, and how a slip in the table is reported."""

import pytest

from auxseg.errors import DataError
from auxseg.params.review import ReviewParams
from auxseg.review import COLUMNS, Use, decide_uses, read_uses, read_verdicts, summarise, write_uses

HEADER = "image_id,label_sha256,round,verdict,note,reviewer,date"


@pytest.fixture
def table(tmp_path):
    def write(*rows, header=HEADER):
        path = tmp_path / "verdicts.csv"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return path

    return write


def test_the_committed_header_is_the_one_that_is_read():
    assert ",".join(COLUMNS) == HEADER


def test_rows_of_the_round_alone(table):
    path = table("a,h1,r0,reject,,me,2025-01-01", "a,h2,r1,accept,,me,2025-01-02", "b,h3,r10,reject,,me,2025-01-02")
    assert read_verdicts(path, "r0") == {"a": ("reject", "h1")}
    assert read_verdicts(path, "r1") == {"a": ("accept", "h2")}


def test_the_last_row_of_an_image_counts(table):
    path = table("a,h1,r0,reject,,me,d", "b,h9,r0,unsure,,me,d", "a,h2,r0,accept,,you,d")
    assert read_verdicts(path, "r0") == {"a": ("accept", "h2"), "b": ("unsure", "h9")}


def test_header_only_passes_everything(table):
    verdicts = read_verdicts(table(), "r0")
    uses, stale = decide_uses({"a": "1", "b": "2"}, verdicts, ReviewParams())
    assert uses == {"a": Use.TRAIN, "b": Use.TRAIN}
    assert stale == []


def test_notes_with_commas_and_line_ends(table):
    path = table('a,h1,r0,reject,"wing, tail\nand more",me,d')
    assert read_verdicts(path, "r0") == {"a": ("reject", "h1")}


@pytest.mark.parametrize("round_name", ["r0", "r7"])
def test_an_unknown_verdict_names_its_row(table, round_name):
    path = table("a,h1,r0,accept,,me,d", "b,h1,r0,rejected,,me,d")
    with pytest.raises(DataError, match=r"verdicts\.csv: row 3: verdict 'rejected' is none of accept, reject, unsure"):
        read_verdicts(path, round_name)


def test_a_missing_column_is_named(table):
    with pytest.raises(DataError, match=r"verdicts\.csv: row 2 has no column 'round'; the header is " + HEADER):
        read_verdicts(table("a,h1,accept,,me,d", header=HEADER.replace("round,", "")), "r0")


def test_a_short_row_names_its_row_and_column(table):
    with pytest.raises(DataError, match=r"row 3 has no column 'note'"):
        read_verdicts(table("a,h1,r0,accept,,me,d", "b,h1,r0,accept"), "r0")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"none\.csv: no such file"):
        read_verdicts(tmp_path / "none.csv", "r0")


@pytest.mark.parametrize("rejected", ["leave_out", "ignore"])
def test_what_verdicts_do(rejected):
    hashes = {"good": "1", "bad": "2", "perhaps": "3", "unjudged": "4", "changed": "new"}
    verdicts = {
        "good": ("accept", "1"),
        "bad": ("reject", "2"),
        "perhaps": ("unsure", "3"),
        "changed": ("reject", "old"),
        "gone": ("reject", "5"),
    }
    uses, stale = decide_uses(hashes, verdicts, ReviewParams(rejected=rejected))
    assert uses == {
        "good": Use.TRAIN,
        "bad": Use(rejected),
        "perhaps": Use.TRAIN,
        "unjudged": Use.TRAIN,
        "changed": Use.TRAIN,
    }
    assert stale == ["changed", "gone"]


def test_a_stale_acceptance_is_reported_too():
    assert decide_uses({"a": "new"}, {"a": ("accept", "old")}, ReviewParams())[1] == ["a"]


def test_uses_file(tmp_path):
    uses = {"b": Use.LEAVE_OUT, "a": Use.TRAIN, "c": Use.IGNORE}
    write_uses(tmp_path / "r0.csv", uses)
    assert (tmp_path / "r0.csv").read_text() == "image_id,use\na,train\nb,leave_out\nc,ignore\n"
    assert read_uses(tmp_path / "r0.csv") == uses


def test_summary():
    assert summarise(iter([Use.TRAIN, Use.IGNORE, Use.TRAIN])) == "2 train, 0 leave_out, 1 ignore"
