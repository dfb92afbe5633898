// Decodes 8-bit grey and palette PNGs to their stored values. A canvas would not do: browsers may change the values.
"use strict";

((auxseg) => {
  const SIGNATURE_LENGTH = 8;

  // The values are grey levels or palette indices.
  auxseg.decodePng = async (bytes) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    /** @type {Uint8Array<ArrayBuffer>[]} */
    const pieces = [];
    let width = 0;
    let height = 0;
    for (let at = SIGNATURE_LENGTH; at < bytes.length; ) {
      const length = view.getUint32(at);
      const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
      if (type === "IHDR") {
        width = view.getUint32(at + 8);
        height = view.getUint32(at + 12);
        const [depth, colour, , , interlace] = bytes.subarray(at + 16, at + 21);
        if (depth !== 8 || (colour !== 0 && colour !== 3) || interlace) throw new Error("not an 8-bit index PNG");
      }
      if (type === "IDAT") pieces.push(bytes.subarray(at + 8, at + 8 + length));
      at += length + 12;
    }
    const inflated = new Response(new Blob(pieces).stream().pipeThrough(new DecompressionStream("deflate")));
    return { width, height, values: unfilter(new Uint8Array(await inflated.arrayBuffer()), width, height) };
  };

  /**
   * One byte per pixel; PNG specification, section 9.
   * @param {Uint8Array} lines
   * @param {number} width
   * @param {number} height
   */
  function unfilter(lines, width, height) {
    const values = new Uint8Array(width * height);
    for (let y = 0; y < height; y++) {
      const filter = lines[y * (width + 1)];
      const from = y * (width + 1) + 1;
      const to = y * width;
      for (let x = 0; x < width; x++) {
        const left = x ? values[to + x - 1] : 0;
        const up = y ? values[to + x - width] : 0;
        const corner = x && y ? values[to + x - width - 1] : 0;
        values[to + x] = lines[from + x] + predicted(filter, left, up, corner);
      }
    }
    return values;
  }

  /**
   * @param {number} filter
   * @param {number} left
   * @param {number} up
   * @param {number} corner
   */
  function predicted(filter, left, up, corner) {
    if (filter === 0) return 0;
    if (filter === 1) return left;
    if (filter === 2) return up;
    if (filter === 3) return (left + up) >> 1;
    const toLeft = Math.abs(up - corner);
    const toUp = Math.abs(left - corner);
    const toCorner = Math.abs(left + up - 2 * corner);
    if (toLeft <= toUp && toLeft <= toCorner) return left;
    return toUp <= toCorner ? up : corner;
  }
})(window.auxseg);
