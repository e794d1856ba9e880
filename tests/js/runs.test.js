import assert from "node:assert/strict";
import { test } from "node:test";

import { DASHES, sameRuns, withDashes } from "../../static/js/runs.js";

test("runs of one colour get a dash each, the others none", () => {
  const runs = ["a", "b", "c"].map((key) => ({ key, color: key === "b" ? "red" : "blue" }));

  assert.deepEqual(withDashes(runs).map(({ dash }) => dash), [DASHES[0], DASHES[0], DASHES[1]]);
});

test("runs are the same if nothing about them has changed", () => {
  const run = { key: "a", color: "red", dash: [] };

  assert.equal(sameRuns([run], [{ ...run }]), true);
  assert.equal(sameRuns([run], [{ ...run, color: "blue" }]), false);
});
