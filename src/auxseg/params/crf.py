"""Parameters of a fully connected CRF (Krähenbühl and Koltun, 2011), with pydensecrf's names."""

from dataclasses import dataclass
from typing import Any

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from auxseg.params.section import MOST_FACTOR, Spelling, Strict


class CrfParams(Strict):
    """A Gaussian kernel (position) and a bilateral kernel (position and colour), with mean-field inference."""

    iterations: int = Field(10, ge=0, le=1000)
    """Mean-field steps; 0 leaves the input as it is."""
    gaussian_sxy: float = Field(4.0, ge=0.5, le=10_000)
    """Width of the position kernel, pixels."""
    gaussian_compat: float = Field(3.0, ge=0, le=MOST_FACTOR)
    """Strength of the position kernel."""
    bilateral_sxy: float = Field(83.0, ge=0.5, le=10_000)
    """Width of the bilateral kernel in position, pixels."""
    bilateral_srgb: float = Field(5.0, ge=0.1, le=10_000)
    """Width of the bilateral kernel in colour, grey levels 0..255."""
    bilateral_compat: float = Field(3.0, ge=0, le=MOST_FACTOR)
    """Strength of the bilateral kernel."""


SALIENCY_CRF = CrfParams(
    iterations=1,
    gaussian_sxy=3.0,
    gaussian_compat=3.0,
    bilateral_sxy=60.0,
    bilateral_srgb=5.0,
    bilateral_compat=5.0,
)
"""C1's CRF of the saliency label (docs/method.md section 2, round r)."""

CLASS_CRF = CrfParams()
"""C1's CRF of the final prediction (docs/method.md section 2, final)."""


@dataclass(frozen=True)
class PaperOrCustom(Spelling):
    """A CRF is `paper` or a group of values; keys that the group leaves out have the paper's values."""

    paper: CrfParams

    def spell(self, value: Any) -> Any:
        """Return `paper` if the values are the paper's."""
        return "paper" if value == self.paper else value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Expand the form in params.yaml before pydantic validates it."""
        return core_schema.no_info_before_validator_function(self._expand, handler(source))

    def _expand(self, value: Any) -> Any:
        if value == "paper":
            return self.paper
        if isinstance(value, dict):
            return {**self.paper.model_dump(), **value}
        if isinstance(value, CrfParams):
            return value
        raise ValueError(f"give paper, or a group of {', '.join(CrfParams.model_fields)}")
