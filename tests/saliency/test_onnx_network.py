"""Saliency networks: what goes in and out against plain numpy; U2-Net-p on a drawn image; others by their settings."""

import numpy as np
import pytest
from PIL import Image

from auxseg.datasets.manifest import ImageRecord
from auxseg.datasets.scan import content_sha256
from auxseg.errors import DataError, ParamsError
from auxseg.params.saliency import OnnxParams, SaliencyParams
from auxseg.saliency import build_provider
from auxseg.saliency.onnx_network import postprocess, preprocess
from auxseg.saliency.weights import find_weights

RECORD = ImageRecord("img7", "img7.jpg", 200, 150, "train", ("ball",), "")
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def photo(seed=0):
    """A red ball with a highlight on a striped meadow under a sky: RGB uint8 (150, 200, 3), and its mask."""
    rows, columns = np.mgrid[:150, :200].astype(float)
    image = np.where(
        (rows < 60)[..., None],
        np.stack([150 + rows, 190 + rows / 2, 235 + 0 * rows], axis=2),
        np.stack([60 + 10 * np.sin(columns / 5), 120 + rows / 5, 50 + 0 * rows], axis=2),
    )
    mask = (rows - 85) ** 2 + (columns - 110) ** 2 < 35**2
    light = np.exp(-((rows - 70) ** 2 + (columns - 98) ** 2) / 300)
    ball = np.stack([190 + 65 * light, 30 + 200 * light, 30 + 190 * light], axis=2)
    image = np.where(mask[..., None], ball, image) + np.random.default_rng(seed).normal(0, 4, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8), mask


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    return build_provider(SaliencyParams(provider="u2netp"), tmp_path_factory.mktemp("root"), threads=1)


def given(path, **values):
    scanned = content_sha256(path, "path", "root")
    return SaliencyParams(provider="u2netp", path=str(path), sha256=scanned, **values)


def test_preprocess_by_hand():
    # at 320x320 Lanczos changes nothing, so that every number can be written down
    rgb = np.random.default_rng(1).integers(0, 200, (320, 320, 3), np.uint8)
    rgb[5, 7] = (10, 201, 20)  # the largest value, which everything is divided by
    found = preprocess(rgb, 320, OnnxParams())
    assert found.shape == (1, 3, 320, 320) and found.dtype == np.float32
    for channel, (mean, std) in enumerate([(0.485, 0.229), (0.456, 0.224), (0.406, 0.225)]):
        expected = (rgb[:, :, channel] / 201.0 - mean) / std
        np.testing.assert_allclose(found[0, channel], expected, rtol=1e-5, atol=1e-6)


def test_preprocess_resizes_to_a_square():
    rgb, _ = photo()
    resized = np.asarray(Image.fromarray(rgb).resize((320, 320), Image.Resampling.LANCZOS)) / 255.0
    expected = (resized / resized.max() - MEAN) / STD
    np.testing.assert_allclose(preprocess(rgb, 320, OnnxParams())[0].transpose(1, 2, 0), expected, rtol=1e-4, atol=1e-5)


def test_preprocess_of_black():
    found = preprocess(np.zeros((9, 13, 3), np.uint8), 320, OnnxParams())
    np.testing.assert_allclose(found[0, :, 0, 0], -MEAN / STD, rtol=1e-6)


def test_postprocess_stretches_to_the_whole_range():
    d0 = np.random.default_rng(2).uniform(0.2, 0.7, (320, 320)).astype(np.float32)
    np.testing.assert_allclose(
        postprocess(d0, (320, 320), OnnxParams()), (d0 - d0.min()) / (d0.max() - d0.min()), atol=1e-6
    )
    found = postprocess(d0, (51, 77), OnnxParams())
    assert found.shape == (51, 77) and found.dtype == np.float32
    assert found.min() >= 0 and found.max() <= 1


def test_postprocess_of_an_even_map():
    assert (postprocess(np.full((320, 320), 0.4, np.float32), (5, 6), OnnxParams()) == 0).all()


def test_finds_the_ball(provider):
    rgb, mask = photo()
    found = provider(RECORD, rgb)
    assert found.shape == mask.shape and found.dtype == np.float32
    assert found.min() >= 0 and found.max() <= 1
    assert found[mask].mean() > 0.9
    assert found[~mask].mean() < 0.05
    assert ((found > 0.5) & mask).sum() / ((found > 0.5) | mask).sum() > 0.9


