"""Read YAML that a person wrote: duplicate keys are errors, and every error is one line that names the file's line."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from auxseg.errors import ParamsError


def read_yaml(path: Path) -> Any:
    """Read a YAML file.

    Raises:
        FileNotFoundError: there is no such file.
        ParamsError: one line that names the file and the line in it.
    """
    try:
        return yaml.load(path.read_text("utf-8"), _Loader)
    except UnicodeDecodeError:
        raise ParamsError(f"{path}: not UTF-8; save it with that encoding") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path} line {mark.line + 1}" if mark else str(path)
        raise ParamsError(f"{where}: not YAML ({error.problem or error.context}); fix that line") from None
    except yaml.YAMLError as error:
        raise ParamsError(f"{path}: not YAML ({' '.join(str(error).split())})") from None
    except ValueError as error:  # looks like a date or a number but is not one, such as 2024-02-30
        raise ParamsError(f"{path}: not YAML ({error}); put that value in quotes") from None


class _Loader(yaml.SafeLoader):
    """Rejects duplicate keys, as DVC does; PyYAML would silently use the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        lines: dict[str, int] = {}
        for key, _ in node.value:
            name = str(key.value)
            if name in lines:
                problem = f"key '{name}' is already in line {lines[name]}"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            lines[name] = key.start_mark.line + 1
        return super().construct_mapping(node, deep)
