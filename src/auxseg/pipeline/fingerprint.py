"""The fingerprint of a stage's code: the SHA-256 of its import closure.

The closure is workflow/stages/<stage>.py and every auxseg module that it imports, directly or indirectly. It is found
in the syntax trees; nothing is executed, so an import by a name computed at run time is not seen. Comments, docstrings
and formatting do not count. Other files than Python, such as templates, are hashed byte by byte and count for every
closure that imports from their package.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from auxseg.artifacts.atomic import write_text
from auxseg.errors import DataError

PACKAGE = "auxseg"
SOURCE = Path("src")
SCRIPTS = Path("workflow/stages")


class Fingerprints:
    """Fingerprints of the stages of the project at `root`; every file is read and parsed once."""

    def __init__(self, root: Path = Path()):
        self._root = root
        self._digests: dict[Path, tuple[str, frozenset[str]]] = {}

    def stage(self, name: str) -> str:
        """Return the fingerprint of a stage as 64 hexadecimal digits.

        Raises:
            DataError: one line: no such script, a syntax error, or an import of an auxseg module that does not exist.
        """
        parts = [("script", self._module(self._root / SCRIPTS / f"{name}.py", "")[0])]
        closure = self.closure(name)
        files = [(module, self._file(module)) for module in closure]
        parts += [(module, self._module(file, module)[0]) for module, file in files if file]
        for file in self._package_data(closure):
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            parts.append((file.relative_to(self._root / SOURCE).as_posix(), digest))
        text = "".join(f"{label} {digest}\n" for label, digest in parts)
        return hashlib.sha256(text.encode()).hexdigest()

    def closure(self, name: str) -> list[str]:
        """Return the names of the auxseg modules that a stage's script imports, directly or indirectly, sorted."""
        found: set[str] = set()
        waiting = set(self._module(self._root / SCRIPTS / f"{name}.py", "")[1])
        while waiting:
            module = waiting.pop()
            found.add(module)
            file = self._file(module)
            if file:
                waiting |= self._module(file, module)[1] - found
        return sorted(found)

    def _path(self, module: str) -> Path:
        return self._root / SOURCE / Path(*module.split("."))

    def _file(self, module: str) -> Path | None:
        """Return a module's file; None for a package without `__init__.py`."""
        for file in (self._path(module) / "__init__.py", self._path(module).with_suffix(".py")):
            if file.is_file():
                return file
        return None

    def _exists(self, module: str) -> bool:
        return self._file(module) is not None or any(self._path(module).glob("*.py"))

    def _module(self, file: Path, module: str) -> tuple[str, frozenset[str]]:
        """Return the digest of one file's normalised code and the auxseg modules it imports."""
        if file not in self._digests:
            shown = file.relative_to(self._root)
            try:
                tree = ast.parse(file.read_bytes(), filename=str(shown))
            except FileNotFoundError:
                raise DataError(f"{shown}: no such script; add it, or remove its fingerprint from dvc.yaml") from None
            except (SyntaxError, ValueError) as error:
                line = f":{error.lineno}" if isinstance(error, SyntaxError) else ""
                raise DataError(f"{shown}{line}: not valid Python ({error}); fix it") from None
            package = module if file.name == "__init__.py" else module.rpartition(".")[0]
            imports = frozenset(self._imports(tree, package, shown))
            digest = hashlib.sha256(normalised(tree).encode()).hexdigest()
            self._digests[file] = (digest, imports)
        return self._digests[file]

    def _imports(self, tree: ast.AST, package: str, shown: Path) -> Iterator[str]:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield from self._chain(alias.name, node, shown)
            elif isinstance(node, ast.ImportFrom):
                base = _absolute(node, package)
                yield from self._chain(base, node, shown)
                if _is_ours(base):
                    # in `from package import name`, the name is a module or something that the package defines
                    yield from (name for alias in node.names if self._exists(name := f"{base}.{alias.name}"))

    def _chain(self, name: str, node: ast.stmt, shown: Path) -> Iterator[str]:
        """Yield a module of auxseg and the packages that contain it; nothing for other modules."""
        if not _is_ours(name):
            return
        if not self._exists(name):
            raise DataError(f"{shown}:{node.lineno}: imports {name}, which is not a module of {SOURCE}; fix the import")
        parts = name.split(".")
        yield from (".".join(parts[: end + 1]) for end in range(len(parts)))

    def _package_data(self, closure: list[str]) -> list[Path]:
        """Return the closure's files that are not Python; each belongs to the nearest package above it."""
        folders = {self._path(module) for module in closure if self._path(module).is_dir()}
        return sorted(file for folder in folders for file in _data_files(folder))


def expected_files(outputs: Iterable[str]) -> dict[str, str]:
    """Return what the `code` stage writes: path -> text, for its outputs in dvc.yaml."""
    fingerprints = Fingerprints()
    return {path: fingerprints.stage(Path(path).stem) + "\n" for path in sorted(outputs)}


def write_files(files: dict[str, str]) -> None:
    """Write the fingerprints that changed, atomically."""
    for path, text in files.items():
        if not Path(path).is_file() or Path(path).read_text("utf-8") != text:
            write_text(Path(path), text)


def normalised(tree: ast.AST) -> str:
    """Return a syntax tree as text without docstrings, positions and empty fields.

    `ast.dump` would not do: its format, and the empty fields of a node, differ between versions of Python.
    """
    if isinstance(tree, ast.Constant):
        return f"{type(tree.value).__name__}:{tree.value!r}"
    fields = []
    for name, value in ast.iter_fields(tree):
        text = _field(value)
        if text:
            fields.append(f"{name}={text}")
    return f"{type(tree).__name__}({','.join(fields)})"


def _field(value: Any) -> str:
    if isinstance(value, list):
        # a string that is a statement of its own is a docstring of a module, class, function or attribute
        kept = [item for item in value if not _is_text(item)]
        return f"[{','.join(_field(item) or 'None' for item in kept)}]" if kept else ""
    if isinstance(value, ast.AST):
        return normalised(value)
    return "" if value is None else repr(value)


def _is_text(node: Any) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_ours(name: str) -> bool:
    return name == PACKAGE or name.startswith(PACKAGE + ".")


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    return ".".join(parts[: len(parts) - node.level + 1] + ([node.module] if node.module else []))


def _data_files(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or entry.name.endswith("~") or entry.name == "__pycache__":
            continue
        if entry.is_dir():
            if not any(entry.glob("*.py")):
                yield from _data_files(entry)
        elif entry.suffix not in (".py", ".pyc"):
            yield entry
