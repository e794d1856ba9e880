import assert from "node:assert/strict";
import { test } from "node:test";

import { pointLimit, seriesQuery } from "../../static/js/series-query.js";

const query = (way) => Object.fromEntries([...seriesQuery(["loss"], ["a", "b"], way)].slice(3));

test("an axis of time is asked for with its restarts, and its range as it is", () => {
  assert.deepEqual(query({ x: "relative", range: [0.25, 7.5], smooth: 0.9 }), {
    x: "relative",
    smooth: "0.9",
    totals: "1",
    segments: "1",
    x_min: "0.25",
    x_max: "7.5",
  });
});

test("a metric as the axis, and groups, have no restarts", () => {
  assert.deepEqual(query({ x: "metric:acc" }), { x: "metric:acc", totals: "1" });
  assert.deepEqual(query({ group: "config.lr" }), { group: "config.lr" });
});

test("runs and metrics come first", () => {
  assert.equal(seriesQuery(["loss"], ["a", "b"], { format: "json" }).toString(), "runs=a%2Cb&format=json&metric=loss&totals=1&segments=1");
});

test("the more runs, the fewer points of each are asked for", () => {
  const keys = [...Array(50).keys()].map(String);

  assert.deepEqual([1, 20, 50, 100, 1000].map(pointLimit), [null, null, 400, 200, 200]);
  assert.equal(seriesQuery(["loss"], keys, {}).get("max_points"), "400");
  assert.equal(seriesQuery(["loss"], keys, { group: "tags" }).get("max_points"), null);
});
