"""Data for the report's pages as classic scripts, because a browser blocks fetch and module scripts for file://.

A script is one call, `auxseg.receive(name, JSON.parse(text))`. It uses JSON.parse instead of a literal because ids and
class names are data, and a key such as `__proto__` must stay a key. Scripts are pure ASCII, so the encoding of the page
does not matter.
"""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np

from auxseg.errors import DataError


def data_script(name: str, value: Any) -> bytes:
    """Return the script that passes `value` (any JSON value; NaN is an error) to the page under `name`."""
    text = json.dumps(value, separators=(",", ":"), sort_keys=True, allow_nan=False)
    return f"auxseg.receive({json.dumps(name)}, JSON.parse({json.dumps(text)}));\n".encode("ascii")


def read_data_script(path: Path) -> Any:
    """Return the value of a script that `data_script` made.

    Raises:
        DataError: there is no such file, or it is not such a script.
    """
    try:
        text = path.read_text("ascii")
        return json.loads(json.loads(text[text.index(", JSON.parse(") + len(", JSON.parse(") : text.rindex("));")]))
    except (OSError, ValueError):
        raise DataError(f"{path}: missing, or not a script of the report; `dvc repro audit` makes it") from None


def encode_bytes(content: bytes | None) -> str | None:
    """Return base64 text, None for None."""
    return None if content is None else base64.b64encode(content).decode("ascii")


def encode_map(values: np.ndarray | None) -> dict[str, Any] | None:
    """Return a map as shape and base64 of its little-endian bytes, None for None."""
    if values is None:
        return None
    stored = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    return {"shape": list(stored.shape), "data": encode_bytes(stored.tobytes())}
