import assert from "node:assert/strict";
import { test } from "node:test";

import { makeLines, newestTime, noteText, plotColumns, readings } from "../../static/js/chart-lines.js";

const SERIES = {
  a: { steps: [0, 1, 2], values: [3, NaN, 1], times: [5, 6, 7] },
  b: { steps: [0, 2], values: [-1, 4], times: [5, 9] },
  none: { steps: [], values: [], times: [] },
};
const RUNS = ["a", "b", "none", "unknown"].map((key) => ({ key, name: key, color: "red", dash: [] }));

const lines = (weight = 0) => makeLines(RUNS, (key) => SERIES[key], weight, 1);

const note = (options) => noteText(lines(), { hiddenCount: 0, isLog: false, isZoomed: false, ...options });

test("runs without points have no line, and the first run lies on top", () => {
  assert.deepEqual(lines().map(({ key }) => key), ["b", "a"]);
});

test("smoothed lines stand behind all raw ones", () => {
  assert.equal(plotColumns(lines(), false).length, 1 + 2);
  assert.equal(plotColumns(lines(0.5), false).length, 1 + 4);
});

test("a log axis leaves a gap where a value has no place on it", () => {
  const [, b, a] = plotColumns(lines(), true);

  assert.deepEqual([a, b], [[3, null, 1], [null, undefined, 4]]);
});

test("readings are sorted from the greatest, NaN last, each with its own step", () => {
  assert.deepEqual(
    readings(lines(), 1).map(({ line, at, value }) => [line.key, at, value]),
    [["b", 2, 4], ["a", 1, NaN]],
  );
});

test("the note says how much there is, and what cannot be drawn", () => {
  assert.equal(note({}), "5 points · 1 NaN");
  assert.equal(note({ hiddenCount: 9995 }), "5 of 10,000 points · zoom for all · 1 NaN");
  assert.equal(note({ isZoomed: true, isLog: true }), "5 points in range · 1 NaN · 1 ≤ 0 not on a log axis");
  assert.equal(noteText([], { hiddenCount: 0 }), "No points");
});

test("the newest time is that of the youngest last point", () => {
  assert.equal(newestTime(lines()), 9);
  assert.equal(newestTime([]), null);
});
