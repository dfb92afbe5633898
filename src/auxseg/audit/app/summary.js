// What the selected images come to, class by class: images, pixels, and pixels added and removed since the last round.
"use strict";

(function (auxseg) {
  const { element, byId } = auxseg;

  // One entry a class: numbers over some rows.
  auxseg.summarise = function (base, page, rows) {
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
        sums[index].images += 1;
        sums[index].pixels += pixels;
      }
      for (const index of page.index.missing[i]) sums[index].missing += 1;
      for (const [index, [added, removed, from, to]] of Object.entries(page.index.changes[i])) {
        sums[index].added += added;
        sums[index].removed += removed;
        sums[index].from += from;
        sums[index].to += to;
      }
    }
    return sums.slice(1);
  };

  auxseg.renderSummary = function (app) {
    const columns = ["images", "missing", "pixels", "added", "removed", "from", "to"];
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
