"""Read YAML that a person wrote: duplicate keys are errors, and every error is one line that names the file's line."""

import itertools
import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from auxseg.errors import DataError, ParamsError, cut
from auxseg.files import read_text

MAX_BYTES = 2**20
"""A larger file is rejected before it is parsed; a params.yaml has some kilobytes."""
MAX_VALUES = 100_000
"""Most values of a file after its aliases are written out: a kilobyte of aliases can stand for gigabytes."""
MAX_DEPTH = 100
"""Most brackets within brackets."""
MAX_BITS = 1024
"""Most bits of a number: no larger one fits a float."""


def read_yaml(path: Path) -> Any:
    """Read a YAML file.

    Raises:
        FileNotFoundError: there is no such file.
        ParamsError: one line that names the file and the line in it.
    """
    try:
        text = read_text(path, "save it with that encoding", marked=False)  # DVC reads UTF-8 only
        if len(text) > MAX_BYTES:
            raise ParamsError(f"{path}: larger than 1 MB, but parameters have some kilobytes; give another file")
        if _flow_depth(text) > MAX_DEPTH:
            raise RecursionError  # PyYAML's scanner would take minutes to find out
        return _parse(text)
    except DataError as error:
        raise ParamsError(str(error)) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path} line {mark.line + 1}" if mark else str(path)
        problem = cut(str(error.problem or error.context), 300)
        raise ParamsError(f"{where}: not YAML ({problem}); fix that line") from None
    except yaml.YAMLError as error:
        raise ParamsError(f"{path}: not YAML ({' '.join(str(error).split())})") from None
    except RecursionError:
        raise ParamsError(f"{path}: not YAML that can be read (nested too deeply); write it flat") from None
    # looks like a date or a number but is not one, such as 2024-02-30; or a tag that the value does not fit
    except (ValueError, LookupError, AttributeError, TypeError, OverflowError) as error:
        raise ParamsError(f"{path}: not YAML ({error}); put that value in quotes") from None


def _flow_depth(text: str) -> int:
    """Return how deep brackets are nested, quoted ones included."""
    depths = itertools.accumulate({"[": 1, "{": 1, "]": -1, "}": -1}[mark] for mark in re.findall(r"[\[\]{}]", text))
    return max(depths, default=0)


def _parse(text: str) -> Any:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _count(node, {})
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _count(node: yaml.Node, counted: dict[int, int]) -> int:
    """Return the number of values below a node, with aliases written out; `counted` has nodes that were met before."""
    if id(node) not in counted:
        counted[id(node)] = -1  # until it is known
        total = 1
        for item in node.value if isinstance(node, yaml.CollectionNode) else ():
            total += sum(_count(one, counted) for one in (item if isinstance(item, tuple) else (item,)))
            if total > MAX_VALUES:
                problem = f"more than {MAX_VALUES} values, when the aliases are written out"
                raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        counted[id(node)] = total
    elif counted[id(node)] < 0:
        raise yaml.constructor.ConstructorError(None, None, "a value that contains itself", node.start_mark)
    return counted[id(node)]


class _Loader(yaml.SafeLoader):
    """Rejects duplicate keys, as DVC does; PyYAML would silently use the last one. Rejects endless numbers."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue  # cannot be a key, which PyYAML says
            name = str(key.value)
            if name in lines:
                problem = f"key '{cut(name)}' is already in line {lines[name]}"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            lines[name] = key.start_mark.line + 1
        return super().construct_mapping(node, deep)

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        number = super().construct_yaml_int(node) if len(node.value) < 4000 else None
        if number is None or number.bit_length() > MAX_BITS:
            problem = f"a number of {len(node.value)} characters"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        return number


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
