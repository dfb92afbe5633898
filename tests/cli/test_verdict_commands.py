"""`auxseg verdicts import` and `auxseg verdicts status`, in a folder with labels of two rounds."""

import hashlib
from pathlib import Path

import default_params
import pytest

from auxseg.artifacts.archive import write_archive
from auxseg.cli.main import main
from auxseg.errors import cut

HEADER = "image_id,label_hash,round,verdict,drop_classes,note,reviewer,date\n"
TABLE = Path("review/verdicts.csv")


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


ROWS = {
    "a": f"a,{digest(b'a0')},r0,reject,,blurred,ann,2026-01-02T10:00:00Z\n",
    "b": f"b,{digest(b'old')},r0,accept,cat;dog,,ann,2026-01-02T10:01:00Z\n",
    "a, newer": f"a,{digest(b'a0')},r0,accept,,after all,ann,2026-01-03T10:00:00Z\n",
    "a, bob": f"a,{digest(b'a0')},r0,reject,,,bob,2026-01-01\n",
    "a, r1": f"a,{digest(b'a1')},r1,unsure,,,ann,2026-01-01\n",
    "gone": f"gone,{digest(b'x')},r1,reject,,,ann,2026-01-01\n",
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = default_params.TEXT.replace("{r1: r0, r2: r1}", "{r1: r0}").replace("[r0, r1, r2]", "[r0, r1]")
    Path("dvc.yaml").touch()
    Path("params.yaml").write_text(text)
    Path("data/manifest").mkdir(parents=True)
    Path("data/manifest/classes.csv").write_text("index,name,mask_value\n0,background,0\n1,cat,1\n2,dog,2\n")
    Path("review").mkdir()
    TABLE.write_text(HEADER)
    for name in ("0", "1"):
        write_archive(Path(f"data/labels/r{name}/00.zip"), {"a.png": f"a{name}".encode()})
        write_archive(Path(f"data/labels/r{name}/01.zip"), {"b.png": f"b{name}".encode()})
    return tmp_path


def export(name: str, *rows: str) -> str:
    Path(name).write_text(HEADER + "".join(ROWS[row] for row in rows))
    return name


def test_import_merges_sorts_and_is_idempotent(project, capsys):
    assert main(["verdicts", "import", export("1.csv", "a, r1", "b", "a")]) == 0
    assert TABLE.read_text() == HEADER + ROWS["a"] + ROWS["b"] + ROWS["a, r1"]
    assert capsys.readouterr().out.startswith("review/verdicts.csv: 3 verdicts, 3 new, 0 changed; of 3 imported rows\n")
    before = TABLE.read_bytes()
    assert main(["verdicts", "import", "1.csv"]) == 0
    assert TABLE.read_bytes() == before
    out = capsys.readouterr().out
    assert "3 verdicts, 0 new, 0 changed" in out
    assert out.splitlines()[-1].startswith("next: git add review/verdicts.csv and commit it, then auxseg run")


def test_an_older_export_undoes_nothing(project, capsys):
    files = export("new.csv", "a, newer"), export("old.csv", "a")
    assert main(["verdicts", "import", *files]) == 0
    assert main(["verdicts", "import", "old.csv"]) == 0
    assert TABLE.read_text() == HEADER + ROWS["a, newer"]


def test_import_counts_what_judges_other_labels(project, capsys):
    assert main(["verdicts", "import", export("1.csv", "a", "b", "gone")]) == 0
    assert "stale: 2 imported rows judge labels that are not here" in capsys.readouterr().out
    Path("data/labels/r1/01.zip").unlink()  # nothing is known of r1 then
    assert main(["verdicts", "import", export("2.csv", "a", "gone")]) == 0
    assert "stale" not in capsys.readouterr().out


def test_disagreement_is_reported(project, capsys):
    assert main(["verdicts", "import", export("1.csv", "a, newer", "a, bob")]) == 0
    line = (
        "disagreement: r0 a: ann accept 2026-01-03T10:00:00Z; r0 a: bob reject 2026-01-01; it counts as rejected, "
        "because one of them rejects it\n"
    )
    assert line in capsys.readouterr().out
    assert main(["verdicts", "status"]) == 0
    assert line in capsys.readouterr().out


@pytest.mark.parametrize("name", ["1", "r" + "9" * 5000])
def test_one_bad_row_imports_nothing(project, name, capsys):
    Path("bad.csv").write_text(HEADER + ROWS["a"].replace(",r0,", f",{name},"))
    assert main(["verdicts", "import", export("good.csv", "a"), "bad.csv"]) == 2
    assert capsys.readouterr().err.startswith(f"error: bad.csv line 2: round '{cut(name)}' is no")
    assert TABLE.read_text() == HEADER


def test_rows_on_removed_rounds_and_renamed_classes_are_left_out_and_counted(project, capsys):
    """The report exports all verdicts of the browser, and cannot remove these."""
    removed = ROWS["a"].replace(",r0,", ",r7,")
    Path("1.csv").write_text(
        HEADER + removed + ROWS["a"] + removed.replace("ann", "bob") + ROWS["b"].replace("cat", "kitty")
    )
    assert main(["verdicts", "import", "1.csv"]) == 0
    assert TABLE.read_text() == HEADER + ROWS["a"]
    assert capsys.readouterr().out.splitlines()[:3] == [
        "warning: 1.csv: 2 rows left out, the first with 'r7' in line 2, but the rounds are r0, r1; set the rounds "
        "with `auxseg rounds N` and import it again",
        "warning: 1.csv: 1 row left out, the first with 'kitty' in line 5, but the classes are cat, dog; write the "
        "class's name of today into drop_classes and import it again",
        "review/verdicts.csv: 1 verdict, 1 new, 0 changed; of 1 imported row",
    ]
    Path("data/manifest/classes.csv").unlink()  # then the classes are not known
    assert main(["verdicts", "import", "1.csv"]) == 0
    assert "kitty" in TABLE.read_text() and "1 row left out" not in capsys.readouterr().out


def test_a_verdict_on_another_project_s_label_replaces_nothing(project, capsys):
    """The newer verdict judges a label of the same image and round that is not here: the rejection still holds."""
    TABLE.write_text(HEADER + ROWS["a"])
    other = ROWS["a, newer"].replace(digest(b"a0"), digest(b"other"))
    Path("1.csv").write_text(HEADER + other)
    assert main(["verdicts", "import", "1.csv"]) == 0
    assert set(TABLE.read_text().splitlines()) == set((HEADER + ROWS["a"] + other).splitlines())
    assert "stale" not in capsys.readouterr().out
    assert main(["verdicts", "status"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "r0             0       1       0       0       0",
        "r1             0       0       0       0       0",
    ]


def test_stale_verdicts_disagree_about_nothing_in_an_import(project, capsys):
    Path("1.csv").write_text(HEADER + ROWS["b"] + ROWS["b"].replace("accept", "reject").replace("ann", "bob"))
    assert main(["verdicts", "import", "1.csv"]) == 0
    assert "disagreement" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "bad.csv: an empty file"), (HEADER.replace(",", ";"), "bad.csv line 1: cells are separated by ';'")],
)
def test_files_that_are_no_export_are_called_what_they_are(project, content, message, capsys):
    Path("bad.csv").write_text(content)
    assert main(["verdicts", "import", "bad.csv"]) == 2
    assert capsys.readouterr().err.startswith(f"error: {message}")


