"""`propagate`: one pass of a round's network over all images (docs/method.md section 2, round r)."""

from typing import ClassVar

from auxseg.params.section import Section


class PropagateParams(Section):
    """What is stored for the labels."""

    key: ClassVar[str] = "propagate"

    renormalise_cam: bool = True
    """Divide the refined CAM by its maximum again. The released code does not: averaging lowers the peaks, and at a
    fixed threshold the labels then lose recall from round to round."""
