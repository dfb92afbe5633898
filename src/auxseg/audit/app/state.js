// The view as one object, stored in the URL's hash: a link reproduces it, and "back" goes back.
"use strict";

((auxseg) => {
  /** @typedef {Record<string, string | string[]>} Fields  any of the state */

  /** @type {State} */
  const DEFAULTS = {
    round: "",
    split: "train",
    sort: ["expected_iou"],
    ranges: [],
    search: "",
    class: "",
    where: "tagged",
    verdict: "",
    thumbs: ["photo", "label"],
    image: "",
    panels: ["photo", "prior", "cam0", "cam", "saliency", "label", "corrected", "prediction", "mask"],
    hidden: [],
    opacity: "0.65",
    pixel: "",
    zoom: "",
  };
  const QUIET = 250; // milliseconds without a change before the address is written, because browsers limit the rate
  /** @type {((changed: Set<string>) => void)[]} */
  const listeners = [];
  let current = { ...DEFAULTS };
  let timer = 0;

  /** @param {string} hash */
  function parse(hash) {
    const given = new URLSearchParams(hash.replace(/^#/, ""));
    /** @type {Fields} */
    const state = {};
    for (const [key, value] of Object.entries(DEFAULTS)) {
      if (!given.has(key)) state[key] = value;
      else state[key] = Array.isArray(value) ? given.getAll(key).filter((item) => item !== "") : (given.get(key) ?? "");
    }
    return /** @type {State} */ (state);
  }

  /**
   * The hash of a state, without the keys that have their default.
   * @param {Fields} state
   */
  function write(state) {
    const written = new URLSearchParams();
    for (const [key, value] of Object.entries(DEFAULTS)) {
      const now = state[key];
      if (String(now) === String(value) && typeof now === typeof value) continue;
      if (!Array.isArray(now)) written.append(key, now);
      else for (const item of now.length ? now : [""]) written.append(key, item);
    }
    return `#${written}`;
  }

  /**
   * Write the address. If the browser rejects it, nothing is lost: the next change writes it again.
   * @param {"pushState" | "replaceState"} method
   */
  function address(method) {
    clearTimeout(timer);
    try {
      history[method](null, "", write(current));
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "SecurityError")) throw error;
    }
  }

  /** @param {State} next */
  function adopt(next) {
    /** @type {Fields} */
    const before = current;
    /** @type {Fields} */
    const now = next;
    current = next;
    const changed = new Set(Object.keys(DEFAULTS).filter((key) => String(before[key]) !== String(now[key])));
    if (changed.size) for (const listener of listeners) listener(changed);
  }

  auxseg.state = {
    get: () => current,
    // Change some keys. Opening or closing an image adds an entry to the history; other changes replace the address.
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
    // Call `listener` with the set of changed keys after every change.
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
