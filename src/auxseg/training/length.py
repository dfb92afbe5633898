"""The length of a training: `epochs`, as in the papers, or `steps`, which suit a data set of any size.

A network learns in steps, not in epochs. Three epochs of 1,000 images are 375 steps of 8. Three epochs of 60 images are
21 steps, after which AuxSegNet still predicts background everywhere (docs/own-data.md).
"""

from typing import NamedTuple

from auxseg.errors import DataError
from auxseg.params.training import TrainingParams


class Length(NamedTuple):
    """How long a training is."""

    steps: int
    """Total number of steps of the optimiser."""
    in_epochs: bool
    """Whether the parameters give it in epochs."""
    reason: str
    """The length and its reason, a sentence for the log and the report."""


def whole_batch(batch_size: int, images: int, parts: int) -> int:
    """Return the number of images per batch: at most all images, and a multiple of `parts`.

    Raises:
        DataError: there are fewer images than parts.
    """
    if not images:
        raise DataError("no image is left to train on; add images, or look at what the reviewers rejected")
    batch = min(batch_size, images) // parts * parts
    if not batch:
        raise DataError(
            f"{images} training images in batches of {batch_size}: fewer than the {parts} parts of a batch; "
            "lower devices, nodes or accumulate of the stage"
        )
    return batch


def training_length(params: TrainingParams, images: int) -> Length:
    """Return the length of a training on a number of images.

    `steps: auto` means `params.auto_steps.passes` passes over the images, but at least `least` and at most `most`
    steps.

    Raises:
        DataError: as `whole_batch`.
    """
    key, batch = params.key, whole_batch(params.batch_size, images, params.processes * params.accumulate)
    per_pass = images // batch
    if params.steps is None:
        assert params.epochs is not None  # the model accepts exactly one of the two
        steps, source = params.epochs * per_pass, f"{key}.epochs: {params.epochs}"
        return Length(steps, True, _sentence(steps, batch, images, per_pass, source))
    if params.steps != "auto":
        return Length(params.steps, False, _sentence(params.steps, batch, images, per_pass, f"{key}.steps"))
    rule = params.auto_steps
    steps = min(max(rule.passes * per_pass, rule.least), rule.most)
    source = (
        f"{key}.steps: auto, which is {rule.passes} passes but at least {rule.least} and at most {rule.most} steps; "
        f"write a number there to train longer or shorter"
    )
    return Length(steps, False, _sentence(steps, batch, images, per_pass, source))


def _sentence(steps: int, batch: int, images: int, per_pass: int, source: str) -> str:
    return f"{steps} steps of {batch} images, {steps / per_pass:.1f} passes over {images} images ({source})"
