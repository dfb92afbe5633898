"""Artifacts that were edited by hand: every reader says in one line which file, and how to get it back."""

import json
import struct
import zipfile
from functools import partial

import numpy as np
import pytest

from auxseg.artifacts.archive import Archive, write_archive
from auxseg.artifacts.frames import read_frame
from auxseg.artifacts.tensors import TensorFile, write_tensors
from auxseg.datasets.contradictions import Contradictions
from auxseg.datasets.manifest import read_classes, read_mask_form, read_mask_list, read_shard
from auxseg.datasets.root import mask_policy, photos_root
from auxseg.errors import AuxsegError, DataError
from auxseg.guard.gate import check_gate
from auxseg.guard.record import Judgement
from auxseg.metrics.confusion import read_confusion
from auxseg.metrics.histogram import Histograms
from auxseg.metrics.labels import AREA_COLUMNS
from auxseg.metrics.saliency import SaliencyMeasures
from auxseg.metrics.tables import read_counts
from auxseg.review.uses import read_uses

NAMES = "id,path,width,height,split,labels,sha256\n"
JUDGEMENT = {
    "round": "r1",
    "reference": "r0",
    "good": True,
    "best": "r1",
    "reasons": [],
    "advice": [],
    "figures": {"lost": 0.1},
    "reference_figures": {},
}

TABLES = {
    "manifest": (read_shard, NAMES, "a,a.jpg,3,2,train,cat,00\n"),
    "classes": (read_classes, "index,name,mask_value\n", "0,background,0\n1,cat,1\n"),
    "masks": (lambda path: read_mask_list([path]), "id,path,sha256\n", "a,a.png,00\n"),
    "uses": (read_uses, "image_id,use,drop_classes\n", "a,train,\n"),
    "confusion": (lambda path: read_confusion([path], 1), "mask,label,pixels\n", "1,255,7\n"),
    "histogram": (lambda path: Histograms.read([path]), "measure,bin,count\n", "cam,3,7\n"),
    "saliency": (lambda path: SaliencyMeasures.read([path]), "measure,level,images,sum\n", "mae,0,2,0.5\n"),
    "counts": (lambda path: read_counts([path], 1), "kind,class,correct,predicted,true,images\n", "labels,0,1,2,3,1\n"),
    "areas": (lambda path: read_frame([path], AREA_COLUMNS), ",".join(AREA_COLUMNS) + "\n", "a,0,5,1\n"),
}
"""Table -> its reader, its header, and a row."""

JSONS = {
    "dataset": (mask_policy, {"format": "folder", "unlisted": "error", "scenes": None}),
    "scenes": (photos_root, {"format": "scenes", "unlisted": "error", "scenes": {}}),
    "mask form": (read_mask_form, {"kind": "values", "table": {}}),
    "contradictions": (Contradictions.read, {"compared": 2, "images": [], "message": ""}),
    "judgement": (Judgement.read, JUDGEMENT),
}


