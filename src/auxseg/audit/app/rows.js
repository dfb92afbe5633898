// Which images are shown, in which order: figures, class and verdict filters, search, sorting.
"use strict";

((auxseg) => {
  /** @typedef {(i: number) => boolean} Test  whether a row is shown */

  /** @type {Record<"share" | Move, string>} */
  const PER_CLASS = {
    share: "share of the label",
    added: "added pixels",
    removed: "removed pixels",
    changed: "changed pixels",
  };

  // Every figure by which images can be ranked.
  auxseg.figures = (base) => {
    const perClass = Object.entries(PER_CLASS).flatMap(([kind, title]) => {
      /** @type {Unit} */
      const unit = kind === "share" ? "share" : "count";
      return base.classes
        .slice(1)
        .map((name) => ({ key: `${kind}:${name}`, title: `${name}: ${title}`, unit, meaning: title }));
    });
    return [{ key: "id", title: "file name", unit: "text", meaning: "image id" }, ...base.figures, ...perClass];
  };

  // The value of a figure for row i: a number, text for "id", or null if it has none.
  auxseg.figure = (base, page, key, i) => {
    if (key === "id") return page.records.id[i];
    if (page.index.figures[key]) return page.index.figures[key][i];
    const cut = key.indexOf(":");
    const kind = key.slice(0, cut);
    const position = base.classes.indexOf(key.slice(cut + 1));
    if (!isPerClass(kind) || position < 1) return null;
    if (kind === "share") {
      return (page.index.pixels[i][position] || 0) / (page.records.width[i] * page.records.height[i]);
    }
    const moved = page.index.changes[i][position];
    if (!moved) return 0;
    const [added, removed, from, to] = moved;
    return { added, removed, changed: from + to }[kind];
  };

  /**
   * @param {string} kind
   * @returns {kind is keyof typeof PER_CLASS}
   */
  function isPerClass(kind) {
    return kind in PER_CLASS;
  }

  auxseg.formatFigure = (value, unit) => {
    if (value === null) return "–";
    if (typeof value === "string") return value;
    if (unit === "share") return `${(100 * value).toFixed(1)} %`;
    return unit === "deviations" ? value.toFixed(1) : String(value);
  };

  // Row numbers in order. Rows without a value of the figure come last in either direction.
  auxseg.selectRows = (base, page, state, verdictOf) => {
    const tests = [...rangeTests(base, page, state), classTest(base, page, state), verdictTest(state, verdictOf)];
    const wanted = plain(state.search.trim());
    if (wanted) tests.push((i) => plain(page.records.id[i]).includes(wanted));
    const rows = [];
    for (let i = 0; i < page.records.id.length; i++) if (tests.every((test) => test(i))) rows.push(i);
    const columns = state.sort.map((key) => sortColumn(base, page, key));
    return rows.sort((a, b) => {
      for (const { values, sign } of columns) {
        const order = compare(values[a], values[b], sign);
        if (order) return order;
      }
      return a - b;
    });
  };

  // macOS writes "é" in a file name as two characters, a keyboard as one.
  /** @param {string} text */
  const plain = (text) => text.toLowerCase().normalize("NFC");

  /**
   * @param {BaseIndex} base
   * @param {Page} page
   * @param {string} key
   */
  function sortColumn(base, page, key) {
    const sign = key.startsWith("-") ? -1 : 1;
    const name = key.replace(/^-/, "");
    return { sign, values: page.records.id.map((_, i) => auxseg.figure(base, page, name, i)) };
  }

  /**
   * @param {number | string | null} a
   * @param {number | string | null} b
   * @param {number} sign
   */
  function compare(a, b, sign) {
    if (a === b) return 0;
    if (a === null) return 1;
    if (b === null) return -1;
    return a < b ? -sign : sign;
  }

  auxseg.parseRange = (text) => {
    const cut = text.lastIndexOf(":");
    const [least = "", most = ""] = text.slice(cut + 1).split("..");
    return { key: text.slice(0, cut), least, most };
  };

  /**
   * @param {BaseIndex} base
   * @param {Page} page
   * @param {State} state
   * @returns {Test[]}
   */
  function rangeTests(base, page, state) {
    return state.ranges.map(auxseg.parseRange).map(({ key, least, most }) => (i) => {
      const value = auxseg.figure(base, page, key, i);
      if (value === null) return least === "" && most === "";
      return (least === "" || Number(value) >= Number(least)) && (most === "" || Number(value) <= Number(most));
    });
  }

  /**
   * @param {BaseIndex} base
   * @param {Page} page
   * @param {State} state
   * @returns {Test}
   */
  function classTest(base, page, state) {
    const position = base.classes.indexOf(state.class);
    if (position < 1) return () => true;
    /** @type {Test} */
    const isTagged = (i) => page.records.tags[i].includes(position);
    /** @type {Partial<Record<string, Test>>} */
    const has = {
      tagged: isTagged,
      label: (i) => position in page.index.pixels[i],
      missing: (i) => page.index.missing[i].includes(position),
      untagged: (i) => page.index.untagged[i].includes(position),
    };
    return has[state.where] ?? isTagged;
  }

  /**
   * @param {State} state
   * @param {App["verdictOf"]} verdictOf
   * @returns {Test}
   */
  function verdictTest(state, verdictOf) {
    if (!state.verdict) return () => true;
    return (i) => {
      const found = verdictOf(i);
      if (state.verdict === "none") return !found;
      if (!found || state.verdict === "any") return Boolean(found);
      if (state.verdict === "stale") return found.hasStale;
      if (state.verdict === "dropped") return !found.isStale && found.drop_classes.length > 0;
      return !found.isStale && found.verdict === state.verdict;
    };
  }
})(window.auxseg);
