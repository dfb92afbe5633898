"""`cam`: the class activation maps of round 0 (docs/method.md section 2, r0; docs/data.md for other methods' CAMs)."""

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from auxseg.params.section import MOST_SCALES, Constant, Scale, Section


class CamParams(Section):
    """The initial CAMs: maps of the classifier, as in PSA, or maps that another method made."""

    key: ClassVar[str] = "cam"
    path_key: ClassVar[str] = "path"

    provider: Literal["classifier", "npy", "png"] = "classifier"
    """classifier: multi-scale inference of the classifier. npy: `<id>.npy` of PSA, SEAM, IRN, MCTformer or CLIP-ES.
    png: 8-bit `<class name>/<id>.png`."""
    path: str | None = None
    """npy, png: the folder. A relative path is relative to the data root."""
    sha256: str | None = None
    """npy, png: hash of the folder's content. `auxseg scan` writes it, so that DVC notices new CAMs."""
    scales: list[Scale] = Field([0.5, 1.0, 1.5, 2.0], min_length=1, max_length=MOST_SCALES)
    """classifier: scales of the input; the maps are summed on the grid of scale 1."""
    flip: Constant[bool] = True
    """classifier: add the mirrored image's map, as PSA does."""

    @model_validator(mode="after")
    def _folder_named(self) -> "CamParams":
        if self.provider != "classifier" and self.path is None:
            raise ValueError(f"provider {self.provider} reads a folder; set cam.path to it")
        return self

    def watched(self) -> str | None:
        """Return the path whose content `sha256` is the hash of, or None."""
        return None if self.provider == "classifier" else self.path
