import assert from "node:assert/strict";
import { test } from "node:test";

import { addPoint, align, fromColumns, lonelySteps, nearest, oddPoints, thin } from "../../static/js/series.js";

const series = (steps, values) => fromColumns({ steps, values, timestamps: steps.map((s) => s * 1000) });

test("a null value of JSON is a NaN", () => {
  assert.deepEqual(series([0, 1], [1, null]), { steps: [0, 1], values: [1, NaN], times: [0, 1000] });
});

test("a point goes to its place, and the newest of a step wins", () => {
  const line = series([0, 2, 4], [10, 12, 14]);

  addPoint(line, 5, 15, 5000);
  addPoint(line, 5, 16, 5001);
  addPoint(line, 1, 11, 5002);
  addPoint(line, 0, 9, 5003);

  assert.deepEqual(line, {
    steps: [0, 1, 2, 4, 5],
    values: [9, 11, 12, 14, 16],
    times: [5003, 5002, 2000, 4000, 5001],
  });
});

test("a point opens an empty series", () => {
  const line = series([], []);

  addPoint(line, -7, 1, 2);

  assert.deepEqual(line, { steps: [-7], values: [1], times: [2] });
});

test("nearest is the closest point, and none outside of the series", () => {
  const line = series([0, 10, 20], [1, 2, 3]);

  assert.deepEqual([-1, 0, 4, 6, 15, 20, 21].map((step) => nearest(line, step)), [-1, 0, 0, 1, 2, 2, -1]);
  assert.equal(nearest(series([], []), 0), -1);
});

test("thinning keeps spikes, dips, ends and what is not finite", () => {
  const steps = [...Array(1000).keys()];
  const values = steps.map(() => 0);
  values[137] = 100;
  values[731] = -100;
  values[500] = NaN;
  values[501] = Infinity;

  const thinned = thin(series(steps, values), 100);

  assert.ok(thinned.steps.length <= 110);
  assert.ok([0, 137, 500, 501, 731, 999].every((step) => thinned.steps.includes(step)));
  assert.deepEqual(thinned.steps, [...thinned.steps].sort((a, b) => a - b));
  assert.ok(thinned.values.every((value, i) => Object.is(value, values[thinned.steps[i]])));
});

test("thinning leaves a short series alone", () => {
  const line = series([0, 1, 2], [1, 2, 3]);

  assert.equal(thin(line, 3), line);
});

test("aligned columns tell a gap from a step that was never logged", () => {
  const columns = align([[0, 2, 3], [1, 2]], [[1, NaN, 3], [-5, Infinity]]);

  assert.deepEqual([...columns[0]], [0, 1, 2, 3]);
  assert.deepEqual(columns.slice(1), [[1, undefined, null, 3], [undefined, -5, null, undefined]]);
});

test("aligned columns leave out what the axis hides", () => {
  const [, column] = align([[0, 1, 2]], [[-1, 0, 5]], (value) => value <= 0);

  assert.deepEqual(column, [null, null, 5]);
});

test("odd points are those without a height", () => {
  assert.deepEqual(oddPoints(series([0, 1, 2, 3], [1, NaN, Infinity, -Infinity])), [
    { step: 1, kind: "NaN" },
    { step: 2, kind: "∞" },
    { step: 3, kind: "-∞" },
  ]);
});

test("a value between gaps is lonely, and so is the only one", () => {
  const gaps = series([0, 1, 2, 3, 4, 5, 6], [1, NaN, 2, 3, Infinity, 4, NaN]);

  assert.deepEqual(lonelySteps(gaps), [0, 5]);
  assert.deepEqual(lonelySteps(series([7], [1])), [7]);
});
