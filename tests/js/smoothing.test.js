import assert from "node:assert/strict";
import { test } from "node:test";

import { nextAverage, smooth, spacing } from "../../static/js/smoothing.js";

const near = (actual, expected) =>
  actual.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-12, `${actual} is not ${expected}`));

test("smoothing is a running mean that forgets, free of the start's pull to zero", () => {
  near(smooth({ xs: [0, 1, 2], values: [4, 8, 8] }, 0.5, 1), [4, 20 / 3, 52 / 7]);
});

test("a constant stays what it is", () => {
  near(smooth({ xs: [0, 1, 2, 3], values: [3, 3, 3, 3] }, 0.99, 1), [3, 3, 3, 3]);
});

test("NaN and infinities keep their place and do not spread", () => {
  const smoothed = smooth({ xs: [0, 1, 2, 3], values: [2, NaN, Infinity, 2] }, 0.9, 1);

  assert.deepEqual(smoothed.slice(1, 3), [NaN, Infinity]);
  near([smoothed[0], smoothed[3]], [2, 2]);
});

test("a gap in the steps lets more be forgotten", () => {
  const [, close] = smooth({ xs: [0, 1], values: [0, 1] }, 0.5, 1);
  const [, far] = smooth({ xs: [0, 10], values: [0, 1] }, 0.5, 1);

  assert.ok(far > close);
});

test("spacing is what it was before points were left out", () => {
  const thinned = { xs: [0, 10, 20, 30] };

  assert.deepEqual([spacing(thinned), spacing(thinned, 0.1), spacing({ xs: [5] })], [10, 1, 1]);
});

test("a live point carries the server's average on", () => {
  const values = [4, 8, NaN, 8, 2];
  const whole = smooth({ xs: [0, 1, 2, 3, 4], values }, 0.9, 100); // so wide that each point counts as one step
  const series = { values: values.slice(0, 3), smoothed: whole.slice(0, 3) };

  const next = [8, 2].map((value) => {
    const average = nextAverage(series, 0.9, value);
    series.smoothed.push(average);
    return average;
  });

  near(next, whole.slice(3));
  assert.ok(Number.isNaN(nextAverage(series, 0.9, NaN)));
});
