// The keyboard: one table of what each key does, which the help shows too.
"use strict";

((auxseg) => {
  const { element, byId, state } = auxseg;
  /**
   * @typedef {object} Key
   * @property {string[]} keys
   * @property {string} does
   * @property {boolean} [once] a key that is held down acts once
   * @property {(key: string) => void} [run] absent: handled elsewhere
   */

  /** @type {App} */
  let app;

  const isOpen = () => state.get().image !== "";
  const onCanvas = () => auxseg.viewer.opened() !== null && document.activeElement?.tagName === "CANVAS";

  /** @type {Key[]} */
  const KEYS = [
    {
      keys: ["n", "j"],
      does: "next image",
      run: () => (isOpen() ? auxseg.viewer.step(1) : auxseg.gallery.move(1)),
    },
    {
      keys: ["p", "k"],
      does: "previous image",
      run: () => (isOpen() ? auxseg.viewer.step(-1) : auxseg.gallery.move(-1)),
    },
    { keys: ["Enter"], does: "open the image that has the focus" },
    { keys: ["Escape"], does: "close the image", run: () => state.set({ image: "" }) },
    { keys: ["a"], does: "accept", once: true, run: () => auxseg.judge.give("accept") },
    { keys: ["r"], does: "reject", once: true, run: () => auxseg.judge.give("reject") },
    { keys: ["u"], does: "unsure", once: true, run: () => auxseg.judge.give("unsure") },
    { keys: ["x"], does: "withdraw the verdict", once: true, run: () => auxseg.judge.give(null) },
    { keys: ["m"], does: "write a note", run: () => isOpen() && byId("note").focus() },
    { keys: ["1 … 9"], does: "show or hide a class" },
    { keys: ["0"], does: "show or hide all classes", run: toggleAll },
    { keys: ["Shift+1 … 9"], does: "show or hide a panel" },
    { keys: ["[", "]"], does: "overlay fainter, stronger", run: (key) => opacity(key === "[" ? -0.1 : 0.1) },
    { keys: ["+", "="], does: "zoom in", run: () => isOpen() && auxseg.viewer.zoom(1.5) },
    { keys: ["-"], does: "zoom out", run: () => isOpen() && auxseg.viewer.zoom(1 / 1.5) },
    { keys: ["z"], does: "whole image", run: () => isOpen() && auxseg.viewer.zoom(0) },
    { keys: ["arrows"], does: "on a panel: move the pixel cursor (Shift: ten pixels); on a card: move" },
    { keys: [",", "."], does: "previous, next round", run: (key) => stepRound(key === "," ? -1 : 1) },
    { keys: ["/"], does: "search", run: () => !isOpen() && byId("search").focus() },
    { keys: ["e"], does: "export the verdicts", once: true, run: () => byId("export").click() },
    { keys: ["?"], does: "this help", run: () => byId("help").showModal() },
  ];

  auxseg.keys = {
    start(context) {
      app = context;
      document.addEventListener("keydown", onKey);
      byId("open-help").addEventListener("click", () => byId("help").showModal());
      byId("key-rows").replaceChildren(
        ...KEYS.map(({ keys, does }) =>
          element(
            "tr",
            {},
            element("td", {}, ...keys.flatMap((key) => [element("kbd", {}, key), " "])),
            element("td", {}, does),
          ),
        ),
      );
    },
  };

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const target = event.target instanceof Element ? event.target : null;
    const typing = target?.closest("input:not([type=checkbox]):not([type=range]), textarea, select, dialog");
    if (event.metaKey || ((event.ctrlKey || event.altKey) && !writesSign(event))) return;
    if (typing) {
      if (event.key === "Escape" && !target?.closest("dialog")) byId(isOpen() ? "title" : "list").focus();
      return;
    }
    if (digit(event) || arrow(event)) {
      event.preventDefault();
      return;
    }
    const found = KEYS.find(({ keys, run }) => run && keys.includes(event.key));
    if (!found || (event.key === "Escape" && !isOpen())) return;
    event.preventDefault();
    if (!(found.once && event.repeat)) found.run?.(event.key);
  }

  /**
   * Many keyboards have brackets on AltGr, which is Ctrl and Alt on Windows, or on Option, which is Alt on macOS.
   * @param {KeyboardEvent} event
   */
  function writesSign(event) {
    return event.getModifierState("AltGraph") || (event.altKey && ["[", "]"].includes(event.key));
  }

  /**
   * Looks at the position of the key, so that Shift+1 is the first panel on every keyboard. A French one has "-" there.
   * @param {KeyboardEvent} event
   */
  function digit(event) {
    const number = Number(/^Digit([1-9])$/.exec(event.code)?.[1] ?? 0);
    if (!number || !isOpen() || event.key === "-" || writesSign(event)) return false;
    const name = event.shiftKey ? app.kinds[number - 1] : app.base.classes[number];
    if (name) state.toggle(event.shiftKey ? "panels" : "hidden", name);
    return true;
  }

  /** @param {KeyboardEvent} event */
  function arrow(event) {
    const step = event.shiftKey ? 10 : 1;
    /** @type {Record<string, [dx: number, dy: number]>} */
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (!(event.key in moves) || !onCanvas()) return false;
    auxseg.pixel.move(...moves[event.key]);
    return true;
  }

  function toggleAll() {
    if (isOpen()) state.set({ hidden: state.get().hidden.length ? [] : app.base.classes.slice(1) });
  }

  /** @param {number} by */
  function opacity(by) {
    const next = Math.max(0, Math.min(1, Number(state.get().opacity) + by));
    if (isOpen()) state.set({ opacity: String(Math.round(next * 100) / 100) });
  }

  /** @param {number} by */
  function stepRound(by) {
    const { rounds } = app.base;
    const { round, split } = app.wanted();
    const next = rounds[rounds.indexOf(round) + by];
    if (next && !(split === "val" && next === rounds[0])) state.set({ round: next });
  }
})(window.auxseg);
