// The controls beside the gallery: round, split, order, filters, thumbnails, and the button that resets them.
"use strict";

((auxseg) => {
  const { element, byId, state } = auxseg;
  const SELECTS = /** @type {const} */ (["round", "split", "class", "where", "verdict"]);
  /** @type {App} */
  let app;
  /** @type {Figure[]} */
  let figures = [];

  auxseg.controls = {
    start(context) {
      app = context;
      figures = auxseg.figures(app.base);
      fill(
        byId("split"),
        Object.keys(app.base.records).map((name) => [name, name]),
      );
      fill(byId("class"), [["", "any class"], ...app.base.classes.slice(1).map((name) => [name, name])]);
      for (const id of SELECTS) {
        byId(id).addEventListener("change", () => state.set({ [id]: byId(id).value }));
      }
      byId("search").addEventListener("input", () => state.set({ search: byId("search").value }));
      byId("add-sort").addEventListener("click", () => state.set({ sort: [...state.get().sort, "-ignored"] }));
      byId("add-range").addEventListener("click", () => state.set({ ranges: [...state.get().ranges, "ignored:.."] }));
      byId("reset").addEventListener("click", () => {
        const { sort, ranges, search, class: name, where, verdict } = state.defaults();
        state.set({ sort, ranges, search, class: name, where, verdict });
      });
    },
    // Update the controls from the state.
    render() {
      const now = state.get();
      byId("class").value = now.class;
      byId("where").value = now.where;
      byId("verdict").value = now.verdict;
      const rounds = app.split === "val" ? app.base.rounds.slice(1) : app.base.rounds; // r0 has no predictions
      if (byId("round").length !== rounds.length)
        fill(
          byId("round"),
          rounds.map((name) => [name, name]),
        );
      byId("round").value = app.round;
      byId("split").value = app.split;
      byId("where").disabled = !now.class;
      if (byId("search").value !== now.search) byId("search").value = now.search;
      rebuild(byId("sorts"), now.sort.map(sortRow), byId("add-sort"));
      if (!isTyping(byId("ranges"))) rebuild(byId("ranges"), now.ranges.map(rangeRow), byId("add-range"));
      rebuild(
        byId("thumb-kinds"),
        app.kinds.map((kind) => check(kind)),
      );
      const total = app.page.records.id.length;
      const all = app.base.totals[app.split];
      const part = total < all ? `, ${all} in the data set` : "";
      byId("count").textContent = `${app.rows.length} of ${total} images${part}`;
    },
  };

  /**
   * @param {HTMLSelectElement} select
   * @param {string[][]} options value and text
   */
  function fill(select, options) {
    select.replaceChildren(...options.map(([value, text]) => element("option", { value }, text)));
  }

  /**
   * Replace children but keep the focus: on the control with the same role or label, else on the button that adds one.
   * @param {HTMLElement} parent
   * @param {HTMLElement[]} children
   * @param {HTMLElement} [adder]
   */
  function rebuild(parent, children, adder) {
    /** @param {Element} control */
    const name = (control) => control.getAttribute("data-role") ?? control.getAttribute("aria-label");
    const focused = document.activeElement;
    const had = focused && parent.contains(focused) ? name(focused) : null;
    parent.replaceChildren(...children);
    if (!had) return;
    /** @type {NodeListOf<HTMLElement>} */
    const labelled = parent.querySelectorAll("[aria-label]");
    const same = [...labelled].find((control) => name(control) === had);
    (same ?? adder)?.focus();
  }

  /** @param {HTMLElement} parent */
  function isTyping(parent) {
    const focused = document.activeElement;
    return focused instanceof HTMLInputElement && focused.type === "number" && parent.contains(focused);
  }

  /** Figures that can be between two bounds: all but the file name. */
  const numbers = () => figures.filter(({ unit }) => unit !== "text");

  /**
   * @param {string} label
   * @param {string} chosen
   * @param {(key: string) => void} choose
   */
  function figureSelect(label, chosen, choose, shown = figures) {
    /** @type {HTMLSelectElement} */
    const select = element("select", { "aria-label": label, onchange: () => choose(select.value) });
    fill(
      select,
      shown.map(({ key, title }) => [key, title]),
    );
    select.value = chosen;
    select.title = figures.find(({ key }) => key === chosen)?.meaning || "";
    return select;
  }

  /** @type {(list: string[], at: number, item: string) => string[]} */
  const replaced = (list, at, item) => list.map((old, i) => (i === at ? item : old));
  /** @type {(list: string[], at: number) => string[]} */
  const without = (list, at) => list.filter((_, i) => i !== at);

  // The most suspicious images come first, and file names in their order.
  /** @param {string} name */
  const isSmallestFirst = (name) =>
    name === "id" || figures.some(({ key, worst }) => key === name && worst === "smallest");

  /**
   * @param {string} text
   * @param {number} at
   */
  function sortRow(text, at) {
    const sign = text.startsWith("-") ? "-" : "";
    const key = text.replace(/^-/, "");
    /** @param {string} item */
    const set = (item) => state.set({ sort: replaced(state.get().sort, at, item) });
    const place = at + 1;
    const direction = element(
      "button",
      {
        type: "button",
        "data-role": `reverse order ${place}`, // its label changes with every click
        "aria-label": `order ${place}: ${sign ? "largest" : "smallest"} first, reverse`,
        onclick: () => set((sign ? "" : "-") + key),
      },
      sign ? "↓" : "↑",
    );
    const remove = element(
      "button",
      {
        type: "button",
        "aria-label": `remove order ${place}`,
        onclick: () => state.set({ sort: without(state.get().sort, at) }),
      },
      "×",
    );
    return element(
      "div",
      { class: "line" },
      figureSelect(`order ${place}`, key, (name) => set(isSmallestFirst(name) ? name : `-${name}`)),
      direction,
      remove,
    );
  }

  /**
   * @param {string} text
   * @param {number} at
   */
  function rangeRow(text, at) {
    const { key, least, most } = auxseg.parseRange(text);
    const unit = figures.find((figure) => figure.key === key)?.unit;
    const factor = unit === "share" ? 100 : 1; // shares are shown in percent
    /** @type {(name: string, from: string, to: string) => void} */
    const set = (name, from, to) => state.set({ ranges: replaced(state.get().ranges, at, `${name}:${from}..${to}`) });
    const now = () => auxseg.parseRange(state.get().ranges[at]);
    /** @type {(label: string, value: string, change: (value: string) => void) => HTMLInputElement} */
    const bound = (label, value, change) => {
      /** @type {HTMLInputElement} */
      const input = element("input", {
        type: "number",
        step: "any",
        "aria-label": `${label} of filter ${at + 1}`,
        placeholder: label,
        value: value === "" ? "" : String(Math.round(Number(value) * factor * 1e6) / 1e6),
        // on input, not on change: that would rebuild the row while the user moves to the next control
        oninput: () => change(input.value === "" ? "" : String(Number(input.value) / factor)),
      });
      return input;
    };
    return element(
      "div",
      { class: "line range" },
      figureSelect(`filter ${at + 1}`, key, (name) => set(name, "", ""), numbers()),
      bound("least", least, (value) => set(key, value, now().most)),
      bound("most", most, (value) => set(key, now().least, value)),
      element("span", { class: "unit" }, unit === "share" ? "%" : ""),
      element(
        "button",
        {
          type: "button",
          "aria-label": `remove filter ${at + 1}`,
          onclick: () => state.set({ ranges: without(state.get().ranges, at) }),
        },
        "×",
      ),
    );
  }

  /** @param {Kind} kind */
  function check(kind) {
    const box = element("input", {
      type: "checkbox",
      onchange: () => state.toggle("thumbs", kind),
      "aria-label": `show ${auxseg.KINDS[kind]}`,
    });
    box.checked = state.get().thumbs.includes(kind);
    return element("label", {}, box, auxseg.kindTitle(kind, app.split));
  }
})(window.auxseg);
