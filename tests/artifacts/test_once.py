"""Files are opened once, and again when they have been replaced."""

from auxseg.artifacts.atomic import write_text
from auxseg.artifacts.once import opened_once


def test_a_file_is_opened_once_until_it_is_written_anew_or_another_one_is_meant(tmp_path, monkeypatch):
    opened = []

    @opened_once
    def text_of(path):
        opened.append(path)
        return path.read_text()

    for folder in ("a", "b"):
        write_text(tmp_path / folder / "x", folder)
    monkeypatch.chdir(tmp_path / "a")
    path = (tmp_path / "a/x").relative_to(tmp_path / "a")
    assert [text_of(path), text_of(path)] == ["a", "a"]
    write_text(path, "c")
    assert text_of(path) == "c"
    monkeypatch.chdir(tmp_path / "b")
    assert text_of(path) == "b"
    assert len(opened) == 3
