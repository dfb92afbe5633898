"""AuxSegNet and AuxSegNet+: weakly supervised semantic segmentation as one reproducible pipeline."""

import os

if "OMP_WAIT_POLICY" not in os.environ:
    # Threads of torch that wait for each other spin, by default for long: two processes with as many threads as the
    # machine has cores are then 14 times slower at once than one after the other, and with this, not much slower
    # (benchmarks/performance/sharing.csv). Read when torch is loaded, so it stands here.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
