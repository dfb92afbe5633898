"""How the masks of a data set are stored.

values        PNG (palette or grey), TIFF or .npy of mask values; the usual form
colours       PNG or TIFF in colours, as CVAT's "Segmentation mask 1.1" and many archives have it
coco-json, labelme, label-studio      shapes in a JSON file, by class name

`auxseg.datasets.mask_reading` reads them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

Kind = Literal["values", "colours", "coco-json", "labelme", "label-studio"]

BACKGROUND_NAMES = ("background", "_background_", "__background__")
IGNORE_NAMES = ("ignore", "__ignore__", "_ignore_", "void", "unlabeled", "unlabelled")
"""Names of tools for pixels without a class."""


@dataclass(frozen=True)
class MaskForm:
    """How masks are stored. `table`: colour `r,g,b` or stored value -> class name; empty: the class table's values."""

    kind: Kind = "values"
    table: tuple[tuple[str, str], ...] = ()

    def stored(self) -> dict[str, Any]:
        """Return the form for data/masks/form.json."""
        return {"kind": self.kind, "table": dict(self.table)}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """Return the form that `stored` gave."""
        return cls(stored["kind"], tuple(stored["table"].items()))


PLAIN = MaskForm()
"""The usual form: files of mask values."""
