"""Change params.yaml: comments stay, the write is atomic, and outputs that no longer belong to a round are removed."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from auxseg.artifacts.atomic import write_text
from auxseg.counts import counted
from auxseg.files import read_text
from auxseg.params.dag import PARAMS_FILE, check_top, read_file
from auxseg.params.registry import check_sections
from auxseg.pipeline.orphans import find_orphans, remove_orphans


def edit_params(change: Callable[[dict[str, Any]], None], *, repairs: bool = False) -> list[Path]:
    """Apply `change` to params.yaml, keeping its comments; return the outputs removed (see `replace_params`).

    Args:
        change: edits the content in place.
        repairs: whether `change` replaces keys as a whole, so that these may be wrong or missing before.

    Raises:
        AuxsegError: the file is wrong, or a file to remove is not in DVC's cache.
    """
    values = read_file()
    if repairs and isinstance(values, dict):
        change(values)
    check_top(values)  # report an invalid section before anything is changed
    check_sections(values)
    editor = YAML()
    editor.preserve_quotes = True
    editor.width = 10**6
    editor.representer.add_representer(
        type(None), lambda representer, _: representer.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    document = editor.load(read_text(PARAMS_FILE))
    change(document)
    buffer = io.StringIO()
    editor.dump(document, buffer)
    return replace_params(buffer.getvalue())


def replace_params(text: str) -> list[Path]:
    """Make `text` the params.yaml; remove the outputs of rounds and shards that it no longer has.

    Returns:
        The removed files; they are in DVC's cache.
    """
    orphans = find_orphans(yaml.safe_load(text))
    if orphans:
        from auxseg.engines.states import check_cached  # DVC takes a second to import

        check_cached(orphans)
    write_text(PARAMS_FILE, text)
    remove_orphans(orphans)
    return orphans


def flow(value: Any) -> Any:
    """Return a list or map that ruamel.yaml writes on one line; strings that look like numbers in quotes."""

    def text(item: str) -> str:
        return DoubleQuotedScalarString(item) if item[:1].isdigit() else item

    if isinstance(value, dict):
        result: Any = CommentedMap((text(key), text(item)) for key, item in value.items())
    else:
        result = CommentedSeq(text(item) for item in value)
    result.fa.set_flow_style()
    return result


def report_removed(removed: list[Path]) -> None:
    """Say what was removed and how to get it back."""
    if removed:
        outputs, them = counted(len(removed), "output"), "it" if len(removed) == 1 else "them"
        print(f"removed {outputs} that no instance has any more (first: {removed[0]}); DVC's cache keeps {them}")
