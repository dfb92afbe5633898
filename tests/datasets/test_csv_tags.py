"""The CSV of labels: delimiters, columns, rows, and the errors that name file and line."""

import json

import pytest
from builders import lines
from hypothesis import given, settings
from hypothesis import strategies as st

from auxseg.datasets.csv_tags import read_csv_tags
from auxseg.errors import DataError


def names(path, known):
    return {key: row.names for key, row in read_csv_tags(path, known).rows.items()}


@pytest.mark.parametrize("known", [None, ["cat", "dog", "traffic light"]])
def test_separators(tmp_path, known):
    path = tmp_path / "a.csv"
    lines(path, "image_id,labels", "a,cat dog", "b,cat", "c,", "d,cat  cat")
    assert names(path, known) == {"a": ("cat", "dog"), "b": ("cat",), "c": (), "d": ("cat",)}
    lines(path, "image_id,labels", "a,traffic light;cat", "b, traffic light ", "c,dog;")
    assert names(path, known) == {"a": ("traffic light", "cat"), "b": ("traffic light",), "c": ("dog",)}


def test_known_names_with_spaces_need_no_semicolon(tmp_path):
    lines(tmp_path / "a.csv", "image_id,labels", "a,traffic light", "b,cat dog")
    assert names(tmp_path / "a.csv", ["traffic light", "cat", "dog"]) == {"a": ("traffic light",), "b": ("cat", "dog")}


