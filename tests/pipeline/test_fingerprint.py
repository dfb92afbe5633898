"""Fingerprints: what a stage's code is, and what about it does not count."""

import ast
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auxseg.errors import DataError
from auxseg.pipeline.fingerprint import Fingerprints, expected_files, normalised, write_files

ROOT = Path(__file__).resolve().parents[2]

FILES = {
    "workflow/stages/one.py": "from auxseg.rooms import table\n",
    "workflow/stages/two.py": "import auxseg.lonely as l\n",
    "src/auxseg/__init__.py": '"""Top."""\n',
    "src/auxseg/lonely.py": "x = 1\n",
    "src/auxseg/late.py": "x = 1\n",
    "src/auxseg/rooms/__init__.py": "chairs = 4\n",
    "src/auxseg/rooms/table.py": "from . import lamp\nfrom ..late import x\n\ndef f():\n    return x\n",
    "src/auxseg/rooms/lamp.py": "def light():\n    import auxseg.inner.deep\n",
    "src/auxseg/rooms/unused.py": "x = 1\n",
    "src/auxseg/inner/__init__.py": "",
    "src/auxseg/inner/deep.py": "x = 1\n",
    "src/auxseg/rooms/templates/page.html": "<p>",
    "src/auxseg/inner/.hidden": "no",
}


@pytest.fixture
def project(tmp_path):
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def test_closure_follows_every_form_of_import(project):
    assert Fingerprints(project).closure("one") == [
        "auxseg",
        "auxseg.inner",
        "auxseg.inner.deep",
        "auxseg.late",
        "auxseg.rooms",
        "auxseg.rooms.lamp",
        "auxseg.rooms.table",
    ]
    assert Fingerprints(project).closure("two") == ["auxseg", "auxseg.lonely"]


@pytest.mark.parametrize(
    ("path", "one", "two"),
    [
        ("workflow/stages/one.py", True, False),
        ("src/auxseg/__init__.py", True, True),
        ("src/auxseg/lonely.py", False, True),
        ("src/auxseg/late.py", True, False),
        ("src/auxseg/rooms/__init__.py", True, False),
        ("src/auxseg/rooms/unused.py", False, False),
        ("src/auxseg/inner/deep.py", True, False),
        ("src/auxseg/rooms/templates/page.html", True, False),
        ("src/auxseg/inner/.hidden", False, False),
    ],
)
def test_an_edit_changes_the_stages_that_use_the_file(project, path, one, two):
    before = [Fingerprints(project).stage(name) for name in ("one", "two")]
    with (project / path).open("a") as file:
        file.write("added = 1\n")
    after = [Fingerprints(project).stage(name) for name in ("one", "two")]
    assert [old != new for old, new in zip(before, after, strict=True)] == [one, two]


CODE = '''
"""Module."""
import os

class Box(dict):
    """A box."""

    size: int = 3
    """Its size."""

    def open(self, how="wide", *, fast=None):
        """Open it."""
        if how == 'wide' and not fast:
            return {**self, "a": [1, 2.5, None]}
        return f"{how!r:>{self.size}}"
'''


def digest(code: str) -> str:
    return normalised(ast.parse(code))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""A box."""', '"""Another."""'),
        ('    """A box."""\n', ""),
        ('    """Its size."""\n', ""),
        ('"""Module."""', "# nothing"),
        ("'wide'", '"wide"'),
        ("import os\n", "import os  # the system\n\n\n"),
        ("(self, how", "(\n        self,\n        how"),
        ("return {**self", "return {  # all\n                **self"),
    ],
)
def test_comments_docstrings_and_layout_do_not_count(old, new):
    assert old in CODE
    assert digest(CODE.replace(old, new)) == digest(CODE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("size: int = 3", "size: int = 4"),
        ("2.5", "2.50001"),
        ("1, 2.5", "True, 2.5"),
        ("1, 2.5", "1.0, 2.5"),
        ("None]", "'None']"),
        ("not fast", "fast"),
        (" and ", " or "),
        ("Box(dict)", "Box"),
        ("def open", "async def open"),
        ("fast=None", "fast"),
        ("*, fast", "fast"),
        ("how!r", "how!s"),
        ("import os", "import os as system"),
        ("**self, ", ""),
        ("size: int", "size: float"),
        ('return f"', 'return "'),
        ("    def open", "    @property\n    def open"),
    ],
)
def test_code_counts(old, new):
    assert old in CODE
    assert digest(CODE.replace(old, new)) != digest(CODE)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\\\"'\0"), max_size=30))
def test_any_comment_or_docstring_is_the_same_code(text):
    plain = "def f(x):\n    return x + 1\n"
    noted = f'"""{text}"""\n# {text}\ndef f(x):\n    """{text}"""\n    # {text}\n    return x + 1\n'
    try:
        ast.parse(noted)
    except (SyntaxError, ValueError):  # a form feed or the like that ends a comment
        return
    assert digest(noted) == digest(plain)


@given(st.text(max_size=8), st.text(max_size=8))
def test_different_strings_are_different_code(one, other):
    assert (digest(f"x = {one!r}") == digest(f"x = {other!r}")) == (one == other)


def test_text_does_not_hold_what_changes_between_pythons():
    # ast.dump shows `type_params=[]` from 3.12 on and hides empty lists from 3.13 on
    assert normalised(ast.parse("def f(): pass")) == (
        "Module(body=[FunctionDef(name='f',args=arguments(),body=[Pass()])])"
    )


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("src/auxseg/late.py", "\nfrom auxseg.nowhere import x\n", "src/auxseg/late.py:2: imports auxseg.nowhere"),
        ("src/auxseg/late.py", "from . import rooms\nimport auxseg.rooms.no", "late.py:2: imports auxseg.rooms.no"),
        ("src/auxseg/late.py", "x = (\n", "src/auxseg/late.py:1: not valid Python"),
    ],
)
def test_what_cannot_be_followed_is_one_line(project, path, text, message):
    (project / path).write_text(text)
    with pytest.raises(DataError) as error:
        Fingerprints(project).stage("one")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_script_is_one_line(project):
    with pytest.raises(DataError, match=r"^workflow/stages/three.py: no such script; "):
        Fingerprints(project).stage("three")


def test_files_are_written_only_when_changed(project, monkeypatch):
    monkeypatch.chdir(project)
    files = expected_files(["data/code/one.txt", "data/code/two.txt"])
    write_files(files)
    assert Path("data/code/one.txt").read_text() == Fingerprints().stage("one") + "\n"
    times = {path: Path(path).stat().st_mtime_ns for path in files}
    write_files(files)
    assert {path: Path(path).stat().st_mtime_ns for path in files} == times
    assert not list(Path("data/code").glob(".tmp-*"))


def test_no_third_party_import(project):
    program = textwrap.dedent("""
        import sys
        from pathlib import Path
        from auxseg.pipeline.fingerprint import Fingerprints
        for script in Path("workflow/stages").glob("*.py"):
            Fingerprints().closure(script.stem)
        print(sorted({"torch", "dvc", "numpy", "cv2"} & set(sys.modules)))
    """)
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
