import assert from "node:assert/strict";
import { test } from "node:test";

import { classPalette, confidencePalette, highlightPalette, paint } from "../src/palette.js";
import { Recent } from "../src/recent.js";
import { bySimilarColor } from "../src/sorting.js";

const painted = (indices, palette) => {
  const bytes = new Uint8ClampedArray(4 * indices.length);
  paint(indices, palette, bytes);
  return Array.from(indices, (_, pixel) => [...bytes.subarray(4 * pixel, 4 * pixel + 4)]);
};

test("clusters are painted in the colours of their classes; the rest and nodata stay clear", () => {
  const palette = classPalette([
    { color: "#102030", clusters: [0, 2] },
    { color: "#FF0080", clusters: [7] },
  ]);
  const [first, second, clear] = [
    [16, 32, 48, 255],
    [255, 0, 128, 255],
    [0, 0, 0, 0],
  ];
  assert.deepEqual(painted(Uint16Array.of(0, 2, 7, 1, 65535), palette), [first, first, second, clear, clear]);
});

test("a highlight sets the selected clusters off from all others, but not from nodata", () => {
  const [selected, other, nodata] = painted(Uint16Array.of(3, 4, 65535), highlightPalette(new Set([3]), 8));
  assert.equal(selected[3], 255);
  assert.ok(other[3] > 0 && other[3] < 255);
  assert.equal(nodata[3], 0);
});

test("confidence grows lighter, and 255 is clear", () => {
  const ramp = painted(
    Uint8Array.from({ length: 101 }, (_, value) => value),
    confidencePalette(),
  );
  const light = ([red, green, blue]) => 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  for (let value = 1; value <= 100; value += 1) assert.ok(light(ramp[value]) >= light(ramp[value - 1]), `${value}`);
  assert.deepEqual(painted(Uint8Array.of(255), confidencePalette()), [[0, 0, 0, 0]]);
});

test("the least recently used is forgotten first", () => {
  const recent = new Recent(2);
  recent.set("a", 1);
  recent.set("b", 2);
  recent.get("a");
  recent.set("c", 3);
  assert.deepEqual([recent.get("a"), recent.get("b"), recent.get("c")], [1, undefined, 3]);
});

test("similar colours come one after the other", () => {
  const colors = new Map([
    [0, "#00FF00"],
    [1, "#000001"],
    [2, "#01FF01"],
    [3, "#FF0000"],
    [4, "#000000"],
  ]);
  const order = bySimilarColor([0, 1, 2, 3, 4], colors);
  assert.deepEqual(order.slice(0, 2).sort(), [1, 4]);
  assert.equal(Math.abs(order.indexOf(0) - order.indexOf(2)), 1);
});
