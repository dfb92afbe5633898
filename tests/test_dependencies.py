"""pyproject.toml declares what the project imports, and imports what it declares; the lock pins all of it."""

import ast
import functools
import re
import sys
import tomllib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from locked import canonical, locked
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

EXTRAS = {"src": ("cluster",), "workflow": ("cluster",), "benchmarks": ("dev", "cluster"), "tests": ("dev", "cluster")}
"""Folders with code, and the extras that theirs may need beside the dependencies."""

NOT_IMPORTED = {
    "dvc-s3": "DVC imports it for remotes on S3",
    "coverage": "a command",
    "imagecodecs": "tifffile imports it for compressed TIFFs",
    "mypy": "a command",
    "pandas-stubs": "types, which mypy reads",
    "pillow-heif": "optional; images.py imports it by name where it is installed",
    "pytest-xdist": "pytest imports it for `-n 2`",
    "ruamel-yaml-clib": "ruamel.yaml imports it",
    "ruff": "a command",
    "snakemake-executor-plugin-cluster-generic": "Snakemake imports it for the profile slurm-generic",
    "types-psutil": "types, which mypy reads",
    "types-pycocotools": "types, which mypy reads",
    "types-pyyaml": "types, which mypy reads",
    "types-tqdm": "types, which mypy reads",
}
THEIRS = {
    "datumaro": "benchmarks/format_readers.py runs in an environment of its own",
    "label_studio_sdk": "the same",
    "labelme": "the same",
    "network": "the released code, whose clone benchmarks/released_network.py puts on the path",
}


def declared(*extras: str) -> set[str]:
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in PROJECT["optional-dependencies"][extra])]
    names = {canonical(re.match(r"[\w.-]+", line)[0]) for line in lines}
    return names - {"auxseg"}


def imported(path: Path) -> set[str]:
    """Return the first parts of all modules that a Python file or a Snakefile names in import statements."""
    text = path.read_text("utf-8")
    if path.suffix != ".py":  # Snakemake's own words are not Python
        return set(re.findall(r"^\s*(?:from|import) (\w+)", text, re.MULTILINE))
    nodes = list(ast.walk(ast.parse(text)))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    calls = [node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.importorskip"]
    return {name.split(".")[0] for name in [*names, *(call.args[0].value for call in calls)]}


def third_party(folder: str) -> dict[str, str]:
    """Return the modules that are neither Python's nor the project's, each with a file that imports it."""
    files = [path for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".smk")]
    files += [ROOT / "Snakefile"] if folder == "workflow" else []
    own = {path.stem for base in EXTRAS for path in (ROOT / base).rglob("*.py")} | {"auxseg"}
    own |= {path.parent.name for path in (ROOT / "src/auxseg").rglob("__init__.py")}
    found = {name: str(path.relative_to(ROOT)) for path in files for name in imported(path)}
    return {name: path for name, path in found.items() if name not in own | sys.stdlib_module_names | THEIRS.keys()}


@functools.cache  # it reads the lists of files of all packages
def every_distribution() -> Mapping[str, list[str]]:
    return packages_distributions()


def distributions(module: str) -> set[str]:
    return {canonical(name) for name in every_distribution().get(module, ())}


@pytest.mark.parametrize("folder", EXTRAS)
def test_what_is_imported_is_declared(folder):
    known = declared(*EXTRAS[folder])
    undeclared = {name: path for name, path in third_party(folder).items() if not distributions(name) & known}
    assert not undeclared


def test_what_is_declared_is_imported():
    used = {name for folder in EXTRAS for module in third_party(folder) for name in distributions(module)}
    assert declared(*PROJECT["optional-dependencies"]) - used - NOT_IMPORTED.keys() == set()


def pinned(lock: str) -> set[str]:
    return set(locked(ROOT / lock))


def test_what_is_declared_is_pinned():
    assert declared("s3", "cluster") <= pinned("requirements.lock")
    assert declared("dev") <= pinned("requirements.lock") | pinned("requirements.dev.lock")


def test_what_the_pipeline_needs_is_not_a_tool():
    """`make env` installs requirements.lock alone, so nothing there may ask for a package of the other file."""
    tools = pinned("requirements.dev.lock")
    for name in pinned("requirements.lock"):
        try:
            asked = [Requirement(text) for text in requires(name) or ()]
        except PackageNotFoundError:
            continue  # a package of another Python or platform
        found = {canonical(one.name) for one in asked if one.marker is None or one.marker.evaluate({"extra": ""})}
        assert not found & tools, name


LOCKS = ("requirements.lock", "requirements.dev.lock", "requirements.build.lock")


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes_and_no_index(lock):
    text = (ROOT / lock).read_text("utf-8")
    pins = locked(ROOT / lock)
    assert [name for name, hashes in pins.items() if not hashes or len(set(hashes)) < len(hashes)] == []
    assert text.count("--hash=") == sum(map(len, pins.values()))
    assert "://" not in text


def test_locks_that_pin_the_same_agree():
    found = [re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / lock).read_text("utf-8"), re.MULTILINE) for lock in LOCKS]
    versions = {
        name: {version for one in found for other, version in one if other == name} for one in found for name, _ in one
    }
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}
