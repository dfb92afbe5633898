"""Resampling, on the CPU and as a GPU would be asked for it."""

import pytest
import torch
from on_gpu import on_gpu

from auxseg.models.resampling import resample


def test_positions_are_centres_of_pixels():
    found = resample(torch.tensor([[[[0.0, 4.0]]]]), (1, 4))
    assert found.tolist() == [[[[0.0, 1.0, 3.0, 4.0]]]]
    assert resample(found, (1, 2)).tolist() == [[[[0.5, 3.5]]]]
    averaged = resample(found, (1, 2), antialias=True)
    assert averaged[0, 0, 0, 0] > 0.5


@pytest.mark.parametrize("trained", [False, True])
def test_a_gpu_runs_one_kernel_unless_there_is_a_gradient(trained):
    """That kernel's gradient has no fixed order, so with one torch's function stays, which is many kernels."""
    with on_gpu() as calls:
        maps = torch.empty(1, 3, 4, 5, device="cuda", requires_grad=trained)
        calls.clear()
        assert resample(maps, (8, 9)).shape == (1, 3, 8, 9)
    assert ([call.name for call in calls] == ["aten.upsample_bilinear2d.default"]) != trained