def test_status_counts_and_lists_what_is_stale(project, capsys):
    TABLE.write_text(HEADER + "".join(ROWS[name] for name in ("a", "b", "a, r1", "gone")))
    assert main(["verdicts", "status"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "round     accept  reject  unsure   drops   stale",
        "r0             1       1       0       1       1",
        "  stale: r0 b: ann accept 2026-01-02T10:01:00Z; the label has changed since",
        "r1             0       1       1       0       1",
        "  stale: r1 gone: ann reject 2026-01-01; the label is gone",
    ]


def test_stale_verdicts_disagree_about_nothing(project, capsys):
    stale = ROWS["b"].replace("accept", "reject").replace("ann", "bob")
    TABLE.write_text(HEADER + ROWS["b"] + stale)
    assert main(["verdicts", "status"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("stale: r0 b") == 2 and "disagreement" not in printed


def test_the_background_is_dropped_by_nobody(project, capsys):
    Path("1.csv").write_text(HEADER + ROWS["b"].replace("cat;dog", "background"))
    assert main(["verdicts", "import", "1.csv"]) == 0
    assert "with 'background' in line 2, but the classes are cat, dog" in capsys.readouterr().out
    assert TABLE.read_text() == HEADER


def test_status_of_a_clone_without_labels(project, capsys):
    TABLE.write_text(HEADER + ROWS["a, r1"])
    Path("data/labels/r1/01.zip").unlink()
    Path("data/manifest/classes.csv").unlink()
    assert main(["verdicts", "status"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "r1             0       0       1       0       ?  no labels here"
    )
