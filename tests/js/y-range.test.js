import assert from "node:assert/strict";
import { test } from "node:test";

import { logRange, robustRange, valueRange } from "../../static/js/y-range.js";

const xs = [...Array(100).keys()];
const flat = xs.map((x) => x % 10);

test("a range leaves a little room, and has a height even where there is one value", () => {
  assert.deepEqual(valueRange(0, 100), [-6, 106]);
  assert.deepEqual(valueRange(5, 5), [4.5, 5.5]);
  assert.deepEqual(valueRange(0, 0), [-1, 1]);
  assert.deepEqual(valueRange(null, null), [0, 1]);
});

test("values far from the others are left out and counted", () => {
  const spiked = flat.with(50, 1000).with(51, -1000).with(52, null).with(53, undefined);

  assert.deepEqual(robustRange([xs, spiked], null), { min: 0, max: 9, outsideCount: 2 });
});

test("only what the zoom shows counts", () => {
  const spiked = flat.with(50, 1000);

  assert.equal(robustRange([xs, spiked], [0, 49]), null);
  assert.equal(robustRange([xs, spiked], [0, 50]).outsideCount, 1);
});

test("without outliers nothing is left out", () => {
  assert.equal(robustRange([xs, flat], null), null);
  assert.equal(robustRange([xs, xs.map(() => 3)], null), null);
  assert.equal(robustRange([[], []], null), null);
  assert.equal(robustRange([[0, 1], [1, 99]], null), null);
});

test("a log range ends at round values of its own size", () => {
  assert.deepEqual(logRange(0.023, 2.8), [0.02, 3]);
  assert.deepEqual(logRange(100, 1000), [100, 1000]);
  assert.deepEqual(logRange(5, 5), [1, 10]);
  assert.deepEqual(logRange(null, null), [1, 10]);
});
