"""Run `snakemake` on Kubernetes with the profile in this folder, on a volume that all pods share.

python workflow/profiles/kubernetes/run.py [ARGUMENTS OF SNAKEMAKE]
"""

import sys
from pathlib import Path

from auxseg.engines.snakemake_internals import run_snakemake, share_kubernetes_volume

if __name__ == "__main__":
    share_kubernetes_volume()
    run_snakemake("--workflow-profile", str(Path(__file__).parent), *sys.argv[1:])
