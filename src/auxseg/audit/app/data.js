// Data arrives as classic scripts that call auxseg.receive(name, value), because a browser blocks fetch for file://.
"use strict";
window.auxseg = /** @type {Auxseg} */ ({}); // each script adds its part

((auxseg) => {
  const KEPT = 6; // chunks of images held in memory, a few megabytes each
  /** @type {Map<string, unknown>} */
  const received = new Map();
  /** @type {Map<string, Promise<unknown>>} */
  const waiting = new Map();

  auxseg.receive = (name, value) => {
    received.set(name, value);
    const chunks = [...received.keys()].filter((key) => key.startsWith("images/"));
    if (chunks.length > KEPT) received.delete(chunks[0]);
  };

  /**
   * Promise of the value that the script `name`.js passes on. A script is loaded once, however many wait for it.
   * @template {keyof Scripts} Name
   * @param {Name} name
   */
  auxseg.load = (name) => /** @type {Promise<Scripts[Name]>} */ (promiseOf(name));

  /** @param {string} name */
  function promiseOf(name) {
    if (received.has(name)) {
      const value = received.get(name);
      received.delete(name); // and put it back as the last one used
      received.set(name, value);
      return Promise.resolve(value);
    }
    const pending = waiting.get(name) ?? addScript(name).finally(() => waiting.delete(name));
    waiting.set(name, pending);
    return pending;
  }

  /**
   * @param {string} name
   * @returns {Promise<unknown>}
   */
  function addScript(name) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `${name}.js`;
      script.onload = () => {
        script.remove();
        resolve(received.get(name));
      };
      script.onerror = () => {
        script.remove();
        reject(new Error(`${name}.js is missing from the report's folder`));
      };
      document.head.append(script);
    });
  }

  auxseg.bytes = (base64) => {
    const text = atob(base64);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return bytes;
  };

  // Create an element with attributes, listeners ("onclick" and so on) and children. Text is never read as HTML.
  auxseg.element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") made.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, String(value));
    }
    for (const child of children) if (child !== null && child !== undefined) made.append(child);
    return made;
  };

  // Replace the checkboxes of a group; the one that had the focus keeps it.
  auxseg.replaceBoxes = (parent, labels) => {
    const focused = document.activeElement;
    const value = focused instanceof HTMLInputElement && parent.contains(focused) ? focused.value : null;
    parent.replaceChildren(...labels);
    for (const box of parent.querySelectorAll("input")) if (box.value === value) box.focus();
  };

  // What an error says.
  auxseg.message = (error) => (error instanceof Error ? error.message : String(error));

  // A canvas's 2D context.
  auxseg.context = (canvas) => {
    const context = canvas.getContext("2d");
    if (!context) throw new Error("this browser cannot draw on a canvas");
    return context;
  };

  // A function that calls `act` in the next frame, once, however often it is called itself.
  auxseg.oncePerFrame = (act) => {
    let isWaiting = false;
    return () => {
      if (isWaiting) return;
      isWaiting = true;
      requestAnimationFrame(() => {
        isWaiting = false;
        act();
      });
    };
  };

  /**
   * @template {keyof Ids} Id
   * @param {Id} id
   */
  auxseg.byId = (id) => /** @type {HTMLElementTagNameMap[Ids[Id]]} */ (document.getElementById(id));
})(window.auxseg);
