import assert from "node:assert/strict";
import { test } from "node:test";

import { counts, withClass, withLabel, withoutClass, withoutNearest } from "../src/labels.js";

const empty = { classes: [], labels: [] };
const two = withClass(withClass(empty, "road"), "  open   water ");

test("classes have names and colours of their own", () => {
  assert.deepEqual(two.classes.map(({ name }) => name), ["road", "open water"]);
  assert.notEqual(two.classes[0].color, two.classes[1].color);
  assert.equal(withClass(two, "road"), two);
  assert.equal(withClass(two, "  "), two);
  let many = empty;
  for (let index = 0; index < 30; index += 1) many = withClass(many, `class ${index}`);
  assert.equal(new Set(many.classes.map(({ color }) => color)).size, 30);
});

test("a pixel has one label, the last", () => {
  const place = { scene: 0, row: 3, column: 4 };
  const once = withLabel(two, { ...place, name: "road" });
  const again = withLabel(once, { ...place, name: "open water" });
  assert.deepEqual(again.labels, [{ ...place, name: "open water" }]);
  assert.deepEqual([...counts(again)], [["road", 0], ["open water", 1]]);
});

test("erasing takes the nearest label within reach, of the scene alone", () => {
  const labels = [
    { scene: 0, row: 0, column: 0, name: "road" },
    { scene: 0, row: 0, column: 6, name: "road" },
    { scene: 1, row: 0, column: 4, name: "road" },
  ];
  const lesson = { ...two, labels };
  assert.deepEqual(withoutNearest(lesson, { scene: 0, row: 0, column: 4 }, 5).labels, [labels[0], labels[2]]);
  assert.equal(withoutNearest(lesson, { scene: 0, row: 50, column: 0 }, 5), lesson);
});

test("a class goes with its labels", () => {
  const lesson = withLabel(two, { scene: 0, row: 1, column: 1, name: "road" });
  assert.deepEqual(withoutClass(lesson, "road"), { classes: [two.classes[1]], labels: [] });
});
