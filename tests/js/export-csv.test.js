import assert from "node:assert/strict";
import { test } from "node:test";

import { csvText, fileName, pointRows } from "../../static/js/export-csv.js";

test("the drawn points are written in full, the topmost run first", () => {
  const lines = [
    { key: "b", series: { xs: [1, 2, 3], steps: [1, 2, 3], values: [0.1 + 0.2, NaN, -Infinity] } },
    { key: "a", series: { xs: [2], steps: [2], values: [5] }, smoothed: [4.5] },
  ];

  assert.deepEqual(pointRows(lines, [1, 2]), [
    ["run", "step", "value", "smoothed"],
    ["a", 2, 5, 4.5],
    ["b", 1, 0.30000000000000004, undefined],
    ["b", 2, NaN, undefined],
  ]);
});

test("an x that is not the step has its column and its range", () => {
  const lines = [{ key: "a", series: { xs: [0.5, 9.5], steps: [1, 2], values: [1, 2] } }];

  assert.deepEqual(pointRows(lines, [0, 1]), [["run", "step", "x", "value"], ["a", 1, 0.5, 1]]);
});

test("groups of runs have their mean, lowest and highest", () => {
  const lines = [{ key: "group:0.1", name: "0.1", series: { xs: [5], steps: [5], values: [2], low: [1], high: [3] } }];

  assert.deepEqual(pointRows(lines), [["group", "x", "mean", "min", "max"], ["0.1", 5, 2, 1, 3]]);
});

test("a name that looks like a formula is only a name in the CSV", () => {
  assert.equal(csvText([["=1+1", "a,b", 'say "x"', null, -1.5, "-2"]]), `'=1+1,"a,b","say ""x""",,-1.5,'-2\r\n`);
});

test("file names are safe", () => {
  assert.deepEqual(
    ["train/loss", "../../etc/passwd", "Verlüst", "损失", "x".repeat(300)].map((title) => fileName(title, "csv")),
    ["train-loss.csv", "etc-passwd.csv", "Verlust.csv", "chart.csv", `${"x".repeat(80)}.csv`],
  );
});
