import assert from "node:assert/strict";
import { test } from "node:test";

import { DASHES, dashPlace, sameRuns, swatchOf, withChoice, withDashes } from "../../static/js/runs.js";

test("runs of one colour get a dash each, the others none", () => {
  const runs = ["a", "b", "c"].map((key) => ({ key, color: key === "b" ? "red" : "blue" }));

  assert.deepEqual(withDashes(runs).map(({ dash }) => dash), [DASHES[0], DASHES[0], DASHES[1]]);
});

test("a plain line has no dash to be named, each other one has its own", () => {
  assert.deepEqual([...DASHES, undefined].map(dashPlace), ["", 1, 2, 3, ""]);
});

test("a swatch looks as the line of its run, or of its only group", () => {
  const group = (color, ...members) => ({ color, dash: [7, 4], members: new Set(members) });
  const groups = [group("red", "1", "2"), group("blue", "2", "3")];
  const neutral = { color: "var(--text-muted)", dash: [] };

  assert.deepEqual(swatchOf({ id: "1", dash: [2, 3] }, null), { color: "", dash: [2, 3] });
  assert.deepEqual(["1", "2", "3", "4"].map((id) => swatchOf({ id, dash: [2, 3] }, groups)), [
    { color: "red", dash: [7, 4] }, neutral, { color: "blue", dash: [7, 4] }, neutral,
  ]);
});

test("runs are the same if nothing about them has changed", () => {
  const run = { key: "a", color: "red", dash: [] };

  assert.equal(sameRuns([run], [{ ...run }]), true);
  assert.equal(sameRuns([run], [{ ...run, color: "blue" }]), false);
});

test("a link to another list keeps the chosen runs and the view of now", () => {
  const written = "/projects/p?sort=loss&run=old&smooth=0.5&page=2";

  assert.equal(withChoice(written, ["a", "b"], "?smooth=0.9&run=c"), "/projects/p?sort=loss&page=2&run=a&run=b&smooth=0.9");
  assert.equal(withChoice(written, [], "?sort=x&metric=acc"), "/projects/p?sort=loss&page=2&metric=acc");
  assert.equal(withChoice("/projects/p?run=", null, "?log=a&log=b"), "/projects/p?run=&log=a&log=b");
  assert.equal(withChoice("/projects/p", [], "?top=5"), "/projects/p");
});
