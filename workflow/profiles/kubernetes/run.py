"""Snakemake on Kubernetes with a volume that all pods share: what `snakemake` does, with the profile beside this file.

    python workflow/profiles/kubernetes/run.py [ARGUMENTS OF SNAKEMAKE]

The plugin says of itself that its jobs share no files, and Snakemake then insists on carrying the Snakefile and every
stamp to each pod through object storage. Here all of that is on one volume, so the plugin is told otherwise.
"""

import sys
from pathlib import Path

import snakemake_executor_plugin_kubernetes as plugin
from snakemake.cli import main

if __name__ == "__main__":
    plugin.common_settings.implies_no_shared_fs = False
    plugin.common_settings.job_deploy_sources = False
    plugin.common_settings.auto_deploy_default_storage_provider = False
    main(["--workflow-profile", str(Path(__file__).parent), *sys.argv[1:]])
