"""The two engines that run the pipeline, DVC and Snakemake: plans, records, locks, resources, progress."""
