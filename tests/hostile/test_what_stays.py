"""What must still be read, written or said beside hostile input."""

import contextlib
import os

import numpy as np
import pytest
from PIL import Image, ImageFile

from auxseg import images
from auxseg.artifacts.atomic import atomic_path, write_text
from auxseg.artifacts.tables import read_csv, write_csv
from auxseg.cli.predict import _check_names
from auxseg.datasets.annotations.annotated import ImageFiles
from auxseg.datasets.collect import _check_printable
from auxseg.datasets.listing import Folder, Listed
from auxseg.datasets.scan import scan
from auxseg.datasets.tags import read_npy_tags
from auxseg.datasets.unpickle import load_object_npy
from auxseg.errors import QUOTED, DataError, ParamsError, cut, quote, shorten
from auxseg.files import real_path
from auxseg.params.local import data_root
from auxseg.params.yaml_file import read_yaml
from auxseg.review.verdicts import Verdict, read_verdicts, write_verdicts

ODD = ["a\rb", "a\nb", "a\r\nb", 'a"b', "a,b", "\x1b[31m", "a\u2028b", "a\x85b", " a", ""]


def verdict(image_id="a", note="", reviewer="ann"):
    return Verdict(image_id, "0" * 64, "r0", "accept", (), note, reviewer, "2026-01-31")


def test_any_cell_is_read_back_and_only_a_lone_cr_changed_the_bytes(tmp_path):
    write_csv(tmp_path / "t.csv", ["id", "text"], [[str(n), text] for n, text in enumerate(ODD)])
    assert [row["text"] for row in read_csv(tmp_path / "t.csv")] == ODD
    assert (tmp_path / "t.csv").read_bytes().startswith(b'id,text\n0,"a\rb"\n1,"a\nb"\n')
    write_csv(tmp_path / "u.csv", ["id", "text"], [[1, "a b"], [2, 0.5]])
    assert (tmp_path / "u.csv").read_bytes() == b"id,text\n1,a b\n2,0.5\n"


@pytest.mark.parametrize("text", [text.strip() for text in ODD])
def test_verdicts_keep_any_note_and_reviewer(tmp_path, text):
    own = [verdict(note=text), verdict("b", reviewer=text)]
    write_verdicts(tmp_path / "v.csv", own)
    assert read_verdicts(tmp_path / "v.csv") == own


@pytest.mark.parametrize("bad", [verdict(note="x" * 200_000), verdict("a\rb"), verdict(note=" outer space ")])
def test_verdicts_that_would_not_be_read_back_leave_the_table_as_it_was(tmp_path, bad):
    write_verdicts(tmp_path / "v.csv", [verdict()])
    before = (tmp_path / "v.csv").read_bytes()
    with pytest.raises(DataError, match=r"v\.csv: not written, because"):
        write_verdicts(tmp_path / "v.csv", [verdict(), bad])
    assert (tmp_path / "v.csv").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["v.csv"]


@pytest.mark.parametrize("name", ["a\rb", "a\nb", "a\x1bb", "a\u2028b", "a\udcffb", "a\tb"])
@pytest.mark.parametrize("field", ["id", "path", "mask"])
def test_ids_and_paths_with_control_characters_are_refused(name, field):
    item = Listed(**{"id": "a", "split": "train", "path": "a.jpg", "mask": None, "where": "list line 3", field: name})
    with pytest.raises(DataError, match=r"list line 3: 'a\\.+b' has control characters"):
        _check_printable(item)


def test_a_name_of_251_bytes_is_written_and_longer_ones_are_told_first(tmp_path):
    write_text(tmp_path / ("n" * 247 + ".png"), "content")
    write_text(tmp_path / ("ä" * 125 + ".png"), "content")
    assert len(list(tmp_path.iterdir())) == 2
    _check_names([tmp_path / f"{'n' * 251}.bmp"])
    with pytest.raises(DataError, match=r"too long for '<id>\.png'"):
        _check_names([tmp_path / "a.jpg", tmp_path / f"{'n' * 252}.jpg"])
    with pytest.raises(DataError, match=r"a\\rb\.jpg: the name has control characters"):
        _check_names([tmp_path / "a\rb.jpg"])


def test_temporary_names_are_hidden_and_within_the_limit(tmp_path):
    with contextlib.suppress(ZeroDivisionError), atomic_path(tmp_path / ("n" * 255)) as temporary:
        assert temporary.parent.name.startswith(f".tmp-{os.getpid()}-")
        assert max(len(temporary.name), len(temporary.parent.name)) <= 255
        raise ZeroDivisionError


