"""Which room imports which: the method knows no stage and no engine, a stage knows no engine."""

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src/auxseg"
PAGE = SOURCE.parents[1] / "docs/architecture.md"


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


def rooms_imported(room: str) -> set[str]:
    """Return the other rooms that a room imports."""
    paths = [SOURCE / f"{room}.py"] if (SOURCE / f"{room}.py").exists() else (SOURCE / room).rglob("*.py")
    found = {name.split(".")[1] for path in paths for name in imports(path) if name.startswith("auxseg.")}
    return found - {room}


def layers() -> list[list[str]]:
    """Return the rooms that docs/architecture.md lists, from the top layer to the bottom one."""
    lines = re.findall(r"^\d+\. ((?:`\w+`(?:, )?)+)", PAGE.read_text("utf-8"), re.MULTILINE)
    return [re.findall(r"`(\w+)`", line) for line in lines]


def test_every_room_is_in_the_list_of_the_page():
    rooms = {path.stem for path in SOURCE.iterdir() if path.stem not in ("__init__", "__pycache__")}
    listed = [room for layer in layers() for room in layer]
    assert sorted(listed) == sorted(rooms)


def test_a_room_imports_only_rooms_of_lower_layers():
    height = {room: number for number, layer in enumerate(layers()) for room in layer}
    wrong = [(room, other) for room in height for other in rooms_imported(room) if height[other] <= height[room]]
    assert not wrong


@pytest.mark.parametrize(("room", "allowed"), [("engines", {"cli"}), ("pipeline", {"cli", "engines"})])
def test_importers(room, allowed):
    assert importers(room) == allowed


def test_scripts_of_stages_know_no_engine():
    for path in (SOURCE.parents[1] / "workflow/stages").glob("*.py"):
        assert not {name for name in imports(path) if name.startswith("auxseg.engines")}, path
