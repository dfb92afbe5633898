// Ties the parts together: loads the index of the round and split, and redraws what a change of state concerns.
"use strict";

(function (auxseg) {
  const { byId, state } = auxseg;
  const unpainted = new Set(); // keys of the state that changed since the page was last drawn
  const SHOWN_MS = 8000;
  let ticket = 0;
  let leaving = 0;
  const app = (auxseg.app = {
    base: null,
    page: null,
    rows: [],
    kinds: [],
    thumbs: [],
    ranked: [],
    thumbWidth: 0,
    focused: null, // position in the order of the card that has or had the focus
  });

  // Tell what happened: a note that goes away by itself, or an alert that stays.
  auxseg.say = function (text, isAlert = false) {
    byId(isAlert ? "alert" : "status").textContent = text;
    if (isAlert) return;
    byId("alert").textContent = "";
    clearTimeout(leaving);
    leaving = setTimeout(() => (byId("status").textContent = ""), SHOWN_MS);
  };

  app.verdictOf = (i) => auxseg.verdicts.effect(app.round, app.page.records.id[i], app.page.index.label[i]);
  app.refresh = () => update(new Set(["verdict"])).catch(fail);
  // Round and split that the state asks for; while they are on their way the page shows others.
  app.wanted = () => settle(state.get());
  app.isTurning = () => app.wanted().round !== app.round || app.wanted().split !== app.split;

  // Round and split that exist: predictions on val start with the first trained round.
  function settle(now) {
    const { rounds, records } = app.base;
    const split = now.split in records ? now.split : Object.keys(records)[0];
    const exists = (round) => rounds.includes(round) && !(split === "val" && round === rounds[0]);
    const known = [now.round, app.base.best, rounds[rounds.length - 1]].find(exists);
    return { split, round: known };
  }

  function turnTo({ round, split }, index) {
    const records = app.base.records[split];
    Object.assign(app, { round, split, page: { index, records } });
    app.thumbWidth = records.id.reduce((most, _, i) => Math.max(most, auxseg.thumbSize(app.base, records, i).width), 0);
    const hasMasks = index.figures.iou.some((value) => value !== null);
    app.kinds = app.base.kinds[`${round}-${split}`].filter((kind) => kind !== "mask" || hasMasks);
  }

  function select(now) {
    app.rows = auxseg.selectRows(app.base, app.page, now, app.verdictOf);
    app.thumbs = app.kinds.filter((kind) => now.thumbs.includes(kind));
    const keys = now.sort.map((key) => key.replace(/^-/, "")).filter((key) => key !== "id");
    const figures = auxseg.figures(app.base);
    app.ranked = keys.map((key) => figures.find((figure) => figure.key === key)).filter(Boolean);
    const asked = [...keys, ...now.ranges.map((text) => auxseg.parseRange(text).key)].filter(Boolean);
    const unknown = asked.find((name) => name !== "id" && !figures.some((figure) => figure.key === name));
    if (unknown) auxseg.say(`This report has no figure ${unknown}: nothing is ranked by it or within its bounds.`, true);
  }

  // Draw what the changes concern. Where a script has to come first the last call draws the changes of all.
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

  function paint(now, changed) {
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
    if (has("image", "round", "split")) return auxseg.viewer.show();
    if (!auxseg.viewer.opened()) return;
    if (has("panels", "hidden")) {
      auxseg.viewer.repaint();
      auxseg.details.showToggles(auxseg.viewer.opened());
    }
    if (has("opacity")) auxseg.viewer.draw();
    if (has("pixel")) auxseg.pixel.show();
  }

  async function start() {
    app.base = await auxseg.load("index/base");
    showGuard();
    state.start(app.base.best);
    auxseg.verdicts.start(app.base.dataset, app.base.classes.slice(1));
    for (const part of ["controls", "gallery", "viewer", "pixel", "judge", "details", "keys"]) auxseg[part].start(app);
    state.listen((changed) => update(changed).catch(fail));
    await update(new Set(["round", "image"]));
    auxseg.verdicts.listen(auxseg.judge.repaint);
    document.body.dataset.ready = "yes";
  }

  // What the guard found without masks: on the first screen, since whoever opens the report looks at the best round.
  function showGuard() {
    const { warnings, best } = app.base;
    byId("guard").hidden = !warnings.length;
    byId("guard").textContent = [...warnings, `This page opens with ${best}, the best round.`].join("\n");
  }

  function fail(error) {
    auxseg.say(`${error.message}. Copy the whole folder, or run the stage audit again.`, true);
    throw error;
  }

  start().catch(fail);
})(window.auxseg);
