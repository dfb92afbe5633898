"""An image against its row of the manifest."""

import pytest
from builders import photo

from auxseg.datasets.manifest import ImageRecord
from auxseg.datasets.photos import read_photo
from auxseg.errors import DataError


@pytest.mark.parametrize(("size", "fits"), [((6, 4), True), ((4, 6), False), ((12, 8), False)])
def test_another_size_than_the_manifest_s_is_rejected(tmp_path, size, fits):
    photo(tmp_path / "a.jpg", size)
    record = ImageRecord("a", "a.jpg", 6, 4, "train", ("cat",), "")
    if fits:
        assert read_photo(tmp_path, record).shape == (4, 6, 3)
    else:
        with pytest.raises(DataError, match=r"a\.jpg: \d+x\d+, in the manifest 6x4; .*run `auxseg scan`"):
            read_photo(tmp_path, record)
