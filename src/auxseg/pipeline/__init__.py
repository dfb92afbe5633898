"""The DAG seen from Python: a stage's declaration, code fingerprints, the plan for Snakemake."""
