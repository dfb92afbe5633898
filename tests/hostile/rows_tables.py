"""CSV, JSON, XML and lists: labels, verdicts, corrections, colours, annotations."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

from rows import Row, content, no_file

from auxseg.artifacts.frames import read_frame
from auxseg.artifacts.tables import read_csv
from auxseg.cli.corrections import read_labels
from auxseg.cli.corrections_export import read_ids
from auxseg.datasets.annotations import label_studio_file
from auxseg.datasets.annotations.annotated import read_annotations
from auxseg.datasets.annotations.coco_file import read_coco_file
from auxseg.datasets.annotations.drawing import coco_region, png_region
from auxseg.datasets.annotations.label_studio_file import read_label_studio_file
from auxseg.datasets.annotations.labelme_file import read_labelme_file
from auxseg.datasets.class_table import class_table
from auxseg.datasets.colour_png import read_colours
from auxseg.datasets.csv_tags import read_class_columns, read_csv_tags
from auxseg.datasets.json_tags import read_json_tags
from auxseg.datasets.manifest import ClassTable
from auxseg.datasets.tags import read_xml_tags
from auxseg.errors import DataError
from auxseg.review.corrections import read_corrections
from auxseg.review.verdicts import read_verdicts

HASH = "0" * 64
CORRECTIONS = "image_id,round,classes,image_sha256,source,reviewer,date"
VERDICT = f"a,{HASH},r0,accept,,fine,ann,2026-01-31"
HEADER = "image_id,label_hash,round,verdict,drop_classes,note,reviewer,date"


def csv_labels(path: Path):
    return read_csv_tags(path, None)


def json_labels(path: Path):
    return read_json_tags(path, None)


def xml(path: Path):
    return read_xml_tags(path.parent, [path.stem], True)


def frame(path: Path):
    return read_frame([path], {"id": str})


def ids(path: Path):
    return read_ids(path, "r0", {})


def verdicts(name: str, row: str, line: str, header: str = HEADER) -> Row:
    return Row(f"verdicts: {name}", read_verdicts, content("v.csv", f"{header}\n{row}\n".encode()), line)


def labels(name: str, text: str | bytes, line: str) -> Row:
    return Row(f"labels: {name}", csv_labels, content("l.csv", text), line)


def json_of(name: str, text: object, line: str) -> Row:
    data = text if isinstance(text, str | bytes) else json.dumps(text)
    return Row(f"JSON of labels: {name}", json_labels, content("l.json", data), line)


def coco(name: str, line: str, **changes) -> Row:
    image = {"id": 1, "file_name": "a.jpg", "height": 4, "width": 6, **changes.pop("image", {})}
    whole = {"images": [image], "annotations": [], "categories": [{"id": 1, "name": "cat"}], **changes}
    return Row(f"COCO: {name}", read_coco_file, content("c.json", json.dumps(whole)), line)


def region(name: str, shape: object, line: str) -> Row:
    def read(_: Path):
        try:
            coco_region(shape, (4, 6))
        except ValueError as error:
            raise DataError(str(error)) from None

    return Row(f"region: {name}", read, lambda folder: folder, line)


def corrected(path: Path):
    label_studio_file._parsed.cache_clear()  # files are written more often than their time of change tells
    return read_labels(path, ClassTable(("cat", "traffic light"), (8, 12)), {"a": (40, 60)})


def zipped(*members: tuple[str, bytes], change: Callable[[bytes], bytes] = lambda content: content) -> bytes:
    """Return a zip of compressed members, changed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return change(stream.getvalue())


def png_in_json(path: Path):
    try:
        png_region(path.read_text())
    except ValueError as error:
        raise DataError(str(error)) from None


def class_name(name: str, text: str) -> Row:
    return Row(
        f"class name: {name}", lambda _: class_table([text], ()), lambda folder: folder, "cannot be a class name"
    )


DEEP = "[" * 100_000 + "]" * 100_000

