import assert from "node:assert/strict";
import { test } from "node:test";

import { smooth, spacing } from "../../static/js/smoothing.js";

const near = (actual, expected) =>
  actual.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-12, `${actual} is not ${expected}`));

test("smoothing is a running mean that forgets, free of the start's pull to zero", () => {
  near(smooth({ steps: [0, 1, 2], values: [4, 8, 8] }, 0.5, 1), [4, 20 / 3, 52 / 7]);
});

test("a constant stays what it is", () => {
  near(smooth({ steps: [0, 1, 2, 3], values: [3, 3, 3, 3] }, 0.99, 1), [3, 3, 3, 3]);
});

test("NaN and infinities keep their place and do not spread", () => {
  const smoothed = smooth({ steps: [0, 1, 2, 3], values: [2, NaN, Infinity, 2] }, 0.9, 1);

  assert.deepEqual(smoothed.slice(1, 3), [NaN, Infinity]);
  near([smoothed[0], smoothed[3]], [2, 2]);
});

test("a gap in the steps lets more be forgotten", () => {
  const [, close] = smooth({ steps: [0, 1], values: [0, 1] }, 0.5, 1);
  const [, far] = smooth({ steps: [0, 10], values: [0, 1] }, 0.5, 1);

  assert.ok(far > close);
});

test("spacing is what it was before points were left out", () => {
  const thinned = { steps: [0, 10, 20, 30] };

  assert.deepEqual([spacing(thinned), spacing(thinned, 0.1), spacing({ steps: [5] })], [10, 1, 1]);
});
