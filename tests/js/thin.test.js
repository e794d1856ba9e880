import assert from "node:assert/strict";
import { test } from "node:test";

import { fromColumns } from "../../static/js/series.js";
import { thin } from "../../static/js/thin.js";

const series = (steps, values) => fromColumns({ steps, values, timestamps: steps })[0];

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
