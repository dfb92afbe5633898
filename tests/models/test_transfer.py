"""Maps reach the CPU as they are, each when the next one's work has begun."""

import numpy as np
import torch

from auxseg.models.transfer import to_arrays, to_device


def test_the_next_image_is_asked_for_before_one_is_returned():
    asked = []

    def maps():
        for number in range(3):
            asked.append(number)
            yield {"a": torch.full((2, 3), number, dtype=torch.float16), "b": torch.zeros(0, 4)}

    seen = [(len(asked), found) for found in to_arrays(maps())]
    assert [count for count, _ in seen] == [2, 3, 3]
    for number, (_, found) in enumerate(seen):
        assert (found["a"].dtype, found["b"].shape) == (np.float16, (0, 4))
        assert (found["a"] == number).all() and found["a"].shape == (2, 3)


def test_nothing_gives_nothing():
    assert list(to_arrays([])) == []


def test_an_array_is_the_same_on_the_device():
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    found = to_device(torch.from_numpy(array), torch.device("cpu"))
    assert found.dtype == torch.uint8 and (found.numpy() == array).all()
