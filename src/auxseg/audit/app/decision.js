// Why a pixel has its label: the stored artifacts decoded, and the fusion of src/auxseg/fusion.py again.
"use strict";

(function (auxseg) {
  const IGNORE = 255;
  const round = Math.fround;

  auxseg.IGNORE = IGNORE;

  // Decode what a chunk holds of one image: its shared parts and the rounds named.
  auxseg.decodeImage = async function (stored, tags, rounds) {
    const prior = await auxseg.decodePng(auxseg.bytes(stored.prior));
    const mask = stored.mask && (await auxseg.decodePng(auxseg.bytes(stored.mask)));
    const decoded = { width: prior.width, height: prior.height, prior: prior.values, mask: mask && mask.values, tags };
    decoded.rounds = {};
    for (const name of rounds) decoded.rounds[name] = await decodeRound(stored.rounds[name], decoded);
    return decoded;
  };

  async function decodeRound(stored, image) {
    const label = await auxseg.decodePng(auxseg.bytes(stored.label));
    const saliency = stored.saliency && (await auxseg.decodePng(auxseg.bytes(stored.saliency)));
    const cam = auxseg.decodeHalf(stored.cam);
    const at = (map) => map && auxseg.sampler(map, image.width, image.height);
    return {
      label: label.values,
      saliency: saliency && saliency.values,
      layers: cam.layers,
      camAt: at(cam),
      refinedAt: at(auxseg.decodeHalf(stored.refined)),
      prediction: auxseg.decodeIndices(stored.prediction),
      confidence: auxseg.decodeHalf(stored.confidence),
      entropy: auxseg.decodeHalf(stored.entropy),
    };
  }

  // Class index and value of the strongest and second CAM of a pixel; a tie goes to the first class.
  auxseg.strongest = function (image, found, x, y) {
    let best = { index: 0, value: -Infinity };
    let second = { index: 0, value: -Infinity };
    for (let layer = 0; layer < found.layers; layer++) {
      const candidate = { index: image.tags[layer], value: found.camAt(layer, x, y) };
      if (candidate.value > best.value) [best, second] = [candidate, best];
      else if (candidate.value > second.value) second = candidate;
    }
    return [best, second];
  };

  // The fused label of one pixel: class, 0, or 255 where CAM and saliency disagree.
  auxseg.decide = function (image, found, rule, x, y) {
    const [best] = auxseg.strongest(image, found, x, y);
    const grey = (found.saliency || image.prior)[y * image.width + x];
    const isObject = best.value > round(rule.cam_threshold);
    const isSalient = round(grey / 255) > round(rule.saliency_threshold);
    if (isObject && isSalient) return best.index;
    return isObject || isSalient ? IGNORE : 0;
  };

  // Number of pixels whose decision is not the stored label's.
  auxseg.countMismatches = function (image, found, rule) {
    let wrong = 0;
    for (let y = 0; y < image.height; y++) {
      for (let x = 0; x < image.width; x++) {
        if (auxseg.decide(image, found, rule, x, y) !== found.label[y * image.width + x]) wrong++;
      }
    }
    return wrong;
  };

  // Whether a round's label is the fusion's: not for predictions on val, nor for labels of another method.
  auxseg.isFused = function (base, split, roundName) {
    return split === "train" && !(roundName === "r0" && base.rule.initial === "precomputed");
  };

  // Value of a map at network resolution under a pixel of the photograph, nearest neighbour.
  auxseg.nearest = function (map, image, x, y) {
    const column = Math.min(map.width - 1, Math.floor(((x + 0.5) * map.width) / image.width));
    const row = Math.min(map.height - 1, Math.floor(((y + 0.5) * map.height) / image.height));
    return map.values[row * map.width + column];
  };
})(window.auxseg);
