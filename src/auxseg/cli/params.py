"""`auxseg params render FILE`: bring a parameter file up to date with the models."""

import argparse

from auxseg.cli.arguments import a_path


def add(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("params", help="work on a parameter file")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    render = actions.add_parser("render", help="rewrite it: the same values, every key, comments from the models")
    render.add_argument("file", nargs="?", default="params.yaml", type=a_path, help="default: params.yaml")
    render.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Rewrite the file in place; the comment at its head stays."""
    from auxseg.artifacts.atomic import write_text
    from auxseg.params.registry import check
    from auxseg.params.template import render, title_of

    values = check(arguments.file)
    write_text(arguments.file, render(values, title_of(arguments.file.read_text("utf-8"))))
    print(f"{arguments.file} written")
