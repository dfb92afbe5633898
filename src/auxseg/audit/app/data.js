// Data arrives as classic scripts that call auxseg.receive(name, value): from file:// a browser blocks fetch.
"use strict";
window.auxseg = {};

(function (auxseg) {
  const KEPT = 6; // chunks of images held in memory, a few megabytes each
  const received = new Map();
  const waiting = new Map();

  auxseg.receive = function (name, value) {
    received.set(name, value);
    const chunks = [...received.keys()].filter((key) => key.startsWith("images/"));
    if (chunks.length > KEPT) received.delete(chunks[0]);
  };

  // Promise of the value that the script `name`.js hands over; a script in use is loaded once.
  auxseg.load = function (name) {
    if (received.has(name)) {
      const value = received.get(name);
      received.delete(name); // and put it back as the last one used
      received.set(name, value);
      return Promise.resolve(value);
    }
    if (!waiting.has(name))
      waiting.set(
        name,
        addScript(name).finally(() => waiting.delete(name)),
      );
    return waiting.get(name);
  };

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

  auxseg.bytes = function (base64) {
    const text = atob(base64);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return bytes;
  };

  // Element with attributes, properties starting with "on" as listeners, and children; text is always text.
  auxseg.element = function (tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  };

  // A function that has `act` called in the next frame, once, however often it is called itself.
  auxseg.oncePerFrame = function (act) {
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

  auxseg.byId = (id) => document.getElementById(id);
})(window.auxseg);