def test_agrees_with_the_networks_own_handling(provider):
    """The package's route, 8 bits at 320x320, written out: ours differs by that rounding alone."""
    import onnxruntime

    rgb, _ = photo()
    session = onnxruntime.InferenceSession(find_weights(), providers=["CPUExecutionProvider"])
    image = np.array(Image.fromarray(rgb).resize((320, 320), Image.LANCZOS))
    image = image / np.max(image)
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    planes = np.stack([(image[..., c] - mean[c]) / std[c] for c in range(3)])[None].astype(np.float32)
    d0 = session.run(None, {session.get_inputs()[0].name: planes})[0][0, 0]
    rounded = ((d0 - d0.min()) / (d0.max() - d0.min()) * 255).astype(np.uint8)
    expected = np.asarray(Image.fromarray(rounded).resize((200, 150), Image.LANCZOS)) / 255.0
    # rounding down at 320x320 is up to 1 level, which Lanczos may overshoot, and Pillow rounds twice more
    difference = np.abs(provider(RECORD, rgb) - expected)
    assert difference.max() < 4 / 255
    assert difference.mean() < 0.6 / 255


def test_another_side_is_the_same_network_on_a_smaller_input(tmp_path):
    """The route by hand: onnxruntime with the declared shape made symbolic, not rewritten as ours is."""
    import onnx
    import onnxruntime

    rgb, mask = photo()
    model = onnx.load(find_weights())
    for axis, name in ((2, "height"), (3, "width")):
        model.graph.input[0].type.tensor_type.shape.dim[axis].dim_param = name
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (d0,) = session.run(
        [session.get_outputs()[0].name], {session.get_inputs()[0].name: preprocess(rgb, 192, OnnxParams())}
    )
    assert d0.shape == (1, 1, 192, 192)
    expected = postprocess(d0[0, 0], mask.shape, OnnxParams())

    found = build_provider(SaliencyParams(provider="u2netp", side=192), tmp_path, threads=1)(RECORD, rgb)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert ((found > 0.5) & mask).sum() / ((found > 0.5) | mask).sum() > 0.9


def test_same_bytes_again(provider, tmp_path):
    rgb, _ = photo(3)
    again = build_provider(SaliencyParams(provider="u2netp"), tmp_path, threads=1)
    assert provider(RECORD, rgb).tobytes() == again(RECORD, rgb).tobytes()


@pytest.mark.parametrize("side", [192, 320])
def test_rejects_what_is_no_network(tmp_path, side):
    (tmp_path / "weights.onnx").write_bytes(b"no network" * 100)
    with pytest.raises(DataError, match=r"weights\.onnx: not a readable ONNX network") as error:
        build_provider(given(tmp_path / "weights.onnx", side=side), tmp_path)
    assert "\n" not in str(error.value)


