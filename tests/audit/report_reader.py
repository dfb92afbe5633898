"""The report as written: scripts parsed back to what they hand over, and a report made without worker processes."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from report_data import sources

from auxseg.audit import report
from auxseg.datasets.manifest import read_manifest
from auxseg.params.audit import AuditParams


def write(work: Path, serial: bool = True, folder: str = "audit", **params) -> Path:
    """Write the report of `work`; `serial` calls the same function without the price of starting processes."""
    records = read_manifest(work / "data/manifest")
    with pytest.MonkeyPatch.context() as patch:
        if serial:
            patch.setattr(report, "map_processes", lambda function, items, label, unit: [function(i) for i in items])
        made, sections = AuditParams(**params), {"labels": {"a": 1}, "cam": {"provider": "classifier"}}
        report.write_report(work / folder, sources(work), records, made, sections)
    return work / folder


def read_script(path: Path) -> dict | list:
    """Return what a data script hands over."""
    name, text = re.fullmatch(r"auxseg\.receive\((\".*?\"), JSON\.parse\((\".*\")\)\);\n", path.read_text()).groups()
    assert path.as_posix().endswith(json.loads(name) + ".js")
    return json.loads(json.loads(text))


def digest(folder: Path) -> dict[str, str]:
    """Return relative path -> SHA-256 of every file."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
