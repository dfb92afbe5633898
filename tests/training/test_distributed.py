"""Several processes, or parts one after the other, descend as one process does on the same whole batches."""

import json

import pytest
import torch
from tiny_networks import tiny_classifier
from torch import nn

from auxseg.errors import ParamsError, ResourceError
from auxseg.models.weights import load_weights
from auxseg.params.train import TrainParams
from auxseg.training.distributed import Team, joined_team
from training import runs

CPU = torch.device("cpu")
WHOLE = {"batch_size": 4, "dropout": 0.0}


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A run of one process, with whole batches."""
    folder = tmp_path_factory.mktemp("alone")
    assert runs.run(folder, "train", **WHOLE) == 0
    return folder


def weights(folder):
    network, _ = runs.network_and_step("train", 0.0)
    load_weights(folder / "weights.safetensors", network)
    return network.state_dict()


def assert_same_training(one, other):
    curves = [json.loads((folder / "curve.json").read_text()) for folder in (one, other)]
    assert len(curves[0]) == len(curves[1]) == runs.EPOCHS
    for row, wanted in zip(*curves, strict=True):
        assert row == pytest.approx(wanted, rel=1e-5)
    for name, value in weights(one).items():
        torch.testing.assert_close(value, weights(other)[name], rtol=1e-4, atol=1e-6, msg=name)


def test_parts_one_after_the_other(alone, tmp_path):
    assert runs.run(tmp_path, "train", accumulate=4, **WHOLE) == 0
    assert_same_training(tmp_path, alone)


def test_two_processes_with_two_parts_each(alone, tmp_path):
    assert runs.run_team(2, tmp_path, "train", accumulate=2, **WHOLE) == [0, 0]
    assert_same_training(tmp_path, alone)


def test_sigterm_to_one_process_stops_all_and_the_team_resumes(tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for folder in (whole, broken):
        folder.mkdir()
    assert runs.run_team(2, whole, "train", batch_size=2) == [0, 0]
    assert runs.run_team(2, broken, "train", batch_size=2, kill=("batch", 2, runs.TERM), struck=1) == [143, 143]
    assert not (broken / "weights.safetensors").exists()
    assert runs.run_team(2, broken, "train", batch_size=2) == [0, 0]
    for name in ("weights.safetensors", "curve.json"):
        assert (broken / name).read_bytes() == (whole / name).read_bytes()


def test_one_process_is_no_group():
    with joined_team(TrainParams(), CPU) as team:
        assert not torch.distributed.is_initialized()
        assert (team.rank, team.size, team.is_main) == (0, 1, True)
        network = tiny_classifier()
        assert team.replicated(network) is network
        assert team.largest(3) == 3
        assert team.from_leader("x") == "x"


def test_a_team_of_another_size_is_rejected(monkeypatch):
    two = TrainParams(devices=2)
    with pytest.raises(ParamsError, match="train: devices x nodes is 2, but 1 proc"), joined_team(two, CPU):
        pass
    for name, value in {"TORCHELASTIC_RUN_ID": "x", "RANK": "1", "WORLD_SIZE": "3"}.items():
        monkeypatch.setenv(name, value)
    with (
        pytest.raises(ParamsError, match="is 2, but 3 processes were started; start that many, or"),
        joined_team(two, CPU),
    ):
        pass


def test_a_gpu_that_is_missing_may_be_there_at_the_next_attempt(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    for name, value in {"TORCHELASTIC_RUN_ID": "x", "RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    missing = pytest.raises(ResourceError, match=r"train\.devices: this machine shows 1 GPU; lower it")
    with missing, joined_team(TrainParams(devices=2), torch.device("cuda")):
        pass


def test_batch_norms_that_learn_need_gpus():
    with pytest.raises(ParamsError, match="batch_norm: 'train' with several processes needs GPUs"):
        Team(CPU, 0, 2).replicated(nn.BatchNorm2d(3).train())
