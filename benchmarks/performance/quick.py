"""The short benchmarks of speed, in under ten minutes on two cores: `make bench-quick`.

    python benchmarks/performance/quick.py --to FOLDER

Tables go to FOLDER, beside nothing that is committed; they are printed at the end. What compares with another commit,
needs a finished project or takes longer is left out: stages.py, crf_classes.py, sharing.py, and large images.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from report import TABLES, table

FOLDER = Path(__file__).resolve().parent
PROGRAMS: dict[str, list[str]] = {
    "floors": ["floors.py", "--n", "5"],
    "steps": ["steps.py", "--backbones", "efficientnet_lite0", "--n", "5"],
    "large_images": ["large_images.py", "--most", "4096"],
    "startup": ["startup.py", "--n", "2"],
}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER")
    to = parser.parse_args().to.resolve()
    to.mkdir(parents=True, exist_ok=True)
    for program, *options in PROGRAMS.values():
        environment = {**os.environ, "AUXSEG_BENCHMARKS": str(to)}
        subprocess.run([sys.executable, str(FOLDER / program), *options], env=environment, check=True)
    for name in PROGRAMS:
        print(f"\n{name} ({to / name}.csv)\n\n{table(name, TABLES[name], to)}")


if __name__ == "__main__":
    main()
