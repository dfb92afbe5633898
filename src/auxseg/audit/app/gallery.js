// The gallery: cards of the selected images. Only those in sight are in the page.
"use strict";

((auxseg) => {
  const GAP = 12;
  const CARD_PADDING = 18;
  const TEXT_HEIGHT = 78;
  const LEAST_WIDTH = 200;
  const SPARE_ROWS = 2;
  // Share of the list's height that a frame may move it before it is too fast for pictures, how many such frames make it
  // fast, and the milliseconds after which it has stopped. Loading and decoding what nobody can see takes four frames.
  const FAST = 0.25;
  const FAST_FRAMES = 2;
  const STOPPED = 100;
  const list = auxseg.byId("list");
  const spacer = auxseg.byId("spacer");
  /** @type {App} */
  let app;
  /** @type {Map<number, HTMLElement>} */
  const shown = new Map(); // position in the order -> card
  /** @type {Set<number>} */
  const withoutPictures = new Set(); // positions of cards that were drawn while the list moved fast
  let lastTop = 0;
  let fastFrames = 0;
  let stop = 0; // the timer
  let layout = { columns: 1, width: 1, height: 1 };

  auxseg.gallery = {
    start(context) {
      app = context;
      list.addEventListener("scroll", auxseg.oncePerFrame(onScroll), { passive: true });
      list.addEventListener("keydown", onKey);
      new ResizeObserver(() => auxseg.gallery.render()).observe(list);
    },
    // Redraw for other rows, another order or other thumbnails. The image that had the focus keeps it.
    render() {
      const focused = auxseg.gallery.focusedId();
      for (const card of shown.values()) card.remove();
      shown.clear();
      withoutPictures.clear();
      measure();
      auxseg.byId("empty").hidden = app.rows.length > 0;
      drawNow();
      if (focused !== null) focusAgain(focused);
    },
    // Redraw the verdicts.
    refresh() {
      for (const [position, card] of shown) {
        card.querySelector(".judged")?.replaceChildren(...verdictBadges(app.rows[position]));
      }
    },
    // Id of the image whose card has the focus.
    focusedId: () => document.activeElement?.closest(".card")?.getAttribute("data-id") ?? null,
    toTop: () => list.scrollTo(0, 0),
    // Move the focus by some cards. If no card has had the focus, the first gets it.
    move(by) {
      auxseg.gallery.focus(app.focused === null ? 0 : app.focused + by);
    },
    // Scroll to a position in the order and give its card the focus.
    focus(position) {
      if (!app.rows.length) return;
      const at = Math.max(0, Math.min(app.rows.length - 1, position));
      const top = Math.floor(at / layout.columns) * layout.height;
      if (top < list.scrollTop) list.scrollTop = top;
      else if (top + layout.height > list.scrollTop + list.clientHeight) {
        list.scrollTop = top + layout.height - list.clientHeight;
      }
      app.focused = at;
      drawNow();
      shown.get(at)?.focus({ preventScroll: true });
    },
  };

  /** @param {string} id */
  function focusAgain(id) {
    const position = app.rows.findIndex((i) => app.page.records.id[i] === id);
    if (position >= 0) auxseg.gallery.focus(position);
    else list.focus();
  }

  // The Tab key reaches one card: the one that had the focus, or the first in sight if that one is not drawn.
  function markFocused() {
    const inSight = Math.ceil(list.scrollTop / layout.height) * layout.columns;
    const stop = app.focused !== null && shown.has(app.focused) ? app.focused : Math.min(app.rows.length - 1, inSight);
    for (const [position, card] of shown) {
      card.tabIndex = position === stop ? 0 : -1;
      card.setAttribute("aria-selected", String(position === app.focused));
    }
  }

  function measure() {
    const [, cellHeight] = app.base.sheets.cell;
    const least = Math.max(LEAST_WIDTH, app.thumbs.length * (app.thumbWidth + 4) + CARD_PADDING - 4);
    const room = list.clientWidth - 2 * GAP;
    const columns = Math.max(1, Math.floor((room + GAP) / (least + GAP)));
    const width = Math.max(least, Math.min(1.25 * least, Math.floor((room + GAP) / columns) - GAP));
    layout = { columns, width, height: cellHeight + TEXT_HEIGHT + GAP };
    spacer.style.height = `${Math.ceil(app.rows.length / columns) * layout.height}px`;
  }

  function onScroll() {
    const moved = Math.abs(list.scrollTop - lastTop);
    lastTop = list.scrollTop;
    fastFrames = moved > FAST * list.clientHeight ? fastFrames + 1 : 0;
    drawNow();
    clearTimeout(stop);
    if (fastFrames < FAST_FRAMES) addPictures();
    else stop = setTimeout(onStop, STOPPED);
  }

  function onStop() {
    fastFrames = 0;
    addPictures();
  }

  function addPictures() {
    for (const position of withoutPictures) {
      const thumbs = shown.get(position)?.querySelector(".thumbs");
      thumbs?.replaceChildren(...pictures(app.rows[position]));
    }
    withoutPictures.clear();
  }

  /** @param {number} i */
  function pictures(i) {
    return app.thumbs.map((kind) => auxseg.thumb(app, kind, i));
  }

  function drawNow() {
    const top = Math.floor(list.scrollTop / layout.height) - SPARE_ROWS;
    const bottom = Math.ceil((list.scrollTop + list.clientHeight) / layout.height) + SPARE_ROWS;
    const first = Math.max(0, top * layout.columns);
    const last = Math.min(app.rows.length, bottom * layout.columns);
    for (const [position, card] of shown) {
      if (position >= first && position < last) continue;
      card.remove();
      shown.delete(position);
      withoutPictures.delete(position);
    }
    const fresh = document.createDocumentFragment();
    for (let position = first; position < last; position++) {
      if (shown.has(position)) continue;
      const card = makeCard(position);
      shown.set(position, card);
      fresh.append(card);
    }
    spacer.append(fresh);
    markFocused();
  }

  /** @param {number} position */
  function makeCard(position) {
    const i = app.rows[position];
    const { id, tags } = app.page.records;
    const isFast = fastFrames >= FAST_FRAMES;
    if (isFast) withoutPictures.add(position);
    const thumbs = auxseg.element("span", { class: "thumbs" }, ...(isFast ? [] : pictures(i)));
    const missing = app.page.index.missing[i];
    const names = tags[i].map((index) => auxseg.chip(app.base, index, missing.includes(index) ? "missing" : ""));
    const figures = app.ranked.map(({ key, title, unit }) => {
      const text = auxseg.formatFigure(auxseg.figure(app.base, app.page, key, i), unit);
      return auxseg.element("span", { class: "figure", title }, `${title} `, auxseg.element("b", {}, text));
    });
    const judged = auxseg.element("span", { class: "judged" }, ...verdictBadges(i));
    const card = auxseg.element(
      "a",
      {
        class: "card",
        href: auxseg.state.link({ image: id[i] }),
        "aria-posinset": position + 1,
        "aria-setsize": app.rows.length,
        role: "option",
        "data-id": id[i],
        onfocus: () => {
          app.focused = position;
          markFocused();
        },
        onclick: (event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          auxseg.state.set({ image: id[i] });
        },
      },
      thumbs,
      auxseg.element("span", { class: "name", title: id[i] }, id[i]),
      auxseg.element("span", { class: "row" }, ...figures, judged),
      auxseg.element("span", { class: "row chips" }, ...names),
    );
    card.style.width = `${layout.width}px`;
    card.style.height = `${layout.height - GAP}px`;
    const column = position % layout.columns;
    const row = Math.floor(position / layout.columns);
    card.style.transform = `translate(${column * (layout.width + GAP)}px, ${row * layout.height}px)`;
    return card;
  }

  /** @param {number} i */
  function verdictBadges(i) {
    const isCorrected = auxseg.figure(app.base, app.page, "corrected", i) !== null;
    const corrected = isCorrected ? [auxseg.element("span", { class: "badge" }, "corrected")] : [];
    const found = app.verdictOf(i);
    if (!found) return corrected;
    const text = `${auxseg.verdicts.text(found)}${found.isStale ? " (stale)" : ""}`;
    return [...corrected, auxseg.element("span", { class: `badge ${found.isStale ? "stale" : found.verdict}` }, text)];
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    /** @type {Record<string, number>} */
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: layout.columns, ArrowUp: -layout.columns };
    const perPage = Math.max(1, Math.floor(list.clientHeight / layout.height)) * layout.columns;
    Object.assign(steps, { PageDown: perPage, PageUp: -perPage, Home: -app.rows.length, End: app.rows.length });
    if (!(event.key in steps) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    auxseg.gallery.move(steps[event.key]);
  }
})(window.auxseg);