def one_line(error) -> str:
    message = str(error.value)
    assert "\n" not in message and len(message) < 400
    return message


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize(
    "change",
    [
        "empty",
        "no header",
        "renamed column",
        "cut row",
        "surplus cell",
        "text",
        "binary",
        "nul",
        "missing",
    ],
)
def test_tables(tmp_path, name, change):
    read, header, row = TABLES[name]
    path = tmp_path / "table.csv"
    path.write_text(header + row)
    read(path)
    columns = header.strip().split(",")
    path.write_bytes(
        {
            "empty": b"",
            "no header": row.encode(),
            "renamed column": (header.replace(columns[0], "other", 1) + row).encode(),
            "cut row": (header + row.rpartition(",")[0] + "\n").encode(),
            "surplus cell": (header + row.splitlines()[-1] + ",x,y\n").encode(),
            "text": (
                header + row.replace("0", "many").replace("1", "many").replace("3", "many").replace("7", "many")
            ).encode(),
            "binary": bytes(range(128, 256)),
            "nul": b"\0" * 100,
            "missing": b"",
        }[change]
    )
    if change == "missing":
        path.unlink()
    if change == "text" and name in ("masks", "uses"):
        return  # all cells are text
    if change == "surplus cell" and name == "areas":
        assert read(path).to_numpy().tolist() == [["a", 0, 5, 1]]  # pandas leaves it out
        return
    with pytest.raises(DataError) as error:
        read(path)
    assert one_line(error).startswith(f"{path}") and ";" in one_line(error)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("manifest", "a,a.jpg,0,2,train,cat,00\n"),
        ("manifest", "a,a.jpg,3,2,test,cat,00\n"),
        ("manifest", "a,a.jpg,3,2,train,cat,00\na,a.jpg,3,2,train,cat,00\n"),
        ("classes", "0,background,0\n"),
        ("classes", "0,background,0\n1,cat,1\n2,cat,2\n"),
        ("classes", "0,background,0\n1,cat,300\n"),
        ("uses", "a,burn,\n"),
        ("confusion", "1,9,7\n"),
        ("histogram", "cam,20,7\n"),
        ("counts", "labels,5,1,2,3,1\n"),
        ("counts", f"labels,0,{10**30},2,3,1\n"),
    ],
)
def test_rows_that_mean_nothing(tmp_path, name, row):
    read, header, _ = TABLES[name]
    (tmp_path / "table.csv").write_text(header + row)
    with pytest.raises(DataError) as error:
        read(tmp_path / "table.csv")
    assert one_line(error).startswith(f"{tmp_path / 'table.csv'}: damaged: ")


@pytest.mark.parametrize("name", JSONS)
@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"3", b'"x"', b"{}", b"\xff\xfe", b"[" * 100_000, b'{"format": "scenes"}']
)
def test_json(tmp_path, name, content):
    read, _ = JSONS[name]
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(DataError) as error:
        read(tmp_path / "a.json")
    assert one_line(error).startswith(f"{tmp_path / 'a.json'}: ")


@pytest.mark.parametrize("key", JUDGEMENT)
@pytest.mark.parametrize("value", [3, "x", [1, {}], {"a": "b"}, {"lost": float("nan")}])
def test_values_of_other_types_in_a_judgement(tmp_path, key, value):
    (tmp_path / "a.json").write_text(json.dumps({**JUDGEMENT, key: value}))
    with pytest.raises(DataError) as error:
        Judgement.read(tmp_path / "a.json")
    assert one_line(error).startswith(f"{tmp_path / 'a.json'}: not readable")


@pytest.mark.parametrize(("content", "message"), [(None, "no such file"), (b"", "damaged"), (b"\xff", "damaged")])
def test_gate(tmp_path, content, message):
    if content is not None:
        (tmp_path / "gate.txt").write_bytes(content)
    with pytest.raises(DataError, match=rf"gate\.txt: {message}"):
        check_gate(tmp_path / "gate.txt")


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]


@pytest.mark.parametrize("kind", ["archive", "tensors"])
def test_cut_and_flipped_files_never_give_a_traceback(tmp_path, kind):
    """Every length and every byte: read, or one line; members of an archive have checksums."""
    path, members = tmp_path / "a.bin", {"a.png": b"one" * 9, "b.png": b"two" * 9}
    if kind == "archive":
        write_archive(path, members)
    else:
        write_tensors(
            path, {"a": np.arange(6, dtype=np.float16).reshape(2, 3), "b": np.zeros((2, 2), np.uint8)}, {"x": 1}
        )
    whole = path.read_bytes()
    handled = 0
    for content in [*(whole[:size] for size in range(len(whole))), *map(partial(flipped, whole), range(len(whole)))]:
        path.write_bytes(content)
        try:
            found = Archive(path) if kind == "archive" else TensorFile(path)
            values = dict(found)
            if kind == "archive":
                assert all(value == members[name] for name, value in values.items() if name in members)
            else:
                _ = found.metadata
        except AuxsegError as error:
            assert str(error).startswith(str(path)) and "\n" not in str(error)
            handled += 1
    assert handled > len(whole) / 2


def test_members_in_forms_that_are_not_written_here(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", b"one")
    content = bytearray(path.read_bytes())
    for start, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        struct.pack_into("<H", content, content.index(start) + offset, 1)  # encrypted
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.zip: 'a\.png' is damaged \(.*encrypted"):
        Archive(path)["a.png"]
