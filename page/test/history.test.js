import assert from "node:assert/strict";
import { test } from "node:test";

import { advance, begin, redo, undo } from "../src/history.js";

const walk = (count) =>
  Array.from({ length: count }, (_, k) => k + 1).reduce((now, k) => advance(now, k, `step ${k}`), begin(0));

test("undo and redo go all the way, and stop at the ends", () => {
  let now = walk(1000);
  for (let step = 0; step < 1005; step += 1) now = undo(now);
  assert.equal(now.present, 0);
  assert.equal(now.future[0].what, "step 1");
  for (let step = 0; step < 1005; step += 1) now = redo(now);
  assert.deepEqual(now, walk(1000));
});

test("a change after undo forgets what was undone", () => {
  const now = advance(undo(undo(walk(3))), 9, "another way");
  assert.equal(now.present, 9);
  assert.deepEqual(now.future, []);
  assert.equal(undo(now).present, 1);
});

test("what changes nothing is no step", () => {
  const now = walk(2);
  assert.equal(advance(now, now.present, "nothing"), now);
});
