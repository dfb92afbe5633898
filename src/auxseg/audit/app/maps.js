// Maps at network resolution: decodes float16, and upsamples as src/auxseg/maps.py does, to the last bit.
"use strict";

((auxseg) => {
  const round = Math.fround;

  /** @param {number} bits */
  function halfToNumber(bits) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }

  auxseg.decodeHalf = (stored) => {
    const bytes = auxseg.bytes(stored.data);
    const view = new DataView(bytes.buffer);
    const values = new Float32Array(bytes.length / 2);
    for (let i = 0; i < values.length; i++) values[i] = halfToNumber(view.getUint16(2 * i, true));
    const [height, width] = stored.shape.slice(-2);
    return { layers: stored.shape.length === 3 ? stored.shape[0] : 1, height, width, values };
  };

  auxseg.decodeIndices = (stored) => {
    const [height, width] = stored.shape;
    return { height, width, values: auxseg.bytes(stored.data) };
  };

  /**
   * For each of `wanted` pixels, its two neighbours on a grid of `size` and the float32 weight of the second.
   * @param {number} size
   * @param {number} wanted
   */
  function neighbours(size, wanted) {
    const first = new Int32Array(wanted);
    const second = new Int32Array(wanted);
    const weight = new Float32Array(wanted);
    for (let i = 0; i < wanted; i++) {
      const position = Math.min(Math.max(((i + 0.5) * size) / wanted - 0.5, 0), size - 1);
      first[i] = Math.floor(position);
      second[i] = Math.min(first[i] + 1, size - 1);
      weight[i] = position - first[i];
    }
    return { first, second, weight };
  }

  // Every product and sum is rounded to float32.
  auxseg.sampler = (map, width, height) => {
    if (map.width === width && map.height === height) {
      return (layer, x, y) => map.values[(layer * height + y) * width + x];
    }
    const columns = neighbours(map.width, width);
    const rows = neighbours(map.height, height);
    /** @type {(a: number, b: number, weight: number) => number} */
    const mix = (a, b, weight) => round(round(a * round(1 - weight)) + round(b * weight));
    return (layer, x, y) => {
      const top = (layer * map.height + rows.first[y]) * map.width;
      const bottom = (layer * map.height + rows.second[y]) * map.width;
      const left = columns.first[x];
      const right = columns.second[x];
      const upper = mix(map.values[top + left], map.values[top + right], columns.weight[x]);
      const lower = mix(map.values[bottom + left], map.values[bottom + right], columns.weight[x]);
      return mix(upper, lower, rows.weight[y]);
    };
  };
})(window.auxseg);
