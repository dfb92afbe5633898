// The pictures of the viewer as layers (the picture below, the overlay, the hatching of ignored pixels), and its cursor.
"use strict";

((auxseg) => {
  /** @typedef {(p: number, x: number, y: number) => number} ValueAt  value at pixel p = y * width + x */

  /** @type {Record<"light" | "dark", Colour>} */
  const HATCH = { light: [245, 245, 245], dark: [40, 40, 40] };
  const MOST_SIDE = 2048; // of a canvas, because those of large images would fill the memory
  const HATCH_STRIPES = 48; // along the longer side
  const CURSOR = [
    { colour: "#000", width: 3 },
    { colour: "#fff", width: 1.2 },
  ];

  /**
   * A canvas of the image; of a large image every n-th pixel.
   * @param {Size} image
   * @param {ValueAt} colourAt
   */
  function canvasOf(image, colourAt) {
    const step = Math.ceil(Math.max(image.width, image.height) / MOST_SIDE);
    const canvas = document.createElement("canvas");
    canvas.width = Math.ceil(image.width / step);
    canvas.height = Math.ceil(image.height / step);
    const context = auxseg.context(canvas);
    const pixels = context.createImageData(canvas.width, canvas.height);
    const out = new Uint32Array(pixels.data.buffer);
    let i = 0;
    for (let y = 0; y < image.height; y += step) {
      for (let x = 0; x < image.width; x += step) out[i++] = colourAt(y * image.width + x, x, y);
    }
    context.putImageData(pixels, 0, 0);
    return { canvas, width: canvas.width * step, height: canvas.height * step };
  }

  /** @param {Colour} colour */
  const opaque = ([red, green, blue]) => (255 << 24) | (blue << 16) | (green << 8) | red; // little-endian RGBA

  /** @type {(image: Size, valueAt: ValueAt) => Layer} */
  const greyCanvas = (image, valueAt) =>
    canvasOf(image, (p, x, y) => {
      const grey = valueAt(p, x, y);
      return opaque([grey, grey, grey]);
    });

  /**
   * Class colours. Background and hidden classes are transparent, and so is 255, which has its own layer.
   * @param {Size} image
   * @param {ValueAt} labelAt
   * @param {BaseIndex} base
   * @param {string[]} hidden
   */
  function classCanvas(image, labelAt, base, hidden) {
    const table = new Uint32Array(256);
    base.classes.forEach((name, index) => {
      if (index && !hidden.includes(name)) table[index] = opaque(base.palette[index]);
    });
    return canvasOf(image, (p, x, y) => table[labelAt(p, x, y)]);
  }

  /**
   * Diagonal stripes over 255. They can't be switched off.
   * @param {Size} image
   * @param {ValueAt} labelAt
   */
  function hatchCanvas(image, labelAt) {
    const period = Math.max(4, 2 * Math.round(Math.max(image.width, image.height) / HATCH_STRIPES / 2));
    const light = opaque(HATCH.light);
    const dark = opaque(HATCH.dark);
    /** @type {(x: number, y: number) => number} */
    const stripe = (x, y) => ((x + y) % period < period / 2 ? light : dark);
    return canvasOf(image, (p, x, y) => (labelAt(p, x, y) === auxseg.IGNORE ? stripe(x, y) : 0));
  }

  /**
   * The strongest CAM of the classes that are not hidden, as colour: dark blue = 0, red = 1.
   * @param {DecodedImage} image
   * @param {DecodedRound} found
   * @param {BaseIndex} base
   * @param {string[]} hidden
   */
  function heatCanvas(image, found, base, hidden) {
    const layers = image.tags
      .map((_, layer) => layer)
      .filter((layer) => !hidden.includes(base.classes[image.tags[layer]]));
    return canvasOf(image, (_p, x, y) => {
      let value = 0;
      for (const layer of layers) value = Math.max(value, found.camAt(layer, x, y));
      return opaque(heat(Math.min(1, value)));
    });
  }

  /** @param {number} value */
  const ramp = (value) => Math.round(255 * Math.max(0, Math.min(1, value)));
  /** @type {(v: number) => Colour} */
  const heat = (v) => [
    ramp(1.5 - Math.abs(4 * v - 3)),
    ramp(1.5 - Math.abs(4 * v - 2)),
    ramp(1.5 - Math.abs(4 * v - 1)),
  ];

  // How a pixel moved from one label to the next.
  auxseg.changeOf = (before, now) => {
    if (before === now) return "same";
    if (before === auxseg.IGNORE) return "added";
    return now === auxseg.IGNORE ? "removed" : "changed";
  };

  /**
   * @param {Size} image
   * @param {Uint8Array} before
   * @param {Uint8Array} now
   * @param {BaseIndex} base
   */
  function changeCanvas(image, before, now, base) {
    const { added, removed, changed } = base.changeColours;
    const table = { same: 0, added: opaque(added), removed: opaque(removed), changed: opaque(changed) };
    return canvasOf(image, (p) => table[auxseg.changeOf(before[p], now[p])]);
  }

  // The layers of one kind of picture; null if the image has no such picture.
  auxseg.paint = (app, opened, kind) => {
    const { image, round, previous } = opened;
    const hidden = auxseg.state.get().hidden;
    const here = image.rounds[round];
    const { mask } = image;
    const { corrected, prediction, refinedAt, saliency } = here;
    /** @type {(labelAt: ValueAt) => Layers} */
    const labelled = (labelAt) => ({
      below: "photo",
      overlay: classCanvas(image, labelAt, app.base, hidden),
      hatch: hatchCanvas(image, labelAt),
    });
    /** @type {Record<Kind, () => Layers | null>} */
    const kinds = {
      photo: () => ({ below: "photo" }),
      prior: () => ({ below: greyCanvas(image, (p) => image.prior[p]) }),
      cam0: () => ({ below: "photo", overlay: heatCanvas(image, image.rounds[app.base.rounds[0]], app.base, hidden) }),
      cam: () => ({ below: "photo", overlay: heatCanvas(image, here, app.base, hidden) }),
      refined: () => refinedAt && { below: greyCanvas(image, (_p, x, y) => ramp(refinedAt(0, x, y))) },
      saliency: () => saliency && { below: greyCanvas(image, (p) => saliency[p]) },
      label: () => labelled((p) => here.label[p]),
      corrected: () => corrected && labelled((p) => corrected[p]),
      prediction: () => prediction && labelled((_p, x, y) => auxseg.nearest(prediction, image, x, y)),
      change: () =>
        previous === null
          ? null
          : { below: "photo", overlay: changeCanvas(image, image.rounds[previous].label, here.label, app.base) },
      mask: () => mask && labelled((p) => mask[p]),
    };
    return kinds[kind]();
  };

  // A cross around a pixel of the image, black with a white core; `scale` is screen pixels per image pixel.
  auxseg.paintCursor = (context, { x, y }, scale) => {
    const reach = 9 / scale;
    for (const { colour, width } of CURSOR) {
      context.strokeStyle = colour;
      context.lineWidth = width / scale;
      context.beginPath();
      for (const [dx, dy] of [
        [1, 0],
        [-1, 0],
        [0, 1],
        [0, -1],
      ]) {
        context.moveTo(x + 0.5 + dx * reach * 0.35, y + 0.5 + dy * reach * 0.35);
        context.lineTo(x + 0.5 + dx * reach, y + 0.5 + dy * reach);
      }
      context.stroke();
    }
  };
})(window.auxseg);
