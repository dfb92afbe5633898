"""`auxseg scan`: update data/raw.yaml, so that `prepare` sees new or changed photographs."""

import argparse
from pathlib import Path

RAW_FILE = Path("data/raw.yaml")


def add(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("scan", help="tell the pipeline what the data folder holds now (data/raw.yaml)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Scan the data root of this machine."""
    scan_root()


def scan_root() -> None:
    """Update data/raw.yaml and say so. The embedded scenes are generated: they have no raw files."""
    from auxseg.datasets.scan import scan, write_raw
    from auxseg.params.dag import read_params
    from auxseg.params.data import DataParams
    from auxseg.params.local import data_root

    params = DataParams.parse(read_params().get("data"))
    found = {"files": 0, "sha256": "none"} if params.format == "scenes" else scan(data_root(params.format))
    changed = write_raw(RAW_FILE, found)
    print(f"{RAW_FILE}: {found['files']} files" + ("" if changed else ", as before"))
