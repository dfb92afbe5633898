// Connects the parts: loads the index of a round and split, and redraws what a change of the state affects.
"use strict";

((auxseg) => {
  const { byId, state } = auxseg;
  /** @type {Set<string>} */
  const unpainted = new Set(); // keys of the state that changed since the page was last drawn
  const SHOWN_MS = 8000;
  let ticket = 0;
  let leaving = 0;
  /** @type {Partial<App>} */
  const empty = {
    rows: [],
    kinds: [],
    thumbs: [],
    ranked: [],
    thumbWidth: 0,
    focused: null,
  };
  const app = /** @type {App} */ (empty);
  auxseg.app = app;

  // Tell the user something: a note that disappears by itself, or an alert that stays.
  auxseg.say = (text, isAlert = false) => {
    byId(isAlert ? "alert" : "status").textContent = text;
    if (isAlert) return;
    byId("alert").textContent = "";
    clearTimeout(leaving);
    leaving = setTimeout(() => {
      byId("status").textContent = "";
    }, SHOWN_MS);
  };

  app.verdictOf = (i) => auxseg.verdicts.effect(app.round, app.page.records.id[i], app.page.index.label[i]);
  app.refresh = () => update(new Set(["verdict"])).catch(fail);
  // The round and split that the state asks for; the page shows others until these have loaded.
  app.wanted = () => settle(state.get());
  app.isTurning = () => app.wanted().round !== app.round || app.wanted().split !== app.split;

  /**
   * Choose a round and split that exist. Predictions on val start with the first trained round.
   * @param {State} now
   */
  function settle(now) {
    const { rounds, records } = app.base;
    const splits = /** @type {Split[]} */ (Object.keys(records));
    const split = splits.find((name) => name === now.split) ?? splits[0];
    const last = rounds[rounds.length - 1];
    /** @param {string} round */
    const exists = (round) => rounds.includes(round) && !(split === "val" && round === rounds[0]);
    return { split, round: [now.round, app.base.best].find(exists) ?? last };
  }

  /**
   * @param {ReturnType<App["wanted"]>} wanted
   * @param {RoundIndex} index
   */
  function turnTo({ round, split }, index) {
    const records = app.base.records[split];
    if (!records) throw new Error(`the report has no images of ${split}`);
    Object.assign(app, { round, split, page: { index, records } });
    app.thumbWidth = records.id.reduce((most, _, i) => Math.max(most, auxseg.thumbSize(app.base, records, i).width), 0);
    const hasMasks = index.figures.iou.some((value) => value !== null);
    app.kinds = app.base.kinds[`${round}-${split}`].filter((kind) => kind !== "mask" || hasMasks);
  }

  /** @param {State} now */
  function select(now) {
    app.rows = auxseg.selectRows(app.base, app.page, now, app.verdictOf);
    app.thumbs = app.kinds.filter((kind) => now.thumbs.includes(kind));
    const keys = now.sort.map((key) => key.replace(/^-/, "")).filter((key) => key !== "id");
    const figures = auxseg.figures(app.base);
    app.ranked = keys.flatMap((key) => figures.find((figure) => figure.key === key) ?? []);
    const asked = [...keys, ...now.ranges.map((text) => auxseg.parseRange(text).key)].filter(Boolean);
    const unknown = asked.find((name) => name !== "id" && !figures.some((figure) => figure.key === name));
    if (unknown)
      auxseg.say(`This report has no figure ${unknown}: no image is ordered by it or passes a filter on it.`, true);
  }

  /**
   * Redraw what the changes affect. If a script has to load first, the last call draws the changes of all calls.
   * @param {Set<string>} changed keys of the state
   */
  async function update(changed) {
    const mine = ++ticket;
    for (const key of changed) unpainted.add(key);
    if (app.isTurning()) {
      auxseg.viewer.leave();
      const wanted = app.wanted();
      const index = await auxseg.load(`index/${wanted.round}-${wanted.split}`).catch((error) => {
        if (mine === ticket && app.page) state.set({ round: app.round, split: app.split });
        throw error;
      });
      if (mine !== ticket) return;
      turnTo(wanted, index);
      auxseg.say("");
    }
    const keys = new Set(unpainted);
    unpainted.clear();
    return paint(state.get(), keys);
  }

  /**
   * @param {State} now
   * @param {Set<string>} changed
   */
  async function paint(now, changed) {
    /** @param {string[]} keys */
    const has = (...keys) => keys.some((key) => changed.has(key));
    const isReordered = has("round", "split", "sort", "ranges", "search", "class", "where", "verdict");
    if (isReordered) app.focused = null; // positions mean other images now
    if (isReordered || has("thumbs")) {
      select(now);
      auxseg.controls.render();
      if (isReordered && !has("round")) auxseg.gallery.toTop();
      auxseg.gallery.render();
      auxseg.renderSummary(app);
    }
    if (has("image", "round", "split")) {
      await auxseg.viewer.show();
      return;
    }
    const opened = auxseg.viewer.opened();
    if (!opened) return;
    if (has("panels", "hidden")) {
      auxseg.viewer.repaint();
      auxseg.details.showToggles(opened);
    }
    if (has("opacity")) auxseg.viewer.draw();
    if (has("pixel")) auxseg.pixel.show();
  }

  async function start() {
    app.base = await auxseg.load("index/base");
    showGuard();
    state.start(app.base.best);
    auxseg.verdicts.start(app.base.dataset, app.base.classes.slice(1));
    const { controls, gallery, viewer, pixel, judge, details, keys } = auxseg;
    for (const part of [controls, gallery, viewer, pixel, judge, details, keys]) part.start(app);
    state.listen((changed) => update(changed).catch(fail));
    auxseg.verdicts.listen(auxseg.judge.repaint); // now, because the first picture may come late or never
    await update(new Set(["round", "image"]));
    document.body.dataset.ready = "yes";
  }

  // Show on the first screen where masks contradict the labels, and the guard's warnings, because the report opens
  // with the best round and not with the last. Figures that are a little worse in a good round are no warning.
  function showGuard() {
    const { warnings, slips, best, contradictions } = app.base;
    const rounds = warnings.length ? [...warnings, `This page opens with ${best}, the best round.`] : [];
    const masks = contradictions ? [`${contradictions} The tables list the images.`] : [];
    byId("guard").hidden = !rounds.length && !masks.length;
    byId("guard").textContent = [...masks, ...rounds].join("\n");
    byId("slips").hidden = !slips.length;
    byId("slips").textContent = slips.join("\n");
  }

  /** @param {unknown} error */
  function fail(error) {
    auxseg.say(`${auxseg.message(error)}. Copy the whole folder, or run the stage audit again.`, true);
    throw error;
  }

  start().catch(fail);
})(window.auxseg);
