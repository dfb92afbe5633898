"""CSV files: the same content always gives the same bytes."""

import pytest

from auxseg.artifacts.tables import read_csv, write_csv
from auxseg.errors import DataError


def test_unix_line_ends_and_quotes_round_trip(tmp_path):
    write_csv(tmp_path / "a.csv", ["id", "labels"], [["x", 'a,"b"'], ["y", ""]])
    assert (tmp_path / "a.csv").read_bytes() == b'id,labels\nx,"a,""b"""\ny,\n'
    assert read_csv(tmp_path / "a.csv") == [{"id": "x", "labels": 'a,"b"'}, {"id": "y", "labels": ""}]


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbfid\nx\n")
    assert read_csv(tmp_path / "a.csv") == [{"id": "x"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_a_spreadsheet_made_of_a_table_is_read(tmp_path, encoding):
    (tmp_path / "a.csv").write_bytes("image_id,note\r\na,Käfer\r\nb,-\r\n".encode(encoding))
    assert read_csv(tmp_path / "a.csv") == [{"image_id": "a", "note": "Käfer"}, {"image_id": "b", "note": "-"}]


def test_utf_16_without_a_mark_is_one_line(tmp_path):
    (tmp_path / "a.csv").write_bytes("id\nx\n".encode("utf-16-be"))
    with pytest.raises(
        DataError, match=r"a\.csv: not a UTF-8 CSV \(.*UTF-16 without a byte order mark\); save it again"
    ):
        read_csv(tmp_path / "a.csv")


def test_a_cell_that_csv_cannot_hold_is_named_by_its_line(tmp_path):
    (tmp_path / "a.csv").write_text("id,note\nx,\ny," + "n" * 200_000 + "\n")
    with pytest.raises(DataError, match=r"a\.csv line 3: not CSV \(field larger than field limit"):
        read_csv(tmp_path / "a.csv")


@pytest.mark.parametrize(("content", "message"), [(None, "no such file"), (b"id\n\xff\n", "not a UTF-8 CSV")])
def test_rejections_name_the_file(tmp_path, content, message):
    if content is not None:
        (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DataError, match=rf"a\.csv: {message}"):
        read_csv(tmp_path / "a.csv")
