"""Pack what a bare machine with a GPU needs for gpu.py: a folder with `run.sh`, which needs no network.

    python benchmarks/performance/gpu_bundle.py --to FOLDER [--python 3.12] [--released CLONE]
    # on the machine with the GPU, in that folder:
    sh run.sh RESULTS [arguments of gpu.py]

The machine has to have torch, torchvision, timm, OpenCV, pandas, pyarrow, PyYAML, safetensors, onnxruntime,
scikit-image, psutil and, to build pydensecrf2, a C++ compiler, Cython and NumPy. Everything else goes along: this
commit's code, the wheels of WHEELS in the locked versions, the source of pydensecrf2, and the weights of the backbone
and of U2-Net-p.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

from auxseg.published import ALL, fetch

ROOT = Path(__file__).resolve().parents[2]
CODE = ("src", "workflow", "params", "review", "benchmarks", "dvc.yaml", "params.yaml", "data/raw.yaml")
WHEELS = (
    "annotated-types",
    "imagehash",
    "pycocotools",
    "pydantic",
    "pydantic-core",
    "pysodmetrics",
    "typing-inspection",
)
SOURCES = ("pydensecrf2",)
MOST_MEGABYTES = 60
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")

RUN = """#!/bin/sh
# Run gpu.py with what lies beside this file; $1 is the folder for the results.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
results=$1
shift
site=${TMPDIR:-/tmp}/auxseg-site
python3 -m pip install -q --no-index --no-deps --upgrade --target "$site" "$here"/wheels/*.whl
python3 -m pip install -q --no-index --no-deps --no-build-isolation --upgrade --target "$site" "$here"/sources/*
export PYTHONPATH="$site:$here/project/src" AUXSEG_WEIGHTS="$here/weights"
released=
if [ -d "$here/released" ]; then released="--released $here/released"; fi
exec python3 "$here/project/benchmarks/performance/gpu.py" --to "$results" $released "$@"
"""


def main() -> None:
    """Pack, and print the size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--python", default="3.12", help="version of Python on the machine with the GPU")
    parser.add_argument("--released", type=Path, metavar="CLONE", help="the released code, to be measured too")
    arguments = parser.parse_args()
    shutil.rmtree(arguments.to, ignore_errors=True)
    pack_code(arguments.to / "project")
    pack_packages(arguments.to, arguments.python)
    for file in map(fetch, ALL):
        target = arguments.to / "weights" / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    if arguments.released:
        shutil.copytree(arguments.released, arguments.to / "released", ignore=shutil.ignore_patterns(".git", "*.pth"))
    (arguments.to / "run.sh").write_text(RUN)
    size = sum(path.stat().st_size for path in arguments.to.rglob("*") if path.is_file()) / 1e6
    print(f"{arguments.to}: {size:.0f} MB; on the machine with the GPU: sh run.sh RESULTS")
    if size > MOST_MEGABYTES:
        raise SystemExit(f"more than {MOST_MEGABYTES} MB")


def pack_code(folder: Path) -> None:
    """Write the files of HEAD, so that a result belongs to a commit."""
    archive = subprocess.run(["git", "archive", "HEAD", *CODE], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")


def pack_packages(folder: Path, python: str) -> None:
    """Download wheels for another Python, and sources, in the versions of requirements.lock."""
    pins = dict(re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    download = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-build-isolation"]
    tags = ["--only-binary=:all:", "--python-version", python, "--implementation", "cp"]
    tags += [part for platform in PLATFORMS for part in ("--platform", platform)]
    wheels, sources = ([f"{name}=={pins[name]}" for name in names] for names in (WHEELS, SOURCES))
    subprocess.run([*download, *tags, "-d", str(folder / "wheels"), *wheels], check=True)
    subprocess.run([*download, "--no-binary=:all:", "-d", str(folder / "sources"), *sources], check=True)


if __name__ == "__main__":
    main()
