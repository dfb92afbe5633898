"""`auxseg params render FILE`: bring a parameter file up to date with the models."""

import argparse

from auxseg.artifacts.atomic import write_text
from auxseg.cli.arguments import a_path
from auxseg.files import read_text
from auxseg.params.registry import check
from auxseg.params.template import render, title_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the file."""
    parser.add_argument("file", nargs="?", default="params.yaml", type=a_path, help="default: params.yaml")


def run(arguments: argparse.Namespace) -> None:
    """Rewrite the file in place; the comment at its head stays."""
    values = check(arguments.file)
    write_text(arguments.file, render(values, title_of(read_text(arguments.file))))
    print(f"{arguments.file} written")
