"""The automatic split: files with the same bytes stay together, as groups do, and what is given is followed."""

import hashlib

import pytest
from builders import lines, mask, photo
from PIL import Image

from auxseg.datasets.collect import collect
from auxseg.datasets.prepare import prepare
from auxseg.datasets.splits import Candidate, in_val, same_files, split_images
from auxseg.params.data import DataParams

VAL = [name for name in (f"n{number}" for number in range(200)) if in_val(name, 0.3)]
TRAIN = [name for name in (f"n{number}" for number in range(200)) if not in_val(name, 0.3)]


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    monkeypatch.setattr("auxseg.parallel.available_cpus", lambda: 1)


def split(tmp_path, files, share=0.3, **given):
    """Split images, id -> content; `given`: id -> further fields of `Candidate`."""
    candidates = {}
    for key, content in files.items():
        (tmp_path / key).write_bytes(content)
        candidates[key] = Candidate(tmp_path / key, **{"has_mask": True, **given.get(key, {})})
    return split_images(candidates, share, mask_needed=True, one_at_least=False)


def test_the_same_bytes_stay_together(tmp_path):
    alone = {key: key.encode() for key in (*VAL[:5], *TRAIN[:5])}
    found = split(tmp_path, alone)
    assert found == {**dict.fromkeys(VAL[:5], "val"), **dict.fromkeys(TRAIN[:5], "train")}
    twins = {**alone, VAL[0]: b"same", TRAIN[0]: b"same", TRAIN[1]: b"same"}
    together = split(tmp_path, twins)
    assert len({together[key] for key in (VAL[0], TRAIN[0], TRAIN[1])}) == 1
    others = set(alone) - {VAL[0], TRAIN[0], TRAIN[1]}
    assert all(together[key] == found[key] for key in others)  # the split of no other image changes


def test_copies_join_their_groups(tmp_path):
    """a and b are of group x, c and d of y; b and c are one file, so all four are of one origin."""
    groups = {"a": {"group": "x"}, "b": {"group": "x"}, "c": {"group": "y"}, "d": {"group": "y"}}
    for number in range(20):
        name = {key: {"group": f"{value['group']}{number}"} for key, value in groups.items()}
        found = split(tmp_path, {"a": b"1", "b": b"2", "c": b"2", "d": b"3"}, 0.5, **name)
        assert len(set(found.values())) == 1


def test_a_copy_follows_the_split_that_is_given(tmp_path):
    for given in ("train", "val"):
        found = split(tmp_path, {VAL[0]: b"1", TRAIN[0]: b"1", "x": b"1"}, **{"x": {"split": given}})
        assert set(found.values()) == {given}
    assert split(tmp_path, {VAL[0]: b"1", "x": b"1"}, 0.3, x={"split": "train"})[VAL[0]] == "train"


def test_a_group_follows_the_split_that_is_given(tmp_path):
    given = {VAL[0]: {"group": "g"}, "x": {"group": "g", "split": "train"}}
    assert split(tmp_path, {VAL[0]: b"1", "x": b"2"}, 0.999, **given) == {VAL[0]: "train", "x": "train"}


def test_an_origin_with_one_mask_may_be_val(tmp_path):
    chosen = min(VAL[0], "zz")
    found = split(tmp_path, {chosen: b"1", "zz": b"1"}, **{chosen: {"has_mask": False}})
    assert set(found.values()) == {"val"}
    assert set(split(tmp_path, {VAL[0]: b"1"}, **{VAL[0]: {"has_mask": False}}).values()) == {"train"}


def test_same_files_compares_whole_files(tmp_path):
    end = b"e" * 5000
    contents = {"a": b"1" + end, "b": b"2" + end, "c": b"1" + end, "d": end, "e": b"", "f": b""}
    for key, content in contents.items():
        (tmp_path / key).write_bytes(content)
    paths = {key: tmp_path / key for key in (*contents, "missing")}
    assert same_files(paths) == [["a", "c"], ["e", "f"]]


def test_only_files_of_one_size_and_end_are_read_whole(tmp_path, monkeypatch):
    for number in range(5):
        (tmp_path / str(number)).write_bytes(bytes([number]) * (9 if number < 3 else 10))
    read = []
    monkeypatch.setattr("auxseg.datasets.splits.sha256_file", lambda path: read.append(path))
    assert same_files({str(number): tmp_path / str(number) for number in range(5)}) == [] and read == []


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Twelve images with masks; the automatic split would put the second of each pair of copies elsewhere."""
    monkeypatch.setenv("AUXSEG_DATA", str(tmp_path / "raw"))
    val, train = ([key for key in map(str, range(100)) if in_val(key, 0.2) == wanted] for wanted in (True, False))
    for one, other in zip(val[:6], train[:6], strict=True):
        photo(tmp_path / f"raw/images/{one}.png")
        (tmp_path / f"raw/images/{other}.png").write_bytes((tmp_path / f"raw/images/{one}.png").read_bytes())
        for name in (one, other):
            mask(tmp_path / f"raw/masks/{name}.png", (1,))
    return tmp_path / "raw"


def run(root, **data):
    out = root.parent / "out"
    data = {"format": "folder", "classes": ["cat", "dog"], "folder": {"masks": "masks"}, **data}
    prepare(DataParams.parse(data), ["00"], out / "manifest", out / "masks", out / "contradictions.json")


def names(root):
    return sorted(path.stem for path in (root / "images").iterdir())


def test_the_automatic_split_is_not_rejected_for_its_own_leakage(root):
    lines(root / "image_labels.csv", "image_id,labels", *(f"{name},cat;" for name in names(root)))
    run(root)
    found = collect(root, DataParams.parse({"format": "folder", "classes": ["cat"], "folder": {"masks": "masks"}}))
    by_content: dict[str, set[str]] = {}
    for item in found.images:
        digest = hashlib.sha256((root / item.path).read_bytes()).hexdigest()
        by_content.setdefault(digest, set()).add(item.split)
    assert len(by_content) == 6 and all(len(splits) == 1 for splits in by_content.values())


def test_so_are_class_folders(tmp_path, monkeypatch):
    for name in ("cat", "dog"):
        for number in range(30):
            photo(tmp_path / f"{name}/{number}.png")  # 30 files, each in both folders
            mask(tmp_path / f"masks/{name}/{number}.png", (1,))
    data = {"format": "class-folders", "classes": ["cat", "dog"], "folder": {"masks": "masks", "val_share": 0.4}}
    found = {item.id: item.split for item in collect(tmp_path, DataParams.parse(data)).images}
    assert set(found.values()) == {"train", "val"}
    assert all(found[f"cat/{number}"] == found[f"dog/{number}"] for number in range(30))


def test_copies_with_other_labels_are_a_warning(root, caplog):
    pairs = [(one, other) for one in names(root) for other in names(root) if one < other and same(root, one, other)]
    rows = {name: "cat" for name in names(root)}
    rows[pairs[0][1]], rows[pairs[1][1]] = "cat;dog", ""
    lines(root / "image_labels.csv", "image_id,labels", *(f'{name},"{label}"' for name, label in rows.items()))
    run(root)
    first = f"images/{pairs[0][0]}.png (cat) = images/{pairs[0][1]}.png (cat, dog)"
    assert "2 pairs of images are the same file with other labels: " in caplog.text and first in caplog.text
    assert f"images/{pairs[1][1]}.png (no label); correct" in caplog.text
    caplog.clear()
    run(root, tags="partial")
    assert "other labels" not in caplog.text


def same(root, one, other):
    return Image.open(root / f"images/{one}.png").tobytes() == Image.open(root / f"images/{other}.png").tobytes()
