// Why a pixel has its label: decodes the stored artifacts and repeats the fusion of src/auxseg/fusion.py.
"use strict";

((auxseg) => {
  const IGNORE = 255;
  const round = Math.fround;

  auxseg.IGNORE = IGNORE;

  // Decode an image of a chunk: what its rounds share, and the rounds that are asked for.
  auxseg.decodeImage = async (stored, tags, rounds) => {
    const prior = await auxseg.decodePng(auxseg.bytes(stored.prior));
    const mask = stored.mask ? await auxseg.decodePng(auxseg.bytes(stored.mask)) : null;
    /** @type {Record<string, DecodedRound>} */
    const found = {};
    for (const name of rounds) found[name] = await decodeRound(stored.rounds[name], prior);
    const { width, height, values } = prior;
    return { width, height, prior: values, mask: mask?.values ?? null, tags, rounds: found };
  };

  /**
   * @param {StoredRound} stored
   * @param {Size} size of the image
   * @returns {Promise<DecodedRound>}
   */
  async function decodeRound(stored, { width, height }) {
    const label = await auxseg.decodePng(auxseg.bytes(stored.label));
    const saliency = stored.saliency ? await auxseg.decodePng(auxseg.bytes(stored.saliency)) : null;
    const corrected = stored.corrected ? await auxseg.decodePng(auxseg.bytes(stored.corrected)) : null;
    const cam = auxseg.decodeHalf(stored.cam);
    const refined = stored.refined && auxseg.decodeHalf(stored.refined);
    return {
      label: label.values,
      corrected: corrected?.values ?? null,
      saliency: saliency?.values ?? null,
      layers: cam.layers,
      camAt: auxseg.sampler(cam, width, height),
      refinedAt: refined && auxseg.sampler(refined, width, height),
      prediction: stored.prediction && auxseg.decodeIndices(stored.prediction),
      confidence: stored.confidence && auxseg.decodeHalf(stored.confidence),
      entropy: stored.entropy && auxseg.decodeHalf(stored.entropy),
    };
  }

  // The classes with the strongest and the second CAM at a pixel; of equal ones the first class wins.
  auxseg.strongest = (image, found, x, y) => {
    let best = { index: 0, value: -Infinity };
    let second = { index: 0, value: -Infinity };
    for (let layer = 0; layer < found.layers; layer++) {
      const candidate = { index: image.tags[layer], value: found.camAt(layer, x, y) };
      if (candidate.value > best.value) [best, second] = [candidate, best];
      else if (candidate.value > second.value) second = candidate;
    }
    return [best, second];
  };

  // The fused label of one pixel: class, 0, or 255 where CAM and saliency disagree. Without tags all is background.
  auxseg.decide = (image, found, rule, x, y) => {
    if (!found.layers) return 0;
    const [best] = auxseg.strongest(image, found, x, y);
    const grey = (found.saliency || image.prior)[y * image.width + x];
    const isSalient = round(grey / 255) > round(rule.saliency_threshold);
    const isObject = best.value > round(auxseg.camThreshold(rule, isSalient));
    if (isObject && isSalient) return best.index;
    return isObject || isSalient ? IGNORE : 0;
  };

  // What a CAM is compared with: where nothing is salient, there may be another threshold.
  auxseg.camThreshold = (rule, isSalient) => (isSalient ? null : rule.background_threshold) ?? rule.cam_threshold;

  // Number of pixels whose recomputed label differs from the stored one.
  auxseg.countMismatches = (image, found, rule) => {
    let wrong = 0;
    for (let y = 0; y < image.height; y++) {
      for (let x = 0; x < image.width; x++) {
        if (auxseg.decide(image, found, rule, x, y) !== found.label[y * image.width + x]) wrong++;
      }
    }
    return wrong;
  };

  // Whether the fusion made a round's label. It does not make predictions on val and labels of another method.
  auxseg.isFused = (base, split, roundName) =>
    split === "train" && !(roundName === "r0" && base.rule.initial === "precomputed");

  // Whether a CRF changed the fused labels. It is not repeated here.
  auxseg.isCompleted = (base) => base.rule.completion === "crf";

  // Value of a map at network resolution at a pixel of the image, nearest neighbour.
  auxseg.nearest = (map, image, x, y) => {
    const column = Math.min(map.width - 1, Math.floor(((x + 0.5) * map.width) / image.width));
    const row = Math.min(map.height - 1, Math.floor(((y + 0.5) * map.height) / image.height));
    return map.values[row * map.width + column];
  };
})(window.auxseg);
