import assert from "node:assert/strict";
import { test } from "node:test";

import { makeLines, newestTime, plotColumns, readings, tracksOf } from "../../static/js/chart-lines.js";

const series = (xs, values, times, more = {}) => ({ xs, steps: xs, values, times, ...more });
const SEGMENTS = {
  a: [series([0, 1, 2], [3, NaN, 1], [5, 6, 7])],
  b: [series([0, 2], [-1, 4], [5, 9])],
  none: [series([], [], [])],
};
const RUNS = ["a", "b", "none", "unknown"].map((key) => ({ key, name: key, color: "red", dash: [] }));
const PLAIN = { weight: 0, exact: 0, share: 1 };

const lines = (smoothing = {}) => makeLines(RUNS, (key) => SEGMENTS[key], { ...PLAIN, ...smoothing });

test("runs without points have no line, and the first run lies on top", () => {
  assert.deepEqual(lines().map(({ key }) => key), ["b", "a"]);
});

test("of a run that was started again the newest segment lies on top", () => {
  const old = series([0, 1, 2], [1, 2, 3], [1, 2, 3]);
  const fresh = series([1, 2], [7, 8], [11, 12]);
  const made = makeLines([RUNS[0]], () => [old, fresh], PLAIN);

  assert.deepEqual(made.map(({ series: one, isOld }) => [one === fresh, isOld]), [[false, true], [true, false]]);
  assert.deepEqual(readings(made, 1).map(({ value }) => value), [7]);
  assert.deepEqual(readings(made, 0).map(({ value }) => value), [1]);
});

test("smoothed lines stand behind all raw ones, the edges of a band before them", () => {
  const kinds = (all) => tracksOf(all).map(({ line, kind }) => `${line.key} ${kind}`);
  const group = series([0], [2], [], { low: [1], high: [3] });

  assert.deepEqual(kinds(lines()), ["b raw", "a raw"]);
  assert.deepEqual(kinds(lines({ weight: 0.5 })), ["b raw", "a raw", "b smoothed", "a smoothed"]);
  assert.deepEqual(kinds(makeLines([RUNS[0]], () => [group], PLAIN)), ["a low", "a high", "a raw"]);
});

test("the server's smoothed values count where they were asked for with this weight", () => {
  const exact = [series([0, 1], [2, 4], [0, 0], { smoothed: [2, 3.5] })];
  const smoothedBy = (weight) => makeLines([RUNS[0]], () => exact, { weight, exact: 0.9, share: 1 })[0].smoothed;

  assert.deepEqual(smoothedBy(0.9), [2, 3.5]);
  assert.notDeepEqual(smoothedBy(0.5), [2, 3.5]);
});

test("a log axis leaves a gap where a value has no place on it", () => {
  const [, b, a] = plotColumns(tracksOf(lines()), true);

  assert.deepEqual([a, b], [[3, null, 1], [null, undefined, 4]]);
});

test("readings are sorted from the greatest, NaN last, each with its own place", () => {
  assert.deepEqual(
    readings(lines(), 1).map(({ line, at, value }) => [line.key, at, value]),
    [["b", 2, 4], ["a", 1, NaN]],
  );
});

test("the newest time is that of the youngest last point", () => {
  assert.equal(newestTime(lines()), 9);
  assert.equal(newestTime([]), null);
});
