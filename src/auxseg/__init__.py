"""AuxSegNet and AuxSegNet+: weakly supervised semantic segmentation as one reproducible pipeline."""

import os

if "OMP_WAIT_POLICY" not in os.environ:
    # Threads of torch that wait for each other spin, by default for long: two processes with as many threads as the
    # machine has cores then take several times as long at once as one after the other, and with this, not longer
    # (benchmarks/performance/sharing.csv). Read when torch is loaded, so it stands here.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
