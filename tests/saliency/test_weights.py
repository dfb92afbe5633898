"""Which of U2-Net-p's weights are used."""

import logging
import shutil

import pytest

from auxseg import published
from auxseg.errors import DataError
from auxseg.saliency import weights


def test_the_published_file_is_the_default():
    assert weights.find_weights() == published.find(published.U2NETP)


def test_a_named_file_is_used_and_a_difference_logged(tmp_path, caplog):
    named = tmp_path / "mine.onnx"
    shutil.copy(weights.find_weights(), named)
    with caplog.at_level(logging.WARNING):
        assert weights.find_weights("u2netp", named) == named
        assert caplog.text == ""
        named.write_bytes(b"others")
        assert weights.find_weights("u2netp", named) == named
    assert "mine.onnx: not the published U2-Net-p" in caplog.text


def test_a_named_file_must_exist(tmp_path):
    with pytest.raises(DataError, match=r"mine\.onnx: no such weights; fix saliency\.path"):
        weights.find_weights("u2netp", tmp_path / "mine.onnx")


def test_the_file_of_another_network_is_no_surprise(tmp_path, caplog):
    (tmp_path / "isnet.onnx").write_bytes(b"others")
    assert weights.find_weights("onnx", tmp_path / "isnet.onnx") == tmp_path / "isnet.onnx"
    assert caplog.text == ""
    with pytest.raises(DataError, match=r"other\.onnx: no such weights; fix saliency\.path .*root\)$"):
        weights.find_weights("onnx", tmp_path / "other.onnx")
