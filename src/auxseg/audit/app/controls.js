// The controls beside the gallery: round, split, sorting, filters, thumbnails, and the way back to all images.
"use strict";

(function (auxseg) {
  const { element, byId, state } = auxseg;
  let app = null;
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
      for (const id of ["round", "split", "class", "where", "verdict"]) {
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
    // Bring the controls in line with the state.
    render() {
      const now = state.get();
      for (const id of ["class", "where", "verdict"]) byId(id).value = now[id];
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

  function fill(select, options) {
    select.replaceChildren(...options.map(([value, text]) => element("option", { value }, text)));
  }

  // Replace children but keep the focus: on the control of the same role or label, else on the button that adds one.
  function rebuild(parent, children, adder = null) {
    const name = (control) => control.dataset.role ?? control.getAttribute("aria-label");
    const had = parent.contains(document.activeElement) ? name(document.activeElement) : null;
    parent.replaceChildren(...children);
    if (!had) return;
    const same = [...parent.querySelectorAll("[aria-label]")].find((control) => name(control) === had);
    (same ?? adder)?.focus();
  }

  const isTyping = (parent) => parent.contains(document.activeElement) && document.activeElement.type === "number";

  function figureSelect(label, chosen, onchange) {
    const select = element("select", { "aria-label": label, onchange: (event) => onchange(event.target.value) });
    fill(
      select,
      figures.map(({ key, title }) => [key, title]),
    );
    select.value = chosen;
    select.title = figures.find(({ key }) => key === chosen)?.meaning || "";
    return select;
  }

  const replaced = (list, at, item) => list.map((old, i) => (i === at ? item : old));
  const without = (list, at) => list.filter((_, i) => i !== at);

  function sortRow(text, at) {
    const sign = text.startsWith("-") ? "-" : "";
    const key = text.replace(/^-/, "");
    const set = (item) => state.set({ sort: replaced(state.get().sort, at, item) });
    const place = at + 1;
    const direction = element(
      "button",
      {
        type: "button",
        "data-role": `turn order ${place}`, // its label changes with every turn
        "aria-label": `order ${place}: ${sign ? "largest" : "smallest"} first, turn round`,
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
      figureSelect(`order ${place}`, key, (name) => set(sign + name)),
      direction,
      remove,
    );
  }

  function rangeRow(text, at) {
    const { key, least, most } = auxseg.parseRange(text);
    const unit = figures.find((figure) => figure.key === key)?.unit;
    const factor = unit === "share" ? 100 : 1; // people read per cent
    const set = (name, from, to) => state.set({ ranges: replaced(state.get().ranges, at, `${name}:${from}..${to}`) });
    const now = () => auxseg.parseRange(state.get().ranges[at]);
    const bound = (label, value, change) =>
      element("input", {
        type: "number",
        step: "any",
        "aria-label": `${label} of filter ${at + 1}`,
        placeholder: label,
        value: value === "" ? "" : String(Math.round(value * factor * 1e6) / 1e6),
        // at once: the row must not be made anew while the user is on the way to the next control
        oninput: (event) => change(event.target.value === "" ? "" : String(Number(event.target.value) / factor)),
      });
    return element(
      "div",
      { class: "line range" },
      figureSelect(`filter ${at + 1}`, key, (name) => set(name, "", "")),
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
