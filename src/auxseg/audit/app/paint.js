// The pictures of the viewer as layers, each {canvas, width, height}: what lies below, the overlay, and the ignore hatch.
"use strict";

(function (auxseg) {
  const HATCH = { light: [245, 245, 245], dark: [40, 40, 40] };
  const MOST_SIDE = 2048; // of a canvas; labels of large photographs would fill the memory
  const HATCH_STRIPES = 48; // along the longer side

  // A canvas of the image; of a large one every n-th pixel. colourAt(p, x, y) gives the colour of pixel p = y * width + x.
  function canvasOf(image, colourAt) {
    const step = Math.ceil(Math.max(image.width, image.height) / MOST_SIDE);
    const canvas = document.createElement("canvas");
    canvas.width = Math.ceil(image.width / step);
    canvas.height = Math.ceil(image.height / step);
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(canvas.width, canvas.height);
    const out = new Uint32Array(pixels.data.buffer);
    let i = 0;
    for (let y = 0; y < image.height; y += step) {
      for (let x = 0; x < image.width; x += step) out[i++] = colourAt(y * image.width + x, x, y);
    }
    context.putImageData(pixels, 0, 0);
    return { canvas, width: canvas.width * step, height: canvas.height * step };
  }

  const opaque = ([red, green, blue]) => (255 << 24) | (blue << 16) | (green << 8) | red; // little-endian RGBA

  const greyCanvas = (image, valueAt) => canvasOf(image, (p, x, y) => opaque(Array(3).fill(valueAt(p, x, y))));

  // Class colours, background and hidden classes clear, and 255 clear: it has its own layer.
  function classCanvas(image, labelAt, base, hidden) {
    const table = new Uint32Array(256);
    base.classes.forEach((name, index) => {
      if (index && !hidden.includes(name)) table[index] = opaque(base.palette[index]);
    });
    return canvasOf(image, (p, x, y) => table[labelAt(p, x, y)]);
  }

  // Diagonal stripes over 255, never to be switched off.
  function hatchCanvas(image, labelAt) {
    const period = Math.max(4, 2 * Math.round(Math.max(image.width, image.height) / HATCH_STRIPES / 2));
    const light = opaque(HATCH.light);
    const dark = opaque(HATCH.dark);
    const stripe = (x, y) => ((x + y) % period < period / 2 ? light : dark);
    return canvasOf(image, (p, x, y) => (labelAt(p, x, y) === auxseg.IGNORE ? stripe(x, y) : 0));
  }

  // Strongest CAM of the classes that are not hidden, as colour: dark blue 0, red 1.
  function heatCanvas(image, found, base, hidden) {
    const layers = image.tags
      .map((_, layer) => layer)
      .filter((layer) => !hidden.includes(base.classes[image.tags[layer]]));
    return canvasOf(image, (p, x, y) => {
      let value = 0;
      for (const layer of layers) value = Math.max(value, found.camAt(layer, x, y));
      return opaque(heat(Math.min(1, value)));
    });
  }

  const ramp = (value) => Math.round(255 * Math.max(0, Math.min(1, value)));
  const heat = (v) => [
    ramp(1.5 - Math.abs(4 * v - 3)),
    ramp(1.5 - Math.abs(4 * v - 2)),
    ramp(1.5 - Math.abs(4 * v - 1)),
  ];

  // How a pixel moved from one label to the next.
  auxseg.changeOf = function (before, now) {
    if (before === now) return "same";
    if (before === auxseg.IGNORE) return "added";
    return now === auxseg.IGNORE ? "removed" : "changed";
  };

  function changeCanvas(image, before, now, base) {
    const table = { same: 0 };
    for (const [name, colour] of Object.entries(base.changeColours)) table[name] = opaque(colour);
    return canvasOf(image, (p) => table[auxseg.changeOf(before[p], now[p])]);
  }

  // {below: "photo" or a layer, overlay, hatch} of one kind of picture; null where the image has none.
  auxseg.paint = function (app, opened, kind) {
    const { image, round, previous } = opened;
    const hidden = auxseg.state.get().hidden;
    const here = image.rounds[round];
    const coarse = (map) => (p, x, y) => auxseg.nearest(map, image, x, y);
    const labelled = (labelAt) => ({
      below: "photo",
      overlay: classCanvas(image, labelAt, app.base, hidden),
      hatch: hatchCanvas(image, labelAt),
    });
    const smooth = (at) => (p, x, y) => ramp(at(0, x, y));
    const kinds = {
      photo: () => ({ below: "photo" }),
      prior: () => ({ below: greyCanvas(image, (p) => image.prior[p]) }),
      cam0: () => ({ below: "photo", overlay: heatCanvas(image, image.rounds[app.base.rounds[0]], app.base, hidden) }),
      cam: () => ({ below: "photo", overlay: heatCanvas(image, here, app.base, hidden) }),
      refined: () => ({ below: greyCanvas(image, smooth(here.refinedAt)) }),
      saliency: () => ({ below: greyCanvas(image, (p) => here.saliency[p]) }),
      label: () => labelled((p) => here.label[p]),
      prediction: () => labelled(coarse(here.prediction)),
      change: () => ({
        below: "photo",
        overlay: changeCanvas(image, image.rounds[previous].label, here.label, app.base),
      }),
      mask: () => image.mask && labelled((p) => image.mask[p]),
    };
    return kinds[kind]();
  };
})(window.auxseg);
