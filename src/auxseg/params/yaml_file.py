"""YAML that a person wrote: a duplicate key is an error, and every error is one line with its number."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from auxseg.errors import ParamsError


def read_yaml(path: Path) -> Any:
    """Read a YAML file.

    Raises:
        FileNotFoundError: there is none.
        ParamsError: one line that names the file and the line in it.
    """
    try:
        return yaml.load(path.read_text("utf-8"), _Loader)
    except UnicodeDecodeError:
        raise ParamsError(f"{path}: not UTF-8; save it with that encoding") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path} line {mark.line + 1}" if mark else str(path)
        raise ParamsError(f"{where}: not YAML ({error.problem or error.context}); mend that line") from None
    except yaml.YAMLError as error:
        raise ParamsError(f"{path}: not YAML ({' '.join(str(error).split())})") from None
    except ValueError as error:  # what looks like a date or a number and is none, as 2024-02-30
        raise ParamsError(f"{path}: not YAML ({error}); put that value in quotes") from None


class _Loader(yaml.SafeLoader):
    """PyYAML would take the last of two equal keys in silence; DVC rejects them."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        lines: dict[str, int] = {}
        for key, _ in node.value:
            name = str(key.value)
            if name in lines:
                problem = f"key '{name}' stands in line {lines[name]} already"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            lines[name] = key.start_mark.line + 1
        return super().construct_mapping(node, deep)
