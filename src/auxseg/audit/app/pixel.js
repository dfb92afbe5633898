// Why does this pixel have this class? The values behind one pixel's label, in this round and the one before.
"use strict";

((auxseg) => {
  const { element, byId, state } = auxseg;
  /** @type {App} */
  let app;
  /** @type {Pixel | null} */
  let hovered = null;

  auxseg.pixel = {
    start(context) {
      app = context;
    },
    // The pixel that the panels mark: the one under the pointer, else the pinned one.
    at: () => hovered || pinned(),
    forget() {
      hovered = null;
    },
    hover(x, y) {
      hovered = x < 0 ? null : { x, y };
      soon();
    },
    pin(x, y) {
      if (x >= 0) state.set({ pixel: `${x},${y}` });
      soon();
    },
    // Move the pinned pixel; without one, start in the middle.
    move(dx, dy) {
      const opened = auxseg.viewer.opened();
      if (!opened) return;
      const { width, height } = opened.image;
      const from = pinned() || { x: width >> 1, y: height >> 1 };
      const x = Math.max(0, Math.min(width - 1, from.x + dx));
      const y = Math.max(0, Math.min(height - 1, from.y + dy));
      hovered = null;
      auxseg.pixel.pin(x, y);
      auxseg.viewer.reveal(x, y);
    },
    show,
  };

  function pinned() {
    const opened = auxseg.viewer.opened();
    const [x, y] = state.get().pixel.split(",").map(Number);
    const isInside =
      opened && state.get().pixel && x >= 0 && y >= 0 && x < opened.image.width && y < opened.image.height;
    return isInside ? { x, y } : null;
  }

  const soon = auxseg.oncePerFrame(() => {
    show();
    auxseg.viewer.draw();
  });

  function show() {
    const opened = auxseg.viewer.opened();
    if (!opened) return;
    const at = auxseg.pixel.at();
    byId("pixel-hint").hidden = Boolean(at);
    byId("pixel-table").hidden = !at;
    byId("pixel-place").textContent = at ? `x ${at.x}, y ${at.y}` : "";
    if (!at) return;
    const columns = opened.previous === null ? [opened.round] : [opened.round, opened.previous];
    const found = columns.map((name) => explain(opened, name, at.x, at.y));
    byId("pixel-head").replaceChildren(
      element("td", {}),
      ...columns.map((name) => element("th", { scope: "col" }, name)),
    );
    const lines = Object.keys(found[0]).map((name) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, name),
        ...found.map((values) => element("td", {}, values[name])),
      ),
    );
    byId("pixel-rows").replaceChildren(...lines);
  }

  /** @param {number | null} value */
  const number = (value) => (value === null || !Number.isFinite(value) ? "–" : value.toFixed(3));

  /**
   * Name -> text of every value that the label of a pixel depends on in one round.
   * @param {Opened} opened
   * @param {string} name of the round
   * @param {number} x
   * @param {number} y
   * @returns {Record<string, string>}
   */
  function explain(opened, name, x, y) {
    const { image } = opened;
    const { base, split } = app;
    const isVal = split === "val"; // no stage makes a saliency label of it
    const found = image.rounds[name];
    const p = y * image.width + x;
    /** @param {number} index */
    const className = (index) => (index === auxseg.IGNORE ? "ignored (255)" : base.classes[index]);
    const [best, second] = auxseg.strongest(image, found, x, y);
    /** @param {Candidate} candidate */
    const withClass = ({ index, value }) => (index ? `${base.classes[index]} ${number(value)}` : "–");
    const prior = image.prior[p] / 255;
    const refined = found.refinedAt ? found.refinedAt(0, x, y) : null;
    const confidence = found.confidence && auxseg.nearest(found.confidence, image, x, y);
    const weight = base.rule.prior_weight;
    const isFused = auxseg.isFused(base, split, name);
    const after = (found.saliency || image.prior)[p] / 255;
    return {
      [auxseg.kindTitle("label", split)]: className(found.label[p]),
      rule: isFused
        ? found.layers
          ? rule(base.rule, className, best, after) + (auxseg.isCompleted(base) ? "; then the CRF" : "")
          : "background: the image is tagged with no class"
        : isVal
          ? "network, multi-scale and CRF"
          : "label of another method",
      "strongest CAM": withClass(best),
      "second CAM": withClass(second),
      "saliency prior": number(prior),
      "refined saliency": number(refined),
      "before CRF": number(refined === null || isVal ? null : weight * prior + (1 - weight) * refined),
      "after CRF": isVal || !found.saliency ? "–" : number(after), // r0 has only the prior
      "affinity entropy": found.entropy ? number(auxseg.nearest(found.entropy, image, x, y)) : "–",
      "model prediction": found.prediction
        ? `${className(auxseg.nearest(found.prediction, image, x, y))} ${number(confidence)}`
        : "–",
      mask: image.mask ? className(image.mask[p]) : "–",
    };
  }

  /**
   * The fusion rule's decision in words.
   * @param {FusionRule} thresholds
   * @param {(index: number) => string} className
   * @param {Candidate} best
   * @param {number} saliency
   */
  function rule(thresholds, className, best, saliency) {
    const isSalient = Math.fround(saliency) > Math.fround(thresholds.saliency_threshold);
    const least = auxseg.camThreshold(thresholds, isSalient);
    const isObject = best.value > Math.fround(least);
    const cam = `CAM ${number(best.value)} ${isObject ? ">" : "≤"} ${least}`;
    const salient = `saliency ${number(saliency)} ${isSalient ? ">" : "≤"} ${thresholds.saliency_threshold}`;
    if (isObject && isSalient) return `object: ${cam}, ${salient}; strongest is ${className(best.index)}`;
    if (!isObject && !isSalient) return `background: ${cam}, ${salient}`;
    return `ignored, CAM and saliency disagree: ${cam}, ${salient}`;
  }
})(window.auxseg);