@pytest.mark.parametrize("kind", ["JPEG", "MPO", "PNG", "BMP", "TIFF", "WEBP", "GIF", "PPM"])
def test_every_format_of_the_list_is_read_under_any_name(tmp_path, kind):
    Image.fromarray(np.full((4, 6, 3), 200, np.uint8)).save(tmp_path / "a.jpg", kind)
    found = images.read_rgb(tmp_path / "a.jpg")
    assert found.shape == (4, 6, 3)
    assert np.abs(found.astype(int) - 200).max() <= 2


def test_heif_is_in_the_list_only_for_its_file_extension(tmp_path, monkeypatch):
    """What pillow-heif registers, without pillow-heif."""

    class Heif(ImageFile.ImageFile):
        format = "HEIF"

        def _open(self):
            self._size, self._mode = (6, 4), "L"
            self.tile = [ImageFile._Tile("raw", (0, 0, 6, 4), 12, ("L", 0, 1))]

    class Package:
        @staticmethod
        def register_heif_opener():
            Image.register_open("HEIF", Heif, lambda prefix: prefix[4:12] == b"ftypheic")

    monkeypatch.setattr(images, "HEIC_SUFFIXES", (".heic", ".heif"))
    monkeypatch.setattr(images.importlib, "import_module", {"pillow_heif": Package}.__getitem__)
    content = b"\0\0\0\x0cftypheic" + b"\xc8" * 24
    for name in ("a.HEIC", "a.jpg"):
        (tmp_path / name).write_bytes(content)
    try:
        assert (images.read_rgb(tmp_path / "a.HEIC") == 200).all()
        with pytest.raises(DataError, match=r"a\.jpg: not a readable image"):
            images.read_rgb(tmp_path / "a.jpg")
    finally:
        Image.OPEN.pop("HEIF", None)
        if "HEIF" in Image.ID:
            Image.ID.remove("HEIF")


def test_the_largest_images_of_phones_pass_the_limit():
    images.check_pixels(9024, 12032)
    with pytest.raises(ValueError, match="12000 x 12000 pixels, more than 134 megapixels"):
        images.check_pixels(12_000, 12_000)


def test_lists_may_be_shared_and_stay_shared(tmp_path):
    row = [0, 1]
    np.save(tmp_path / "l.npy", np.array({"a": row, "b": row}, object), allow_pickle=True)
    found = load_object_npy(tmp_path / "l.npy")
    assert found == {"a": [0, 1], "b": [0, 1]}
    assert found["a"] is found["b"]


def test_an_id_of_5001_digits_is_an_id(tmp_path):
    np.save(tmp_path / "l.npy", np.array({9: [1]}, object), allow_pickle=True)
    assert list(read_npy_tags(tmp_path / "l.npy", {1: "cat"}, ["1" * 5001, "x_000009"])) == ["x_000009"]


def test_aliases_that_stand_for_little_are_read(tmp_path):
    (tmp_path / "p.yaml").write_text("a: &a {x: 1, y: [1, 2]}\nb: {<<: *a, x: 3}\nc: *a\n")
    content = read_yaml(tmp_path / "p.yaml")
    assert content == {"a": {"x": 1, "y": [1, 2]}, "b": {"x": 3, "y": [1, 2]}, "c": {"x": 1, "y": [1, 2]}}


def test_an_unknown_user(monkeypatch):
    monkeypatch.setenv("AUXSEG_DATA", "~nobody-of-this-name/data")
    with pytest.raises(ParamsError, match="data root '~nobody-of-this-name/data' names an unknown user"):
        data_root("folder")


def test_links_to_themselves_and_endless_names_are_no_files(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    assert real_path(tmp_path / "loop") == tmp_path.resolve() / "loop"
    with pytest.raises(DataError, match=r"loop: cannot be read \(Too many levels of symbolic links\)"):
        scan(tmp_path)
    endless = f"{'n' * 300}/a"
    assert Folder(tmp_path, ".", (".jpg",)).find(endless) is None
    assert ImageFiles(tmp_path, ".").find(endless, tmp_path / "a.json") is None


def test_what_messages_quote():
    assert cut("a" * 40 + "b" * 41) == "a" * 40 + "…" + "b" * 39
    assert cut("a" * QUOTED) == "a" * QUOTED
    assert str(DataError(f"x 'it's {'y' * 200}' is 'short'")) == f"x 'it's {'y' * 35}…{'y' * 39}' is 'short'"
    assert str(DataError("image's name\x1b[31m\r\n\u2028end")) == r"image's name\x1b[31m\r\n\u2028end"
    assert quote({"a": [1, 2]}) == "{'a': [1, 2]}"
    assert len(quote(["x" * 10**6] * 10**6)) <= QUOTED
    assert quote(1 << 20_000) == "a number of 20001 bits"
    assert shorten(["a\nb", "y" * 100, "c"], 2) == rf"a\nb, {'y' * 40}…{'y' * 39}, …"
