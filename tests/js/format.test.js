import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { age, count, durationText, endsOf, figure, figures, logLabels, tickLabels } from "../../static/js/format.js";

const FIGURES = JSON.parse(readFileSync(new URL("figures.json", import.meta.url)));

test("a figure reads as the server writes it", () => {
  assert.deepEqual(
    FIGURES.map(([value]) => figure(value)),
    FIGURES.map(([, text]) => text),
  );
});

test("a figure that is not finite has a name", () => {
  assert.deepEqual([NaN, Infinity, -Infinity].map(figure), ["NaN", "∞", "-∞"]);
});

test("a count has its thousands parted", () => {
  assert.deepEqual([0, 999, 1000, -1234567].map(count), ["0", "999", "1,000", "-1,234,567"]);
});

test("an age has one unit", () => {
  const seconds = [-3, 4, 5, 59, 60, 3599, 3600, 86399, 86400, 900000];

  assert.deepEqual(
    seconds.map((s) => age(0, s * 1000)),
    ["just now", "just now", "5 s ago", "59 s ago", "1 m ago", "59 m ago", "1 h ago", "23 h ago", "1 d ago", "10 d ago"],
  );
});

test("tick labels have as many digits as tell them apart", () => {
  assert.deepEqual(tickLabels([0, 2.5, 5], 2.5), ["0", "2.5", "5.0"]);
  assert.deepEqual(tickLabels([0.9, 0.95, 1], 0.05), ["0.90", "0.95", "1.00"]);
  assert.deepEqual(tickLabels([0, 5000, 10000], 5000), ["0", "5k", "10k"]);
  assert.deepEqual(tickLabels([11500, 12000], 500), ["11.5k", "12.0k"]);
  assert.deepEqual(tickLabels([-2e6, 0], 2e6), ["-2M", "0"]);
  assert.deepEqual(tickLabels([0, 0.00002, null], 0.00002), ["0", "2e-5", ""]);
  assert.deepEqual(tickLabels([100, 200], 100), ["100", "200"]);
});

test("labels of a log axis are powers, and nothing where there is no room", () => {
  assert.deepEqual(logLabels([1e-5, null, 0.01, 10, 1e6]), ["1e-5", "", "0.01", "10", "1e6"]);
});

test("figures of a column end at the same decimal", () => {
  assert.deepEqual(figures([12.5, 0.5, -3, 0]), ["12.5000", "0.5000", "-3.0000", "0.0000"]);
  assert.deepEqual(figures([1234, 7]), ["1,234", "7"]);
  assert.deepEqual(figures([1.25, 1e7, 1e-5, NaN, -Infinity]), ["1.250", "10M", "1e-5", "NaN", "-∞"]);
  assert.deepEqual(figures([1234.5, 2]), ["1235", "2"]);
});

test("a duration has its two greatest units", () => {
  assert.deepEqual([0, 0.9, 3, 843, 8040, 7201, 90061].map((seconds) => durationText(seconds)), ["0 s", "0 s", "3 s", "14 m 3 s", "2 h 14 m", "2 h", "1 d 1 h"]);
  assert.equal(durationText(90061, 4), "1 d 1 h 1 m 1 s");
});

test("a long name keeps its end apart", () => {
  assert.deepEqual(endsOf("a".repeat(24)), ["a".repeat(24)]);
  assert.deepEqual(endsOf(`${"a".repeat(21)}-end`), ["a".repeat(13), "aaaaaaaa-end"]);
});
