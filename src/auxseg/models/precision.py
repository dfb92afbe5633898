"""`runtime.precision`: the arithmetic of a run, chosen by a measurement where it is `auto`.

`classify`, the first stage with a network, chooses and notes the choice with its weights. Every later stage reads it
from the weights that it starts from, so all rounds, shards and hosts of a run compute alike. A choice is also kept in
the weights folder (`auxseg.published.weights_folder`), so one machine chooses once for a backbone.
"""

import contextlib
import json
import logging
import math
import statistics
import time
from pathlib import Path

import torch

from auxseg.artifacts.atomic import write_json
from auxseg.artifacts.damage import damaged
from auxseg.artifacts.tensors import TensorFile
from auxseg.models.auxsegnet import AuxSegNet, build_auxsegnet
from auxseg.models.device import allow_tf32, processor
from auxseg.models.folding import fold_batch_norms
from auxseg.params.backbone import BackboneParams
from auxseg.params.network import NetworkParams
from auxseg.params.runtime import PRECISIONS, Precision, RuntimeParams
from auxseg.published import weights_folder

CANDIDATES: dict[str, tuple[Precision, ...]] = {"cuda": ("float32", "tf32", "bfloat16")}
"""By kind of device; on all others float32 and bfloat16."""
SIDE = {"cuda": 321}
"""Of the square images that are measured, by kind of device; on all others 161 pixels."""
LEAST_GAIN = 0.1
"""A faster arithmetic is worth its lower precision if it saves at least this share of a step."""
REPEATS = 5
SECONDS = 10.0
"""After this time a candidate is not measured again; each is measured at least twice."""
CHOICES = "precision.json"


def choose_precision(runtime: RuntimeParams, backbone: BackboneParams, device: torch.device) -> RuntimeParams:
    """Return `runtime` with a precision in place of `auto`, and let this process compute with it.

    Measures training steps of the multi-task network on random images, unless this machine has done so before. The
    measurement does not depend on the run's images or seed, and leaves the random generators as they were.
    """
    if runtime.precision == "auto":
        key = _describe(runtime, backbone, device)
        kept = _kept()
        if key not in kept:
            seconds = _measured(backbone, device)
            kept[key] = fastest(seconds)
            logging.info("runtime.precision: measured seconds of a step: %s", _shown(seconds))
            if math.isfinite(seconds["float32"]):  # without memory for a measurement, another run may have it
                with contextlib.suppress(OSError):  # a read-only folder; it is measured again the next time
                    write_json(weights_folder() / CHOICES, kept)
        logging.info("runtime.precision: auto chooses %s", kept[key])
        runtime = runtime.model_copy(update={"precision": kept[key]})
    allow_tf32(runtime)
    return runtime


def _measured(backbone: BackboneParams, device: torch.device) -> dict[Precision, float]:
    """Return the seconds of a step by precision; of fewer images, if the GPU's memory is too small for all."""
    for batch in (8, 4, 2, 1) if device.type == "cuda" else (2,):
        with contextlib.suppress(torch.OutOfMemoryError):
            return {
                precision: step_seconds(precision, backbone, device, batch)
                for precision in CANDIDATES.get(device.type, ("float32", "bfloat16"))
            }
        torch.cuda.empty_cache()
    logging.warning(
        "runtime.precision: memory of the GPU does not suffice to measure one image of %d pixels; auto takes float32",
        SIDE["cuda"],
    )
    return {"float32": math.inf}


def noted_precision(runtime: RuntimeParams, weights: Path) -> RuntimeParams:
    """Return `runtime` with the precision that is noted with some weights in place of `auto`.

    Raises:
        DataError: the note is no precision.
    """
    if runtime.precision != "auto":
        return runtime
    notes = TensorFile(weights).metadata
    precision = notes.get("precision", "float32") if isinstance(notes, dict) else "float32"  # weights from elsewhere
    if precision not in PRECISIONS:
        raise damaged(weights, f"its note 'precision' is '{precision}'")
    return runtime.model_copy(update={"precision": precision})


def fastest(seconds: dict[Precision, float]) -> Precision:
    """Return the arithmetic with the shortest step, float32 unless that saves LEAST_GAIN of its step."""
    best = min(seconds, key=lambda precision: seconds[precision])
    return best if seconds[best] <= (1 - LEAST_GAIN) * seconds["float32"] else "float32"


def step_seconds(precision: Precision, backbone: BackboneParams, device: torch.device, batch: int) -> float:
    """Return the median time of forward and backward pass of the multi-task network, seconds, after one for warm-up."""
    side = SIDE.get(device.type, 161)
    runtime = RuntimeParams(precision=precision)
    with torch.random.fork_rng():
        network = build_auxsegnet(backbone, NetworkParams(), classes=20).to(device)
        network.to(memory_format=torch.channels_last).eval()  # batch norms are frozen, and no dropout
        fold_batch_norms(network)
        images = torch.rand(batch, 3, side, side, device=device) * 255
    allow_tf32(runtime)
    _step(network, images, runtime)
    times: list[float] = []
    while len(times) < REPEATS and (len(times) < 2 or sum(times) < SECONDS):
        started = time.perf_counter()
        _step(network, images, runtime)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def _step(network: AuxSegNet, images: torch.Tensor, runtime: RuntimeParams) -> None:
    network.zero_grad(set_to_none=True)
    outputs = network(images, low_precision=runtime.low_precision)
    predictions = outputs.classification, outputs.refined_segmentation, outputs.refined_saliency
    torch.stack([prediction.square().mean() for prediction in predictions]).sum().backward()
    if images.is_cuda:
        torch.cuda.synchronize(images.device)


def _describe(runtime: RuntimeParams, backbone: BackboneParams, device: torch.device) -> str:
    """Return everything that decides which arithmetic is fastest."""
    if device.type == "cuda":
        machine = torch.cuda.get_device_name(device)
    else:
        machine = f"{processor()}, {torch.backends.cpu.get_cpu_capability()}, {runtime.threads} threads"
    return f"{machine}; {backbone.name}, stride {backbone.output_stride}; torch {torch.__version__}"


def _kept() -> dict[str, Precision]:
    try:
        choices = json.loads((weights_folder() / CHOICES).read_text())
    except (OSError, ValueError):
        return {}
    return {key: value for key, value in choices.items() if value in PRECISIONS} if isinstance(choices, dict) else {}


def _shown(seconds: dict[Precision, float]) -> str:
    return ", ".join(f"{precision} {value:.3f}" for precision, value in seconds.items())
