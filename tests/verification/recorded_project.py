"""A finished project of one round whose artifacts are written by hand and recorded in dvc.lock as they are."""

from pathlib import Path

import report_data
import yaml
from tiny import PARAMS, ROOT

from auxseg.artifacts.atomic import write_text
from auxseg.engines.dvc_internals import Repo, is_params, lock_repo, save_hashes
from auxseg.engines.record import write_lock


def make(folder: Path) -> Path:
    """Write the project: the real dvc.yaml, `report_data`'s artifacts, and a line in place of every other output."""
    report_data.make(folder, rounds=1, size=(24, 36))
    rule = report_data.RULE.model_dump(mode="json")
    write_text(folder / "dvc.yaml", (ROOT / "dvc.yaml").read_text())
    write_text(folder / "params.yaml", yaml.safe_dump({**PARAMS, "data": {"format": "folder"}, "labels": rule}))
    write_text(folder / "src/auxseg/a.py", "a = 1\n")
    write_text(folder / "workflow/stages/labels.py", '"""Labels."""\n')
    write_text(folder / "data/audit/index.html", "a page\n")  # the one folder among the other outputs
    Repo.init(str(folder), no_scm=True).close()
    record(folder)
    return folder


def record(folder: Path) -> None:
    """Write dvc.lock and DVC's cache from the files as they are."""
    with Repo(str(folder)) as repo, lock_repo(repo):
        stages = [stage for stage in repo.index.stages if stage.cmd]
        items = [item for stage in stages for item in (*stage.deps, *stage.outs) if not is_params(item)]
        for path in (folder / item.def_path for item in items):
            if not path.exists():
                write_text(path, f"{path.name}\n")
        for stage in stages:
            assert save_hashes(stage)
            stage.commit()
        write_lock(repo, stages)


def flip(path: Path) -> None:
    """Flip a bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
