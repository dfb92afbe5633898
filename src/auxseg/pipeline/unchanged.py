"""What a stage was given when it started, to compare with what is there when it ends.

DVC and the receipts of `pipeline.record: controller` record inputs and parameters as they are after the command. If one
of them changed while the stage ran, they would record a result under parameters that it was not made with.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from auxseg.artifacts.atomic import signature
from auxseg.errors import ChangedError, cut
from auxseg.params.dag import PARAMS_FILE, read_file


class Given:
    """The parameters and input files of one stage instance as they are now.

    Files are compared by size, modification time and inode, because inputs may have many gigabytes.
    """

    def __init__(self, address: str, sections: Mapping[str, Any], inputs: Iterable[str]):
        self._address, self._sections, self._inputs = address, dict(sections), sorted(inputs)
        self._files = signature(self._inputs)

    def check(self) -> None:
        """Check that nothing has changed since.

        Raises:
            ChangedError: one line that names the key and both values, or the file.
            ParamsError: params.yaml is gone, or not YAML any more.
        """
        file = read_file()
        now = {name: file.get(name) if isinstance(file, dict) else None for name in self._sections}
        for key, *values in differences(self._sections, now):
            old, new = (cut(repr(value)) for value in values)
            raise ChangedError(
                f"{PARAMS_FILE}: key '{key}': changed from {old} to {new} while {self._address} ran, so its result is "
                "not recorded; run again"
            )
        for path in sorted({path for path, *_ in set(self._files) ^ set(signature(self._inputs))}):
            raise ChangedError(f"{path}: changed while {self._address} ran, so its result is not recorded; run again")


def differences(old: Any, new: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield key, as `labels.cam_threshold`, and both values wherever two groups of parameters differ.

    A key that one of them lacks has the value None there.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys([*old, *new]):
            yield from differences(old.get(name), new.get(name), f"{key}.{name}" if key else str(name))
    elif repr(old) != repr(new):  # unlike 1 and True, and like two NaN
        yield key, old, new
