"""Snakemake on Kubernetes with a volume that all pods share: what `snakemake` does, with the profile beside this file.

python workflow/profiles/kubernetes/run.py [ARGUMENTS OF SNAKEMAKE]
"""

import sys
from pathlib import Path

from auxseg.engines.snakemake_internals import run_snakemake, share_kubernetes_volume

if __name__ == "__main__":
    share_kubernetes_volume()
    run_snakemake("--workflow-profile", str(Path(__file__).parent), *sys.argv[1:])
