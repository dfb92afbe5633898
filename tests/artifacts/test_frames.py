"""CSV files as data frames: text stays text, and what is written has the bytes that `tables.write_rows` gives it."""

import pandas
import pytest

from auxseg.artifacts.frames import read_frame, write_frame
from auxseg.artifacts.tables import write_rows
from auxseg.errors import DataError

COLUMNS = {"image_id": str, "pixels": int, "share": float}


def test_text_stays_text_and_an_empty_number_is_nan(tmp_path):
    (tmp_path / "a.csv").write_text("image_id,pixels,share\n007,12,0.1\nNA,9007199254740993,\n")
    (tmp_path / "b.csv").write_text("image_id,pixels,share\n")
    (tmp_path / "c.csv").write_text('image_id,pixels,share\n"a,""b""",0,1e3\n')
    frame = read_frame([tmp_path / f"{name}.csv" for name in "abc"], COLUMNS)
    assert frame["image_id"].tolist() == ["007", "NA", 'a,"b"']
    assert frame["pixels"].tolist() == [12, 2**53 + 1, 0] and frame["pixels"].dtype == "int64"
    assert frame["share"].isna().tolist() == [False, True, False] and frame["share"][2] == 1000


def test_no_file_gives_the_columns(tmp_path):
    frame = read_frame([], COLUMNS)
    assert list(frame) == list(COLUMNS) and frame["pixels"].dtype == "int64" and not len(frame)


@pytest.mark.parametrize("content", [None, "", "image_id,pixels\nx,1\n", "image_id,pixels,share\nx,many,0\n"])
def test_a_damaged_file_is_one_line(tmp_path, content):
    if content is not None:
        (tmp_path / "a.csv").write_text(content)
    with pytest.raises(DataError, match=r"a\.csv: not a readable table \(") as error:
        read_frame([tmp_path / "a.csv"], COLUMNS)
    assert "\n" not in str(error.value)


def test_bytes_are_those_of_rows(tmp_path):
    rows = [
        {"class": 'cat, "big"', "pixels": 123_456_789, "share": 100.0, "iou": 1234567.89, "none": None},
        {"class": "", "pixels": 0, "share": 1 / 3, "iou": None, "none": None},
        {"class": "ähre", "pixels": -1, "share": 1e-7, "iou": float("nan"), "none": None},
    ]
    write_rows(tmp_path / "rows.csv", rows)
    write_frame(tmp_path / "frame.csv", pandas.DataFrame(rows))
    assert (tmp_path / "frame.csv").read_bytes() == (tmp_path / "rows.csv").read_bytes()
    write_rows(tmp_path / "rows.csv", [], list(rows[0]))
    write_frame(tmp_path / "frame.csv", pandas.DataFrame(rows)[:0])
    assert (tmp_path / "frame.csv").read_bytes() == (tmp_path / "rows.csv").read_bytes()
