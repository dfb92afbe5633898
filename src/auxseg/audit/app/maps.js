// Maps at network resolution: float16 to numbers, and src/auxseg/maps.py's upsample to the last bit.
"use strict";

(function (auxseg) {
  const round = Math.fround;

  function halfToNumber(bits) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }

  // {layers, height, width, values: Float32Array} of a stored float16 map; null stays null.
  auxseg.decodeHalf = function (stored) {
    if (!stored) return null;
    const bytes = auxseg.bytes(stored.data);
    const view = new DataView(bytes.buffer);
    const values = new Float32Array(bytes.length / 2);
    for (let i = 0; i < values.length; i++) values[i] = halfToNumber(view.getUint16(2 * i, true));
    const [height, width] = stored.shape.slice(-2);
    return { layers: stored.shape.length === 3 ? stored.shape[0] : 1, height, width, values };
  };

  auxseg.decodeIndices = function (stored) {
    if (!stored) return null;
    const [height, width] = stored.shape;
    return { height, width, values: auxseg.bytes(stored.data) };
  };

  // Two neighbours on a grid of `size` and the float32 weight of the second, for each of `wanted` pixels.
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

  // A function (layer, x, y) -> float32 value at the photograph's size, every product and sum rounded to float32.
  auxseg.sampler = function (map, width, height) {
    if (map.width === width && map.height === height) {
      return (layer, x, y) => map.values[(layer * height + y) * width + x];
    }
    const columns = neighbours(map.width, width);
    const rows = neighbours(map.height, height);
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
