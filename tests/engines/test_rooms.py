"""Which room imports which: the method knows no stage and no engine, a stage knows no engine."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src/auxseg"


def imports(path: Path) -> set[str]:
    """Return the names of all modules and of what is taken from them, as auxseg.pipeline.stage.Stage."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: import by full name"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def importers(room: str) -> set[str]:
    """Return the rooms, and modules outside of rooms, of auxseg that import something of a room."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        if any(f"{name}.".startswith(f"auxseg.{room}.") for name in imports(path)):
            found.add(path.relative_to(SOURCE).parts[0].removesuffix(".py"))
    return found - {room}


@pytest.mark.parametrize(("room", "allowed"), [("engines", {"cli"}), ("pipeline", {"cli", "engines"})])
def test_importers(room, allowed):
    assert importers(room) == allowed


def test_scripts_of_stages_know_no_engine():
    for path in (SOURCE.parents[1] / "workflow/stages").glob("*.py"):
        assert not {name for name in imports(path) if name.startswith("auxseg.engines")}, path
