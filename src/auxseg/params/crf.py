"""Settings of a fully connected CRF (Krähenbühl and Koltun, 2011), as pydensecrf names them."""

from pydantic import Field

from auxseg.params.section import Strict


class CrfParams(Strict):
    """A Gaussian (position) and a bilateral (position and colour) kernel, mean-field inference."""

    iterations: int = Field(10, ge=0)
    """Mean-field steps; 0 leaves the input as it is."""
    gaussian_sxy: float = Field(4.0, gt=0)
    """Width of the position kernel, pixels."""
    gaussian_compat: float = Field(3.0, ge=0)
    bilateral_sxy: float = Field(83.0, gt=0)
    """Width of the bilateral kernel in position, pixels."""
    bilateral_srgb: float = Field(5.0, gt=0)
    """Width of the bilateral kernel in colour, grey levels 0..255."""
    bilateral_compat: float = Field(3.0, ge=0)
