"""The learning rate of a round; a batch in equal parts."""

import pytest

from auxseg.errors import ParamsError
from auxseg.params.train import TrainParams


def test_later_rounds_have_their_own_rate():
    params = TrainParams.parse({"optimiser": {"lr": 0.01, "new_layers": 20.0, "clip_norm": 5.0}, "later_rate": 0.3})
    assert params.of_round(starts_trained=False) == params
    later = params.of_round(starts_trained=True)
    assert later.optimiser.lr == pytest.approx(0.003)
    optimiser = later.optimiser.model_copy(update={"lr": 0.01})
    assert later.model_copy(update={"optimiser": optimiser}) == params


def test_a_batch_is_cut_into_equal_parts():
    assert TrainParams.parse({"batch_size": 24, "nodes": 2, "devices": 3, "accumulate": 4}).batch_size == 24
    with pytest.raises(ParamsError, match="multiple of nodes x devices x accumulate, which is 12"):
        TrainParams.parse({"batch_size": 16, "devices": 3, "accumulate": 4})
