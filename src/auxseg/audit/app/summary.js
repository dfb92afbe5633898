// Sums over the selected images, class by class: images, pixels, and pixels that changed since the last round.
"use strict";

((auxseg) => {
  const { element, byId } = auxseg;

  // One entry per class except the background.
  auxseg.summarise = (base, page, rows) => {
    const sums = base.classes.map((name, index) => ({
      name,
      index,
      images: 0,
      pixels: 0,
      missing: 0,
      added: 0,
      removed: 0,
      from: 0,
      to: 0,
    }));
    for (const i of rows) {
      for (const [index, pixels] of Object.entries(page.index.pixels[i])) {
        sums[Number(index)].images += 1;
        sums[Number(index)].pixels += pixels;
      }
      for (const index of page.index.missing[i]) sums[index].missing += 1;
      for (const [index, [added, removed, from, to]] of Object.entries(page.index.changes[i])) {
        const sum = sums[Number(index)];
        sum.added += added;
        sum.removed += removed;
        sum.from += from;
        sum.to += to;
      }
    }
    return sums.slice(1);
  };

  auxseg.renderSummary = (app) => {
    const columns = /** @type {const} */ (["images", "missing", "pixels", "added", "removed", "from", "to"]);
    const body = auxseg
      .summarise(app.base, app.page, app.rows)
      .map((sum) =>
        element(
          "tr",
          {},
          element("th", { scope: "row" }, auxseg.chip(app.base, sum.index)),
          ...columns.map((name) => element("td", {}, sum[name].toLocaleString("en"))),
        ),
      );
    byId("summary-rows").replaceChildren(...body);
  };
})(window.auxseg);
