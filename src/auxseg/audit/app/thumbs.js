// Thumbnails: cells of the sheets thumbs/base/<kind>/<chunk>.jpg and thumbs/<round>/<kind>/<chunk>.jpg.
"use strict";

((auxseg) => {
  // The title of every kind of picture.
  auxseg.KINDS = {
    photo: "image",
    prior: "saliency prior",
    cam0: "CAM",
    cam: "refined CAM",
    refined: "refined saliency",
    saliency: "saliency label",
    label: "pseudo label",
    corrected: "corrected label",
    prediction: "model prediction",
    change: "change since last round",
    mask: "mask",
  };

  auxseg.kindTitle = (kind, split) => (kind === "label" && split === "val" ? "final prediction" : auxseg.KINDS[kind]);

  // Width and height of the thumbnails of row i, as panel_size in src/auxseg/audit/panels.py computes them.
  auxseg.thumbSize = (base, records, i) => {
    const [width, height] = base.sheets.cell;
    const scale = Math.min(1, width / records.width[i], height / records.height[i]);
    return {
      width: Math.max(1, Math.round(records.width[i] * scale)),
      height: Math.max(1, Math.round(records.height[i] * scale)),
    };
  };

  // An element that shows one thumbnail of row i.
  auxseg.thumb = (app, kind, i) => {
    const { base, page, round, split } = app;
    const { columns } = base.sheets;
    const folder = base.sheets.base.includes(kind) ? "base" : round;
    const [width, height] = base.sheets.cell;
    const { id, chunk, slot } = page.records;
    const made = auxseg.element("span", {
      class: "thumb",
      role: "img",
      "aria-label": `${auxseg.kindTitle(kind, split)} of ${id[i]}`,
      title: auxseg.kindTitle(kind, split),
    });
    const size = auxseg.thumbSize(base, page.records, i);
    made.style.width = `${size.width}px`;
    made.style.height = `${size.height}px`;
    made.style.backgroundImage = `url("thumbs/${folder}/${kind}/${chunk[i]}.jpg")`;
    made.style.backgroundPosition = `-${(slot[i] % columns) * width}px -${Math.floor(slot[i] / columns) * height}px`;
    return made;
  };

  auxseg.colour = (base, index) => `rgb(${base.palette[index].join(" ")})`;

  // A class name with its colour.
  auxseg.chip = (base, index, extra = "") => {
    const swatch = auxseg.element("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.background = auxseg.colour(base, index);
    return auxseg.element("span", { class: `chip ${extra}` }, swatch, base.classes[index]);
  };
})(window.auxseg);
