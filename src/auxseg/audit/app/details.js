// Beside the panels: panel and class toggles, figures, changes since the last round, and the origin of every picture.
"use strict";

((auxseg) => {
  const { element, byId, state } = auxseg;
  /** @type {App} */
  let app;

  auxseg.details = {
    start(context) {
      app = context;
      byId("ignored-swatch").title = "always shown";
    },
    show(opened) {
      showTags(opened);
      showPanels();
      showClasses(opened);
      showFigures(opened);
      showChanges(opened);
      showProvenance(opened);
    },
    showToggles(opened) {
      showPanels();
      showClasses(opened);
    },
  };

  function showPanels() {
    const boxes = app.kinds.map((kind, at) => {
      const box = element("input", { type: "checkbox", value: kind, onchange: () => state.toggle("panels", kind) });
      box.checked = state.get().panels.includes(kind);
      return element("label", at < 9 ? { title: `Shift+${at + 1}` } : {}, box, auxseg.kindTitle(kind, app.split));
    });
    auxseg.replaceBoxes(byId("panel-kinds"), boxes);
  }

  /**
   * The image's tags. Those without a pixel in the label are struck through, as in the gallery.
   * @param {Opened} opened
   */
  function showTags({ image, i }) {
    const missing = app.page.index.missing[i];
    byId("tags").replaceChildren(
      ...image.tags.map((index) => auxseg.chip(app.base, index, missing.includes(index) ? "missing" : "")),
    );
  }

  /**
   * All classes, in the order of the keys 1 to 9; those of the image stand out.
   * @param {Opened} opened
   */
  function showClasses(opened) {
    const own = new Set([...opened.image.tags, ...Object.keys(app.page.index.pixels[opened.i]).map(Number)]);
    const boxes = app.base.classes.slice(1).map((name, at) => {
      const box = element("input", { type: "checkbox", value: name, onchange: () => state.toggle("hidden", name) });
      box.checked = !state.get().hidden.includes(name);
      const shortcut = at < 9 ? { title: `key ${at + 1}` } : {};
      return element("label", { ...shortcut, class: own.has(at + 1) ? "own" : "" }, box, auxseg.chip(app.base, at + 1));
    });
    auxseg.replaceBoxes(byId("class-toggles"), boxes);
  }

  /** @param {Opened} opened */
  function showFigures(opened) {
    const rows = app.base.figures.map(({ key, title, unit, meaning }) => {
      const value = auxseg.figure(app.base, app.page, key, opened.i);
      return element(
        "tr",
        { title: meaning },
        element("th", { scope: "row" }, title),
        element("td", {}, auxseg.formatFigure(value, unit)),
      );
    });
    byId("figure-rows").replaceChildren(...rows);
    const isFused = auxseg.isFused(app.base, app.split, opened.round);
    byId("check").hidden = !isFused || auxseg.isCompleted(app.base);
    byId("recomputed").textContent = "";
    byId("check").onclick = () => {
      const wrong = auxseg.countMismatches(opened.image, opened.image.rounds[opened.round], app.base.rule);
      const all = opened.image.width * opened.image.height;
      byId("recomputed").textContent =
        `${(all - wrong).toLocaleString("en")} of ${all.toLocaleString("en")} pixels match the stored label`;
    };
  }

  /** @param {Opened} opened */
  function showChanges(opened) {
    const moved = Object.entries(app.page.index.changes[opened.i]);
    byId("changes-none").hidden = moved.length > 0;
    byId("changes-none").textContent = opened.previous
      ? `No class has changed since ${opened.previous}.`
      : "This is the first round.";
    byId("changes").hidden = moved.length === 0;
    byId("change-rows").replaceChildren(
      ...moved.map(([index, counts]) =>
        element(
          "tr",
          {},
          element("th", { scope: "row" }, auxseg.chip(app.base, Number(index))),
          ...counts.map((count) => element("td", {}, count.toLocaleString("en"))),
        ),
      ),
    );
  }

  /**
   * Stage, file, hash, weights and parameters of everything that is shown of the image.
   * @param {Opened} opened
   */
  function showProvenance(opened) {
    const { origins, params, weights, lengths, reviews, versions } = app.base.provenance;
    const { records } = app.page;
    const isFirst = opened.round === app.base.rounds[0];
    /** @type {Hashes} */
    const hashes = {
      ...opened.stored.hashes,
      ...opened.stored.rounds[opened.round].hashes,
      weights: weights[opened.round],
      review: reviews[opened.round],
    };
    const shown = origins.filter(
      (origin) => (isFirst ? origin.first : origin.later) && (!origin.split || origin.split === app.split),
    );
    const lines = shown.flatMap((origin) => {
      const hash = hashes[origin.artifact];
      if (!hash) return [];
      const before = app.base.rounds[app.base.rounds.indexOf(opened.round) - 1];
      /** @type {Record<string, string>} */
      const names = { round: opened.round, before, shard: records.shard[opened.i] };
      const file = origin.file.replace(/<(\w+)>/g, (_, name) => names[name]);
      const made = origin.weights ? `, by the network of ${opened.round}` : "";
      return [
        element("dt", {}, origin.title),
        element("dd", {}, `stage ${origin.stage}, ${file}${made}`),
        element("dd", { class: "hash" }, `SHA-256 ${hash}`),
        ...(origin.artifact === "weights" && lengths[opened.round]
          ? [element("dd", {}, `trained for ${lengths[opened.round]}`)]
          : []),
        element("dd", {}, `parameters: ${origin.sections.join(", ")}`),
      ];
    });
    byId("provenance-list").replaceChildren(...lines);
    byId("provenance-path").textContent = opened.stored.path;
    byId("provenance-params").textContent = JSON.stringify(params, null, 1);
    byId("provenance-versions").textContent = Object.entries(versions)
      .map(([name, number]) => `${name} ${number}`)
      .join("\n");
  }
})(window.auxseg);
