"""Parquet files: what is read is what was written, typed, and the same bytes each time."""

import pandas
import pyarrow.parquet

from auxseg.artifacts.parquet import parquet_table, write_parquet

COLUMNS = {"class": str, "pixels": int, "iou": float}
ROWS = [{"class": "cat", "pixels": 2**40, "iou": 12.5}, {"class": "<b>dog</b>", "pixels": 0, "iou": None}]
FRAME = pandas.DataFrame(ROWS)


def test_round_trip(tmp_path):
    write_parquet(tmp_path / "a.parquet", FRAME, COLUMNS)
    assert pyarrow.parquet.read_table(tmp_path / "a.parquet").to_pylist() == ROWS


def test_bytes_depend_on_the_content_alone(tmp_path):
    for name in ("a", "b"):
        write_parquet(tmp_path / name / "x.parquet", FRAME, COLUMNS)
    assert (tmp_path / "a/x.parquet").read_bytes() == (tmp_path / "b/x.parquet").read_bytes()


def test_a_table_without_rows_keeps_its_types(tmp_path):
    write_parquet(tmp_path / "a.parquet", FRAME[:0], COLUMNS)
    write_parquet(tmp_path / "b.parquet", FRAME, COLUMNS)
    empty, full = (pyarrow.parquet.read_table(tmp_path / f"{name}.parquet") for name in "ab")
    assert empty.schema == full.schema
    assert empty.num_rows == 0


def test_rows_appended_bit_by_bit_are_one_table(tmp_path):
    many = [{"class": "cat", "pixels": number, "iou": None} for number in range(70_000)]
    with parquet_table(tmp_path / "a.parquet", COLUMNS) as append:
        append(FRAME)
        append(pandas.DataFrame(many))
    assert pyarrow.parquet.read_table(tmp_path / "a.parquet").to_pylist() == ROWS + many