def test_line_numbers_count_blank_lines(tmp_path):
    lines(tmp_path / "a.csv", "image_id,labels", "", "a,cat")
    assert read_csv_tags(tmp_path / "a.csv", None).rows["a"].where.endswith("a.csv line 3")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("image_id,labels\na,cow;car\n", {"a": ("cow", "car")}),
        ("image_id;labels\na;cow,car\nb;dog\n", {"a": ("cow", "car"), "b": ("dog",)}),
        ("image_id;labels\na;cow;car\nb;dog\n", {"a": ("cow", "car"), "b": ("dog",)}),
        ("image_id\tlabels\na\tcow, car\n", {"a": ("cow", "car")}),
        ("image_id\tlabels\na\tcow\tcar\n", {"a": ("cow", "car")}),
        ('image_id,labels\na,"cow, car"\n', {"a": ("cow", "car")}),
        ('image_id, labels\na, "cow, car"\n', {"a": ("cow", "car")}),
        ("image_id,labels\na,cow,car\nb,traffic light\n", {"a": ("cow", "car"), "b": ("traffic light",)}),
        ("image_id,labels\na, cow, car,\n", {"a": ("cow", "car")}),
        ("image_id,labels\na,'cow, car'\n", {"a": ("cow", "car")}),
        ('image_id,labels\na,"cow";"car"\nb,"dog" \n', {"a": ("cow", "car"), "b": ("dog",)}),
        ('image_id,labels\na,"cow", "car"\n', {"a": ("cow", "car")}),
        ('image_id,labels\na,["horse", "person"]\n', {"a": ("horse", "person")}),
        ("image_id,labels\na,['horse', 'person']\n", {"a": ("horse", "person")}),
        ('image_id,labels\na,"[""horse"", ""person""]"\n', {"a": ("horse", "person")}),
        ('image_id,labels,split\na,["horse", "person"],train\n', {"a": ("horse", "person")}),
        ('image_id;labels\na;["horse", "person"]\n', {"a": ("horse", "person")}),
        ('image_id\tlabels\na\t["horse","person"]\n', {"a": ("horse", "person")}),
        ('image_id,labels\na,"cow\ncar"\nb,dog\n', {"a": ("cow", "car"), "b": ("dog",)}),
        ('image_id,labels\na,"x, [y], z"\n', {"a": ("x", "y", "z")}),
        ("image_id,labels,,\na,cow,,\n,,,\nb,dog,,\n", {"a": ("cow",), "b": ("dog",)}),
        ("\n\nimage_id,labels\na,cow\n", {"a": ("cow",)}),
        ("sep=;\nimage_id;labels\na;cow, car\n", {"a": ("cow", "car")}),
        ("image_id,labels\r\na,cow;car\r\n", {"a": ("cow", "car")}),
        ("image_id,labels\ra,cow;car\r", {"a": ("cow", "car")}),
        ("image_id,labels\na.JPG,cow;\nb.tiff,dog\n", {"a": ("cow",), "b": ("dog",)}),
        ('"Image ID","Tags"\n"a.jpg","cow;car"\n', {"a": ("cow", "car")}),
        ("File-Name;Klasse;CLASSES\na;x;cow\n", {"a": ("cow",)}),
        (",id,tag\n0,a,cow\n", {"a": ("cow",)}),  # with pandas' index
        ("labels,image\ncow;car,a\n", {"a": ("cow", "car")}),
    ],
)
def test_tables_as_people_write_them(tmp_path, text, expected):
    (tmp_path / "a.csv").write_bytes(text.encode())
    assert names(tmp_path / "a.csv", None) == expected
    (tmp_path / "a.csv").write_bytes(text.encode("utf-8-sig"))
    assert names(tmp_path / "a.csv", None) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1: no column 'image_id'; the header must read"),
        (b"\nfoo,labels\n", r"line 2: no column 'image_id' \(found: foo, labels\); the header must read"),
        (b"a.jpg,cow\n", r"line 1: no column 'image_id' \(found: a.jpg, cow\)"),
        (b"image_id,text\n", "line 1: no column 'labels'"),
        (b"Bild;Etiketten\n", r"line 1: no column 'image_id' \(found: Bild, Etiketten\); the header must read"),
        (b"image_id|labels\na|cat\n", "the header is one column, 'image_id.labels'; separate columns by commas, semi"),
        (b"image_id labels\na cat\n", "the header is one column, 'image_id labels'; separate columns by commas, semi"),
        (b"image_id,labels,Labels\na,cat,dog\n", "line 1: column 'labels' appears twice; remove one"),
        (b"image_id,label,tags\n", r"line 1: columns 'label' and 'tags' mean the same \(labels\)"),
        (b"id,File Name,tags\n", r"line 1: columns 'id' and 'File Name' mean the same \(image_id\)"),
        (b"image_id,labels,split\na,cat,dog,train\n", r"line 2: more cells than the header, .* 3 \(by commas\);"),
        (b"image_id;labels;split\na;cat;dog;train\n", r"line 2: more cells .* by , or \|, not by a semi"),
        (b"image_id,labels\na,cat\nb\n", "line 3: fewer cells than the header"),
        (b"image_id,labels\na;cat\n", r"line 2: fewer cells than the header, .*\(by commas\)"),
        (b"image_id,labels\n\xff,cat\n", "not a UTF-8 text"),
        ("image_id,labels\na,cat\n".encode("utf-16-le"), r"UTF-16 without a byte order mark\); save it again as UTF-8"),
        ("image_id,labels\na,K\u00e4fer\n".encode("cp1252"), r"not a UTF-8 text .* UTF-8 \(Excel: CSV UTF-8\)"),
        (b"PK\3\4\0\xff", r"an Excel workbook .* not a CSV; export it as CSV \(Excel: CSV UTF-8\)"),
        (b"PAR1\xff", "a Parquet file, not a CSV; export it as CSV"),
        (b'image_id,labels\n"a,cat\n', "line 2: not a CSV .*; fix its quotes"),
        (
            b'image_id,labels\na,"cat";"dog"\nb,"cat\nc,dog\n',
            "line 3: not a CSV .a quote is not closed.*; fix its quotes",
        ),
        (b'image_id,labels\na,{"cat": 1, "dog": 0}\n', "line 2: the labels are a JSON object"),
        (b'image_id,labels\na,[["cat"], ["dog"]]\n', "line 2: the labels are a nested list"),
        (b"image_id,labels\n,cat\n", "line 2: no image_id"),
        (b"image_id,labels\na,cat\na.jpg,dog\n", r"line 3: id 'a' is listed twice .*line 2\); remove one row"),
        (b"image_id,labels\na," + b"x" * 200_000 + b"\n", "line 2: not a CSV"),
        (b"x" * 200_000, "line 1: no column 'image_id'"),
    ],
)
def test_broken_csv(tmp_path, content, message):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DataError, match=rf"a\.csv.*{message}") as rejection:
        read_csv_tags(tmp_path / "a.csv", None)
    assert "\n" not in str(rejection.value)


