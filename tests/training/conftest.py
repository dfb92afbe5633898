"""A data set of five images in a temporary folder."""

import numpy as np
import pytest
from PIL import Image

from auxseg.datasets.manifest import ClassTable, ImageRecord
from auxseg.encoded import encode_grey, encode_label
from auxseg.params.augmentation import AugmentParams
from auxseg.training.samples import TrainingSamples


class Photos:
    """`records`, `classes`, `labels` and `saliency` of the images below `root`."""

    def __init__(self, root):
        random = np.random.default_rng(0)
        self.root = root
        self.classes = ClassTable(("cat", "dog", "cow"), (1, 2, 3))
        self.records, self.labels, self.saliency, self.images = [], {}, {}, {}
        for i in range(5):
            name, height, width = f"img{i}", 30 + 3 * i, 50 - 2 * i
            self.images[name] = random.integers(0, 256, (height, width, 3), np.uint8)
            self.images[name][..., i % 2] //= 3  # colours differ by class, so the problem can be learned
            Image.fromarray(self.images[name]).save(root / f"{name}.png")
            present = ("cat", "cow") if i % 2 else ("dog",)
            self.records.append(ImageRecord(name, f"{name}.png", width, height, "train", present, ""))
            self.labels[name] = encode_label(random.choice([0, 1, 2, 3, 255], (height, width)))
            self.saliency[name] = encode_grey(random.random((height, width)))

    def samples(self, seed=0, labels=True, ignored=(), dropped=None, runtime=None, corrected=None, **augment):
        """The samples, cropped to 32 x 32."""
        return TrainingSamples(
            self.records,
            self.root,
            self.classes,
            AugmentParams(**{"crop": 32, "scale": (0.7, 1.3), **augment}),
            seed,
            self.labels if labels else None,
            self.saliency if labels else None,
            ignored,
            dropped,
            runtime,
            corrected,
        )


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    return Photos(tmp_path_factory.mktemp("photos"))
