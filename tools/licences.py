"""List the licences of all packages that the locks pin, as docs/licences.md: `make licences`.

Licences are those that the installed packages declare: their expression (PEP 639), otherwise their classifiers,
otherwise the first line of their field `License` or of their licence file.
"""

import contextlib
import re
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/licences.md"
LOCKS = {
    "requirements.lock": "What the pipeline needs",
    "requirements.dev.lock": "What only tests and linters need",
    "requirements.build.lock": "What only builds packages",
}
KNOWN = {"cuda-": "NVIDIA's own, proprietary", "nvidia-": "NVIDIA's own, proprietary", "triton": "MIT"}
"""Beginning of a name -> licence of packages that `TORCH=cpu` leaves out, or that declare none."""
UNKNOWN = "unknown"
WITH_DUTIES = re.compile(r"\b[AL]?GPL|GNU|Mozilla|MPL|EUPL|CDDL|EPL|Eclipse|proprietary|unknown", re.IGNORECASE)
"""Licences that ask for more than their notice."""
HEAD = """\
# Licences of the packages

auxseg itself is under Apache-2.0 ([LICENSE](../LICENSE)). It contains no code of the packages below: `make env`
installs them. `make licences` writes this page from what the installed packages declare; versions are in the locks.

"""


class Row(NamedTuple):
    """One package."""

    name: str
    licence: str


def declared(package: Distribution) -> str:
    """Return the licence that a package declares, or UNKNOWN."""
    info = package.metadata
    if expression := info.get("License-Expression"):
        return str(expression)
    classifiers = [text for text in info.get_all("Classifier", []) if text.startswith("License :: ")]
    names = [text.rpartition(" :: ")[2] for text in classifiers if text != "License :: OSI Approved"]
    if names:
        return ", ".join(sorted(set(names)))
    files = [file for file in package.files or () if re.search(r"dist-info/.*(LICEN[CS]E|COPYING)", str(file))]
    texts = [str(info.get("License") or ""), *(file.read_text("utf-8") for file in files)]
    return next((text.strip().splitlines()[0][:60] for text in texts if text.strip()), UNKNOWN)


def pinned(lock: Path) -> list[str]:
    """Return the names that a lock pins, in its order."""
    found = (re.match(r"[A-Za-z0-9._-]+(?===)", line) for line in lock.read_text("utf-8").splitlines())
    return [match[0] for match in found if match]


def licence(name: str) -> str:
    """Return the licence of a package."""
    with contextlib.suppress(PackageNotFoundError):
        if (found := declared(distribution(name))) != UNKNOWN:
            return found
    return next((known for start, known in KNOWN.items() if name.startswith(start)), UNKNOWN)


def table(rows: Iterable[Row]) -> str:
    """Return rows as a table in Markdown."""
    lines = [f"| {row.name} | {row.licence} |\n" for row in rows]
    return "".join(["| package | licence |\n", "|---|---|\n", *lines])


def page() -> str:
    """Return the text of docs/licences.md."""
    listed: set[str] = set()
    sections = {}
    for lock, title in LOCKS.items():
        names = [name for name in pinned(ROOT / lock) if name.lower() not in listed]
        listed |= {name.lower() for name in names}
        sections[f"{title} (`{lock}`)"] = [Row(name, licence(name)) for name in names]
    special = sorted({row for rows in sections.values() for row in rows if WITH_DUTIES.search(row.licence)})
    parts = [f"## Licences that ask for more than their notice\n\n{table(special)}"]
    parts += [f"## {title}\n\n{table(rows)}" for title, rows in sections.items()]
    return HEAD + "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
