import assert from "node:assert/strict";
import { test } from "node:test";

import { addPoint, align, fromColumns, lonelyPlaces, nearest, oddPoints } from "../../static/js/series.js";

const series = (steps, values) => fromColumns({ steps, values, timestamps: steps.map((s) => s * 1000) })[0];
const put = (line, x, value, time) => addPoint(line, { x, step: x, value, time });

test("a null value of JSON is a NaN", () => {
  assert.deepEqual(series([0, 1], [1, null]), { xs: [0, 1], steps: [0, 1], values: [1, NaN], times: [0, 1000] });
});

test("a point goes to its place, and the newest of a step wins", () => {
  const line = series([0, 2, 4], [10, 12, 14]);

  put(line, 5, 15, 5000);
  put(line, 5, 16, 5001);
  put(line, 1, 11, 5002);
  put(line, 0, 9, 5003);

  assert.deepEqual(line, {
    xs: [0, 1, 2, 4, 5],
    steps: [0, 1, 2, 4, 5],
    values: [9, 11, 12, 14, 16],
    times: [5003, 5002, 2000, 4000, 5001],
  });
});

test("a point opens an empty series", () => {
  const line = series([], []);

  put(line, -7, 1, 2);

  assert.deepEqual(line, { xs: [-7], steps: [-7], values: [1], times: [2] });
});

test("nearest is the closest point, and none outside of the series", () => {
  const line = series([0, 10, 20], [1, 2, 3]);

  assert.deepEqual([-1, 0, 4, 6, 15, 20, 21].map((step) => nearest(line, step)), [-1, 0, 0, 1, 2, 2, -1]);
  assert.equal(nearest(series([], []), 0), -1);
});

test("aligned columns tell a gap from a step that was never logged", () => {
  const columns = align([{ xs: [0, 2, 3], values: [1, NaN, 3] }, { xs: [1, 2], values: [-5, Infinity] }]);

  assert.deepEqual([...columns[0]], [0, 1, 2, 3]);
  assert.deepEqual(columns.slice(1), [[1, undefined, null, 3], [undefined, -5, null, undefined]]);
});

test("aligned columns leave out what the axis hides", () => {
  const [, column] = align([{ xs: [0, 1, 2], values: [-1, 0, 5] }], (value) => value <= 0);

  assert.deepEqual(column, [null, null, 5]);
});

test("odd points are those without a height", () => {
  assert.deepEqual(oddPoints(series([0, 1, 2, 3], [1, NaN, Infinity, -Infinity])), [
    { x: 1, kind: "NaN" },
    { x: 2, kind: "∞" },
    { x: 3, kind: "-∞" },
  ]);
});

test("a value between gaps is lonely, and so is the only one", () => {
  assert.deepEqual(lonelyPlaces([1, null, undefined, 2, 3, null, 4, undefined, null]), [0, 6]);
  assert.deepEqual(lonelyPlaces([undefined, 1, undefined]), [1]);
  assert.deepEqual(lonelyPlaces([1, undefined, 2]), []);
  assert.deepEqual(lonelyPlaces([null, undefined]), []);
});

test("restarts are series of their own, on the axis that was asked for", () => {
  const columns = { steps: [0, 1, 1, 2], values: [1, 2, 3, 4], timestamps: [5, 6, 7, 8], x: [0, 0.1, 0.2, 0.3], starts: [0, 2] };

  assert.deepEqual(fromColumns(columns, false), [
    { xs: [0, 0.1], steps: [0, 1], values: [1, 2], times: [5, 6] },
    { xs: [0.2, 0.3], steps: [1, 2], values: [3, 4], times: [7, 8] },
  ]);
});

test("a group has its mean between its lowest and its highest run", () => {
  const columns = { steps: [0], mean: [2], min: [1], max: [null], counts: [2], runs: 2 };

  assert.deepEqual(fromColumns(columns), [{ xs: [0], steps: [0], values: [2], times: [], low: [1], high: [NaN], runCount: 2 }]);
});
