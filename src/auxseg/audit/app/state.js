// The view as one object, kept in the URL's hash: a link reproduces it, and "back" goes back.
"use strict";

(function (auxseg) {
  const DEFAULTS = {
    round: "",
    split: "train",
    sort: ["-ignored"], // figures, the first decides; "-" = largest first
    ranges: [], // "figure:least..most"; either end may be empty
    search: "",
    class: "",
    where: "tagged",
    verdict: "",
    thumbs: ["photo", "label"],
    image: "",
    panels: ["photo", "prior", "cam0", "cam", "saliency", "label", "prediction", "mask"],
    hidden: [],
    opacity: "0.65",
    pixel: "",
    zoom: "",
  };
  const QUIET = 250; // milliseconds without a change before the address is written: browsers count and refuse
  const listeners = [];
  let current = { ...DEFAULTS };
  let timer = null;

  function parse(hash) {
    const given = new URLSearchParams(hash.replace(/^#/, ""));
    const state = {};
    for (const [key, value] of Object.entries(DEFAULTS)) {
      if (!given.has(key)) state[key] = value;
      else state[key] = Array.isArray(value) ? given.getAll(key).filter((item) => item !== "") : given.get(key);
    }
    return state;
  }

  // The hash of a state; what is as by default is left out.
  function write(state) {
    const written = new URLSearchParams();
    for (const [key, value] of Object.entries(DEFAULTS)) {
      if (String(state[key]) === String(value) && typeof state[key] === typeof value) continue;
      if (!Array.isArray(value)) written.append(key, state[key]);
      else for (const item of state[key].length ? state[key] : [""]) written.append(key, item);
    }
    return `#${written}`;
  }

  // A refused address is no loss: the view is as asked for, and the next change writes it.
  function address(method) {
    clearTimeout(timer);
    try {
      history[method](null, "", write(current));
    } catch (error) {
      if (error.name !== "SecurityError") throw error;
    }
  }

  function adopt(next) {
    const before = current;
    current = next;
    const changed = new Set(Object.keys(DEFAULTS).filter((key) => String(before[key]) !== String(next[key])));
    if (changed.size) for (const listener of listeners) listener(changed);
  }

  auxseg.state = {
    get: () => current,
    // Change some keys. Opening and closing an image is a step to go back to, the rest soon replaces the address.
    set(patch) {
      const next = { ...current, ...patch };
      const isStep = next.image !== current.image && (!next.image || !current.image);
      if (isStep) address("replaceState"); // what "back" goes back to
      adopt(next);
      if (isStep) return address("pushState");
      clearTimeout(timer);
      timer = setTimeout(() => address("replaceState"), QUIET);
    },
    link: (patch) => write({ ...current, ...patch }),
    // Listeners get the set of keys that changed.
    listen: (listener) => listeners.push(listener),
    toggle(key, item) {
      const list = current[key];
      auxseg.state.set({ [key]: list.includes(item) ? list.filter((other) => other !== item) : [...list, item] });
    },
    start(round) {
      DEFAULTS.round = round;
      current = parse(location.hash);
      for (const event of ["hashchange", "popstate"]) window.addEventListener(event, () => adopt(parse(location.hash)));
    },
    defaults: () => ({ ...DEFAULTS }),
  };
})(window.auxseg);