def network(path, inputs, output, kind=None, value=0.0):
    """Write an ONNX network that returns a constant, whatever it is given."""
    import onnx
    from onnx import TensorProto, helper

    kind = kind or TensorProto.FLOAT
    numbers = np.full(output, value, np.float32).ravel()
    node = helper.make_node(
        "Constant", [], ["d0"], value=helper.make_tensor("d0", TensorProto.FLOAT, list(output), numbers)
    )
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info(f"in{index}", kind, shape) for index, shape in enumerate(inputs)],
        [helper.make_tensor_value_info("d0", TensorProto.FLOAT, list(output))],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.mark.parametrize(
    ("inputs", "kind"),
    [
        ([[1, 3, 224, 224]], None),
        ([[1, 1, 320, 320]], None),
        ([[1, 320, 320, 3]], None),
        ([[1, 3, 320]], None),
        ([[1, 3, 320, 320], [1]], None),
        ([[1, 3, 320, 320]], 11),
        ([[1, 3, 320, 320]], 7),
        ([], None),
    ],
    ids=["side", "grey", "channels last", "rank", "two inputs", "double", "int64", "no input"],
)
def test_a_network_with_other_inputs_is_one_line(tmp_path, inputs, kind):
    path = network(tmp_path / "net.onnx", inputs, (1, 1, 320, 320), kind)
    with pytest.raises(DataError, match=r"net\.onnx: not U2-Net-p: input .*; it needs one input, float") as error:
        build_provider(given(path), tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("output", [(1, 1000), (1, 2, 320, 320), (2, 320, 320), (2, 1, 8, 8), (1, 1, 0, 8)])
def test_a_network_with_other_outputs_is_one_line(tmp_path, output):
    provider = build_provider(given(network(tmp_path / "net.onnx", [[1, 3, "h", "w"]], output)), tmp_path)
    with pytest.raises(DataError, match=r"net\.onnx: not U2-Net-p: output \(") as error:
        provider(RECORD, photo()[0])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_no_map_of_zeros(tmp_path, value):
    path = network(tmp_path / "net.onnx", [[1, 3, 320, 320]], (1, 1, 320, 320), value=value)
    with pytest.raises(DataError, match=r"net\.onnx: the network's map of image 'img7' contains values that are not"):
        build_provider(given(path), tmp_path)(RECORD, photo()[0])


def identity(path, side, outputs=1):
    """Write an ONNX network whose outputs are the input's red plane, the last one; the others are zeros."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    arrays = {"starts": [0, 0], "ends": [1, 1], "axes": [0, 1]}
    constants = [numpy_helper.from_array(np.array(values, np.int64), name) for name, values in arrays.items()]
    names = [f"out{index}" for index in range(outputs)]
    nodes = [helper.make_node("Slice", ["image", *arrays], ["red"])]
    nodes += [helper.make_node("Sub", ["red", "red"], [name]) for name in names[:-1]]
    nodes += [helper.make_node("Identity", ["red"], [names[-1]])]
    shape, kind = [1, 3, side, side], TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("image", kind, shape)],
        [helper.make_tensor_value_info(name, kind, None) for name in names],
        constants,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def named(path, root, **values):
    return build_provider(
        SaliencyParams(provider="onnx", path=str(path), sha256=content_sha256(path, "path", "root"), **values), root
    )


@pytest.mark.parametrize("range_", ["stretch", "logits", "unit"])
@pytest.mark.parametrize("outputs", [1, 3])
def test_any_network_by_its_settings(tmp_path, range_, outputs):
    """The network returns what it is given, so its map is the image's red channel through the settings."""
    rgb = np.random.default_rng(0).integers(0, 200, (64, 64, 3), np.uint8)
    rgb[0, 0] = 200  # what everything is divided by
    onnx = OnnxParams(mean=[0.25, 0.0, 0.0], std=[0.5, 1.0, 1.0], output=outputs - 1, range=range_)
    provider = named(identity(tmp_path / "net.onnx", 64, outputs), tmp_path, side=64, onnx=onnx)
    red = (rgb[..., 0] / 200 - 0.25) / 0.5
    wanted = {
        "stretch": (red - red.min()) / (red.max() - red.min()),
        "logits": 1 / (1 + np.exp(-red)),
        "unit": np.clip(red, 0, 1),
    }[range_]
    np.testing.assert_allclose(provider(RECORD, rgb), wanted, atol=1e-5)


def test_a_network_of_another_size_says_which(tmp_path):
    path = identity(tmp_path / "net.onnx", 96)
    with pytest.raises(DataError, match=r"net\.onnx: its input is 96 x 96 pixels; set saliency\.side to 96$"):
        named(path, tmp_path, side=64)


def test_an_output_that_is_not_there(tmp_path):
    path = identity(tmp_path / "net.onnx", 64, 2)
    with pytest.raises(
        DataError, match=r"net\.onnx: not a saliency network: 2 outputs, and saliency\.onnx\.output is 2,"
    ):
        named(path, tmp_path, side=64, onnx=OnnxParams(output=2))


def test_the_same_network_named_by_its_settings_gives_the_same_bytes(provider, tmp_path):
    """U2-Net-p as provider `onnx` with the defaults."""
    rgb, _ = photo(1)
    assert named(find_weights(), tmp_path)(RECORD, rgb).tobytes() == provider(RECORD, rgb).tobytes()


def test_a_network_without_a_file_is_an_error():
    with pytest.raises(ParamsError, match=r"provider onnx reads an \.onnx file; set saliency\.path to it"):
        SaliencyParams.parse({"provider": "onnx"})
