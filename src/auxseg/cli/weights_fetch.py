"""`auxseg weights fetch`: get the published weights, as `make env` does."""

import argparse

from auxseg import published


def run(arguments: argparse.Namespace) -> int:
    """Get every published file into the weights folder; a file that is there is not fetched again."""
    return published.main()
