import assert from "node:assert/strict";
import { test } from "node:test";

import { between, refilter, withRuns } from "../../static/js/ticks.js";

test("ticked runs stand in the URL instead of those that stood there", () => {
  assert.equal(withRuns("?q=a+%3D+1&run=x", ["b", "c&d"]), "?q=a+%3D+1&run=b&run=c%26d");
  assert.equal(withRuns("?run=x", []), "");
  assert.equal(withRuns("", ["a"]), "?run=a");
});

test("more ticked runs than a URL holds are left out of it", () => {
  const keys = Array.from({ length: 1000 }, (_, number) => `run-${number}`);

  assert.equal(withRuns("?q=x", keys), "?q=x");
});

test("another filter keeps the view but begins at its first page", () => {
  const search = "?q=old&page=3&run=a&sort=-loss&col=lr&col=loss";

  assert.deepEqual(refilter(search, "new"), [["q", "new"], ["sort", "-loss"], ["col", "lr"], ["col", "loss"]]);
  assert.deepEqual(refilter(search, ""), [["sort", "-loss"], ["col", "lr"], ["col", "loss"]]);
});

test("a range goes both ways and holds its ends", () => {
  assert.deepEqual(between([..."abcde"], 1, 3), ["b", "c", "d"]);
  assert.deepEqual(between([..."abcde"], 3, 1), ["b", "c", "d"]);
  assert.deepEqual(between([..."abcde"], 2, 2), ["c"]);
});
