import assert from "node:assert/strict";
import { test } from "node:test";

import { placeAfterKey, rangeAfterKey } from "../../static/js/crosshair.js";

test("arrows move from point to point, and stop at the ends of what is in view", () => {
  const after = (key, place, shiftKey = false) => placeAfterKey({ key, shiftKey }, place, [10, 110]);

  assert.deepEqual([after("ArrowRight", 20), after("ArrowLeft", 20), after("ArrowRight", 110), after("ArrowLeft", 10)], [21, 19, 110, 10]);
  assert.deepEqual([after("ArrowRight", 20, true), after("ArrowLeft", 15, true)], [30, 10]);
  assert.deepEqual([after("Home", 20), after("End", 20)], [10, 110]);
  assert.deepEqual([after("ArrowRight", null), after("ArrowLeft", null)], [10, 110]);
  assert.deepEqual([after("ArrowRight", 3), after("a", 20), after("constructor", 20)], [10, undefined, undefined]);
});

test("a zoom keeps the point under the crosshair where it is", () => {
  const after = (key, range, x) => rangeAfterKey({ key }, range, x, [0, 100]);

  assert.deepEqual([after("+", [0, 100], 50), after("=", [0, 100], 80), after("+", [0, 100], 0)], [[25, 75], [40, 90], [0, 50]]);
  assert.deepEqual([after("-", [40, 60], 50), after("-", [0, 20], 20)], [[30, 70], [0, 40]]);
  assert.deepEqual([after("-", [0, 50], 25), after("-", [0, 100], 25), after("x", [0, 50], 25)], [null, null, undefined]);
});
