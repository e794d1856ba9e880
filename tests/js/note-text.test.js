import assert from "node:assert/strict";
import { test } from "node:test";

import { countPoints, describe, noteText, spokenReading } from "../../static/js/note-text.js";

const LINES = [
  { series: { xs: [0, 1, 2], values: [3, NaN, 1] } },
  { series: { xs: [0, 2], values: [-1, 4] } },
];

const note = (options) => noteText(LINES, options);

test("the note says how much there is, and what cannot be drawn", () => {
  assert.equal(note({}), "5 points · 1 NaN");
  assert.equal(note({ hiddenCount: 9995 }), "5 of 10,000 points · zoom for all · 1 NaN");
  assert.equal(note({ range: [1, 2], hiddenCount: 97 }), "3 of 100 points in range · zoom for all · 1 NaN");
  assert.equal(note({ range: [1, 2], hiddenCount: null }), "3 points in range · loading more · 1 NaN");
  assert.equal(note({ range: [1, 2], isLog: true }), "3 points in range · 1 NaN · 1 ≤ 0 not on a log axis");
  assert.equal(note({ outsideCount: 1 }), "5 points · 1 NaN · 1 outlier hidden");
  assert.equal(noteText([], {}), "No points");
});

test("the note of groups says how many runs are in them", () => {
  const group = (runCount) => ({ runCount, series: { xs: [0], values: [1] } });

  assert.equal(noteText([group(3), group(1)], {}), "4 runs in 2 groups");
  assert.equal(noteText([group(1)], {}), "1 run in 1 group");
});

test("points of a range are those in it, its ends included", () => {
  assert.deepEqual([[0, 2], [0.5, 1.5], [2, 9], [3, 9]].map((range) => countPoints(LINES, range)), [5, 1, 2, 0]);
});

test("who does not see the chart is told where its lines end", () => {
  const line = (number) => ({ key: `k${number}`, name: `run ${number}`, series: { xs: [0, 1], values: [9, number / 4] } });

  assert.equal(describe("loss", [line(2), line(1)]), "Line chart of loss. Last values: run 1 0.25, run 2 0.5.");
  assert.equal(describe("loss", []), "Line chart of loss. Last values: none.");
  assert.match(describe("loss", [...Array(20).keys()].map(line)), / and 8 more\.$/);
});

test("what lies under the crosshair is said in words", () => {
  const row = (name, value, smoothed) => ({ line: { name }, value, smoothed });

  assert.equal(spokenReading("step 7", [row("b", 12.5), row("a", 9, 0.25)]), "step 7: b 12.5, a 0.25");
  assert.equal(spokenReading("step 7", []), "step 7: no points");
  assert.match(spokenReading("step 7", [...Array(14).keys()].map((i) => row(`r${i}`, i))), /, r11 11 and 2 more$/);
});
