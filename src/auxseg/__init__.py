"""AuxSegNet and AuxSegNet+: weakly supervised semantic segmentation as one reproducible pipeline."""

import os

if "OMP_WAIT_POLICY" not in os.environ:
    # Threads of torch spin while they wait for each other. Two processes with as many threads as the machine has cores
    # then take several times as long together as one after the other; with a short spin they do not
    # (benchmarks/performance/sharing.csv). torch reads this when it is loaded, so it is set here.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