def test_a_split_is_a_split_however_its_column_is_written(tmp_path):
    (tmp_path / "a.csv").write_text("Image_ID, Labels, Split\na,cat, val\n")
    assert read_csv_tags(tmp_path / "a.csv", None).rows["a"].split == "val"


def test_byte_order_mark(tmp_path):
    (tmp_path / "a.csv").write_bytes("image_id,labels\na,Käfer\n".encode("utf-8-sig"))
    assert names(tmp_path / "a.csv", None) == {"a": ("Käfer",)}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_excels_unicode_text(tmp_path, encoding):
    (tmp_path / "a.csv").write_bytes("image_id\tlabels\r\na\tKäfer, cow\r\n".encode(encoding))
    assert names(tmp_path / "a.csv", None) == {"a": ("Käfer", "cow")}


@pytest.mark.parametrize("column", ["split", "Set", "subset"])
def test_a_split_may_have_another_name(tmp_path, column):
    lines(tmp_path / "a.csv", f"image_id,labels,{column}", "a,cat,Train", "b,cat,")
    assert [row.split for row in read_csv_tags(tmp_path / "a.csv", None).rows.values()] == ["train", ""]


def test_notes_are_handed_on(tmp_path):
    lines(tmp_path / "a.csv", "image_id,labels", "a,cat;dog", "b,Cat;")
    (note,) = read_csv_tags(tmp_path / "a.csv", None).notes
    assert note == "labels: 'Cat' (1 image) is read as 'cat' (1 image)"


WORD = st.text(st.characters(categories=("Ll", "Nd"), max_codepoint=0x17F), min_size=1, max_size=5)
ROWS = st.lists(
    st.lists(st.lists(WORD, min_size=1, max_size=2).map(" ".join), min_size=2, max_size=3, unique_by=str.casefold),
    min_size=1,
    max_size=4,
)
TABLES = {
    "semicolons in a comma table": (",", ";".join),
    "quoted commas": (",", lambda row: '"' + ", ".join(row) + '"'),
    "bare commas": (",", ", ".join),
    "bare JSON": (",", lambda row: json.dumps(row, ensure_ascii=False)),
    "quoted JSON": (",", lambda row: '"' + json.dumps(row, ensure_ascii=False).replace('"', '""') + '"'),
    "Python lists": (",", repr),
    "commas in Excel's table": (";", ",".join),
    "bare semicolons": (";", ";".join),
    "JSON in Excel's table": (";", json.dumps),
    "tabs": ("\t", "\t".join),
    "JSON in a table of tabs": ("\t", json.dumps),
}


@pytest.mark.parametrize("way", TABLES)
@settings(max_examples=40)
@given(rows=ROWS)
def test_every_table_of_the_same_labels_is_read_the_same(tmp_path_factory, way, rows):
    delimiter, write = TABLES[way]
    path = tmp_path_factory.mktemp("table") / "a.csv"
    body = "".join(f"img{number}{delimiter}{write(row)}\n" for number, row in enumerate(rows))
    path.write_text(f"image_id{delimiter}labels\n{body}", encoding="utf-8")
    expected = written_with_semicolons(path.with_name("b.csv"), rows)
    assert names(path, None) == expected
    assert [len(row) for row in expected.values()] == [len(row) for row in rows]


def written_with_semicolons(path, rows):
    lines(path, "image_id,labels", *(f"img{number},{';'.join(row)}" for number, row in enumerate(rows)))
    return names(path, None)
