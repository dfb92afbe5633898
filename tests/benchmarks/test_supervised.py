"""The samples of the fully supervised network."""

import numpy as np
from PIL import Image
from supervised import MaskSamples

from auxseg.datasets.manifest import ClassTable, ImageRecord
from auxseg.encoded import encode_grey, encode_label
from auxseg.params.augmentation import AugmentParams
from auxseg.training.augment import NO_SALIENCY


def test_saliency_is_unknown_where_the_mask_is_255(tmp_path):
    """As it is in the padding, here two rows."""
    Image.fromarray(np.zeros((30, 32, 3), np.uint8)).save(tmp_path / "a.png")
    mask = np.zeros((30, 32), np.uint8)
    mask[5:20, 5:20], mask[5:20, 20:22] = 1, 255
    record = ImageRecord("a", "a.png", 32, 30, "train", ("cat",), "")
    augment = AugmentParams(crop=32, scale=None, jitter=(0, 0, 0, 0))
    labels, saliency = {"a": encode_label(mask)}, {"a": encode_grey((mask == 1).astype(float))}
    sample = MaskSamples([record], tmp_path, ClassTable(("cat",), (1,)), augment, 0, labels, saliency)[0, 0, 0]
    label, found = sample.label.numpy(), sample.saliency.numpy()
    assert [(label == value).sum() for value in (1, 255)] == [15 * 15, 15 * 2 + 2 * 32]
    assert (found == np.where(label == 255, NO_SALIENCY, label == 1)).all()
