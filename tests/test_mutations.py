"""The changes of `make mutants`: which there are, by hand, and that they take effect in a running process."""

import importlib
import itertools
import sys

import pytest

SOURCE = '''"""Doc."""
LIMIT = 3


class Gate:
    """Doc."""

    width: int = 7

    @property
    def limit(self) -> "int":
        """Doc."""
        return LIMIT


def f(x: "int", *, y=True):
    """Doc."""
    if x < LIMIT and not y:
        raise ValueError(f"{x} is small")
    return [-x for _ in "ab" if y]
'''
CHANGES = [
    (2, "3", "4"),
    (2, "3", "2"),
    (13, "return LIMIT", "return None"),
    (16, "True", "False"),
    (18, "x < LIMIT and (not y)", "x < LIMIT or not y"),
    (18, "x < LIMIT", "x <= LIMIT"),
    (18, "not y", "y"),
    (19, "raise ValueError(f'{x} is small')", "pass"),
    (20, "return [-x for _ in 'ab' if y]", "return None"),
    (20, "-x", "x"),
    (20, " for _ in 'ab' if y", " for _ in 'ab'"),
    (20, "'ab'", "'XXab'"),
]


@pytest.fixture
def tool(load_script, tmp_path, monkeypatch):
    """Return the tool, for a source folder with one file, which is imported as `gates`."""
    tool = load_script("tools/mutations.py")
    monkeypatch.setattr(tool, "SOURCE", tmp_path)
    (tmp_path / "gates.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    yield tool
    sys.modules.pop("gates", None)


def test_changes_by_hand(tool, tmp_path):
    assert [(one.line, one.before, one.after) for one in tool.mutants(tmp_path / "gates.py")] == CHANGES


def test_lines_whose_tests_run(tool, tmp_path):
    lines = {one.after: list(tool.lines_of(one)) for one in tool.mutants(tmp_path / "gates.py")}
    assert lines["False"] == [17, 18, 19, 20]  # a default matters to the whole function
    assert lines["x <= LIMIT"] == [18] and lines["pass"] == [19]


@pytest.mark.parametrize(
    ("number", "expected"),
    [(None, (3, 3, [-3, -3])), (0, (4, 4, [-3, -3])), (2, (3, None, [-3, -3])), (3, (3, 3, [])), (9, (3, 3, [3, 3]))],
    ids=["control", "constant", "property", "default", "function"],
)
def test_a_change_takes_effect(tool, tmp_path, number, expected):
    gates = importlib.import_module("gates")
    file = tmp_path / "gates.py"
    changes = [tool.control(file)] if number is None else itertools.islice(tool.mutants(file), number, number + 1)
    for one in changes:
        tool.install(one, gates)
    assert (gates.LIMIT, gates.Gate().limit, gates.f(3)) == expected
