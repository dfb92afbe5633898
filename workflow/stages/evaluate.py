"""Stage evaluate: a round's model on val, without and with post-processing (docs/method.md section 6).

Writes the final predictions (multi-scale + CRF) as label PNGs, and counts for three kinds: `model` (single scale),
`model+ms` (multi-scale) and `model+ms+crf`. If no val image has a mask, only the final predictions are made, and there
are no counts.
"""

from collections import defaultdict
from functools import partial

from auxseg.artifacts.archive import write_archive
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.masks import Masks
from auxseg.datasets.photos import read_photos
from auxseg.encoded import encode_label
from auxseg.metrics.segmentation import Counts
from auxseg.metrics.tables import write_counts
from auxseg.models.auxsegnet import load_auxsegnet
from auxseg.models.device import prepare_device
from auxseg.models.precision import noted_precision
from auxseg.parallel import track
from auxseg.params.backbone import BackboneParams
from auxseg.params.evaluate import EvaluateParams
from auxseg.params.network import NetworkParams
from auxseg.params.runtime import RuntimeParams
from auxseg.pipeline.stage import Stage, run
from auxseg.post_processing import KINDS
from auxseg.prediction import predict_photos, segment_photos


def main(stage: Stage) -> None:
    weights, dataset = stage.inputs.weights(stage.round), Dataset(stage.inputs)
    runtime = noted_precision(stage.params(RuntimeParams), weights)
    device, masks, classes = prepare_device(runtime), Masks.of(dataset), len(dataset.classes)
    network = load_auxsegnet(weights, stage.params(BackboneParams), stage.params(NetworkParams), classes, device)
    params, records, files = stage.params(EvaluateParams), dataset.records("val"), {}
    counts: dict[str, Counts] = defaultdict(partial(Counts.zeros, classes))
    photos = track(read_photos(dataset.root, records), f"evaluate {stage.round}", total=len(records))
    if any(record.id in masks for record in records):
        predictions = predict_photos(network, photos, params, runtime, device)
        for record, prediction in zip(records, predictions, strict=True):
            files[f"{record.id}.png"] = encode_label(prediction.final)
            if record.id in masks:
                mask = masks[record.id]
                for kind, indices in zip(KINDS, prediction, strict=True):
                    counts[kind] += Counts.of(indices, mask, classes)
    else:
        finals = segment_photos(network, photos, params, runtime, device)
        files = {f"{record.id}.png": encode_label(final) for record, (final, _) in zip(records, finals, strict=True)}
    write_archive(stage.outputs.predictions(stage.round), files)
    write_counts(stage.outputs.evaluation(stage.round), counts)


if __name__ == "__main__":
    run("evaluate", main, rounds=True)