ROWS = [
    *no_file(
        [
            ("l.csv", csv_labels),
            ("_classes.csv", read_class_columns),
            ("l.json", json_labels),
            ("v.csv", read_verdicts),
            ("c.csv", read_corrections),
            ("colours.csv", read_colours),
            ("t.csv", read_csv),
            ("t.csv", frame),
            ("ids.txt", ids),
            ("a.json", read_annotations),
            ("a.json", read_coco_file),
            ("a.json", read_labelme_file),
            ("a.json", read_label_studio_file),
        ]
    ),
    verdicts("a column twice", VERDICT + ",reject", "column 'verdict' appears twice; remove one", HEADER + ",verdict"),
    verdicts("a column twice, with a space", VERDICT + ",x", "column 'note' appears twice", HEADER + ", note"),
    verdicts("lone CR in an id", VERDICT.replace("a,", '"a\rb",', 1), r"image_id 'a\\rb' has control characters"),
    verdicts("LF in an id", VERDICT.replace("a,", '"a\nb",', 1), r"image_id 'a\\nb' has control characters"),
    verdicts("ESC in an id", VERDICT.replace("a,", "a\x1b[31m,", 1), r"image_id 'a\\x1b\[31m' has control"),
    verdicts("U+2028 in an id", VERDICT.replace("a,", "a\u2028b,", 1), r"image_id 'a\\u2028b' has control"),
    verdicts("NEL in an id", VERDICT.replace("a,", "a\x85b,", 1), r"image_id 'a\\x85b' has control"),
    verdicts("BEL in a class", VERDICT.replace(",,", ",c\x07t,", 1), r"drop_classes 'c\\x07t' has control"),
    verdicts("an unquoted lone CR", VERDICT.replace("fine", "fi\rne"), "has no cell"),
    verdicts("ESC in a hash", VERDICT.replace(HASH, "\x1b]0;x\x07"), r"label_hash '\\x1b\]0;x\\x07' is not"),
    verdicts("a round of 5,001 digits", VERDICT.replace("r0", "r" + "1" * 5001), "is not a round"),
    verdicts("a verdict of 100 kB", VERDICT.replace("accept", "x" * 100_000), "is not one of accept"),
    verdicts("a note of 200 kB", VERDICT.replace("fine", "x" * 200_000), "field larger than field limit"),
    verdicts("a quote that is not closed", VERDICT.replace("fine", '"fine'), "has no cell"),
    verdicts("a date in other digits", VERDICT.replace("2026", "\uff12026"), "is not an ISO date"),
    Row("verdicts: UTF-16", read_verdicts, content("v.csv", HEADER.encode("utf-16-le")), "UTF-16 without"),
    labels("a column twice", "image_id,labels,note,note\na,cat,x,y\n", "column 'note' appears twice"),
    labels("labels twice", "image_id,labels,labels\na,cat,dog\n", "column 'labels' appears twice"),
    labels("a one-hot class twice", "image_id,cat,cat\na,1,0\n", "column 'cat' appears twice"),
    labels("bytes", b"image_id,labels\n\xff\xfe,cat\n", "not a UTF-8 text"),
    labels("NUL", b"\0\0\0\0", "no column 'image_id'"),
    labels("nothing", b"", "no column 'image_id'"),
    labels("a quote that is never closed", 'image_id,labels\na,"cat\nb,dog\n', "not a CSV"),
    labels("a line of 1 MB", "image_id,labels\na," + '"' + "x" * 2**20 + '"\n', "field larger than field limit"),
    labels("a header of 1 MB", "x" * 2**20, "no column 'image_id'"),
    labels("a first row of 140 kB below a header that is none", "x;y\n" + "x" * 140_000, "no column 'image_id'"),
    labels("an id of ESC twice", "image_id,labels\n\x1b,cat\n\x1b,dog\n", r"id '\\x1b' is listed twice"),
    labels("a nested list", 'image_id,labels\na,"[[[[cat]]]]"\n', "nested list"),
    labels("an object", 'image_id,labels\na,"{""cat"": 1}"\n', "JSON object"),
    Row("table: a column twice", read_csv, content("t.csv", "id,id\n1,2\n"), "line 1: column 'id' appears twice"),
    Row(
        "corrections: a column twice",
        read_corrections,
        content("c.csv", f"{CORRECTIONS},round\n"),
        "'round' appears twice",
    ),
    Row(
        "corrections: ESC in an id",
        read_corrections,
        content("c.csv", f"{CORRECTIONS}\na\x1b,r0,,{HASH},x,y,z\n"),
        "control",
    ),
    Row("colours: a column twice", read_colours, content("c.csv", "name,r,g,b,R\ncat,1,2,3,4\n"), "'r' appears twice"),
    Row("colours: bytes", read_colours, content("c.csv", b"\xff\xff"), "not a UTF-8 text"),
    Row(
        "colours: a number of 5,001 digits",
        read_colours,
        content("c.csv", "name,r,g,b\ncat,1,2," + "3" * 5001),
        "expected columns name,r,g,b",
    ),
    Row(
        "colours: a header of 140 kB",
        read_colours,
        content("c.csv", "x" * 140_000),
        r"c\.csv: not CSV \(field larger than field limit",
    ),
    json_of("100,000 levels", DEEP, "nested too deeply"),
    json_of("a number of 5,001 digits", "1" * 5001, "not JSON"),
    json_of("nothing", "", "not JSON"),
    json_of("bytes", b"\xff", "not a UTF-8 text"),
    json_of("an image twice", '{"a": ["cat"], "a": ["dog"]}', "'a' appears twice"),
    json_of("a number", "7", "neither an object nor a list"),
    json_of("labels that are numbers", {"a": [1]}, "is not the name of a class"),
    json_of("labels of 1 MB", {"a": {"x" * 2**20: 7}}, "is not a list of class names"),
    Row("annotations: 100,000 levels", read_annotations, content("a.json", DEEP), "nested too deeply"),
    coco("a side of 10^9", "more than 134 megapixels", image={"height": 10**9, "width": 10**9}),
    coco("a side of 400 digits", "10\\^9 pixels", image={"height": 10**400}),
    coco("an endless side", "endless", image={"height": float("inf")}),
    coco("no side", "not a COCO JSON", image={"height": None}),
    coco("a category of no one", "has category_id 9", annotations=[{"id": 1, "image_id": 1, "category_id": 9}]),
    coco("a category that is a list", "not a COCO JSON", annotations=[{"id": 1, "image_id": 1, "category_id": []}]),
    coco("categories without names", "not a COCO JSON", categories=[{"id": 1}]),
    region("an RLE of another size", {"size": [10**6, 10**6], "counts": [1]}, "has size .*, the image"),
    region("an RLE that is too long", {"size": [4, 6], "counts": [10, 1000]}, "is not a polygon or RLE"),
    region("counts that are negative", {"size": [4, 6], "counts": [-1]}, "is not a polygon or RLE"),
    region("a number", 7, "is not a polygon or RLE"),
    region("a polygon of 400 digits", [[10**400] * 6], "where a polygon is a list of numbers"),
    region("a polygon of text", [["a"] * 6], "where a polygon is a list of numbers"),
    Row(
        "labelme: a size of 400 digits",
        read_labelme_file,
        content("a.json", json.dumps({"shapes": [], "imagePath": "a", "imageHeight": 10**400, "imageWidth": 1})),
        "not a JSON of labelme",
    ),
    Row(
        "labelme: shapes that are numbers",
        read_labelme_file,
        content("a.json", json.dumps({"shapes": [7], "imagePath": "a", "imageHeight": 1, "imageWidth": 1})),
        "not a JSON of labelme",
    ),
    Row("Label Studio: another JSON", read_label_studio_file, content("a.json", "[]"), "not an export of Label Studio"),
    Row(
        "corrections: a zip with damaged deflate",
        corrected,
        content(
            "m.zip",
            zipped(("labelmap.txt", b"cat:1,0,0::\n" * 99), change=lambda data: data[:42] + b"\xff" + data[43:]),
        ),
        r"m\.zip: not a readable zip \(Error -3",
    ),
    Row(
        "corrections: a zip of 100 MB of zeros",
        corrected,
        content("m.zip", zipped(("labelmap.txt", b""), ("SegmentationClass/a.png", bytes(100_000_000)))),
        r"m\.zip: 100000000 bytes when unpacked",
    ),
    Row("a PNG in base64 that is EPS", png_in_json, content("a.txt", "JSFQUy1BZG9iZS0zLjAgRVBTRi0zLjAK"), "not a PNG"),
    Row("a PNG in base64 that is none", png_in_json, content("a.txt", "7"), "not a PNG in base64"),
    Row("XML with entities", xml, content("a.xml", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "document type"),
    Row("XML that is cut", xml, content("a.xml", "<annotation><object>"), "not valid XML"),
    Row("XML that is a folder", xml, content("a.xml", b"\0"), "not valid XML"),
    *(
        class_name(*pair)
        for pair in (
            ("CR", "a\rb"),
            ("LF", "a\nb"),
            ("ESC", "a\x1bb"),
            ("tab", "a\tb"),
            ("U+2028", "a\u2028b"),
            ("a surrogate", "a\udcffb"),
            ("NUL", "a\0b"),
        )
    ),
]
