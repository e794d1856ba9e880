import assert from "node:assert/strict";
import { test } from "node:test";

import { ChartData } from "../../static/js/chart-data.js";
import { columns, drawn, loaded, point, slowLoader, WAY, zoomed } from "./points.js";

test("a zoom further in is drawn with the points there are, one further out with all", async () => {
  const data = await loaded({ a: columns([0, 10, 20]) });
  data.load = async () => ({ a: columns([8, 9, 10]) });
  await data.show(["a"], zoomed(8, 12));

  assert.deepEqual(drawn(data, "a", [9, 10]).steps, [8, 9, 10]);
  assert.deepEqual(drawn(data, "a", [5, 12]).steps, [0, 10, 20]);
});

test("a zoom into a chart that has all its points asks for nothing", async () => {
  const data = await loaded({ a: columns([0, 1, 2]) });
  data.load = () => assert.fail("nothing is missing");

  await data.show(["a"], zoomed(0, 1), false);

  assert.deepEqual(drawn(data, "a", [0, 1]).steps, [0, 1, 2]);
});

test("of two zooms the later one counts, whichever answer comes last", async () => {
  const { asked, load } = slowLoader();
  const data = await loaded({ a: columns([0]) });
  data.load = load;

  const first = data.show(["a"], zoomed(0, 50));
  const second = data.show(["a"], zoomed(0, 5));
  asked[1].answer({ a: columns([1]) });
  asked[0].answer({ a: columns([40]) });
  await Promise.all([first, second]);

  assert.deepEqual(drawn(data, "a", [0, 5]).steps, [1]);
});

test("another axis is drawn when all of it is here, not before", async () => {
  const { asked, load } = slowLoader();
  const data = await loaded({ a: columns([0, 1]) });
  data.load = load;

  const showing = data.show(["a"], { ...WAY, x: "relative" });
  assert.deepEqual(drawn(data, "a").xs, [0, 1]);
  asked[0].answer({ a: { ...columns([0, 1]), x: [0.5, 1.5], timestamps: [500, 1500] } });
  await showing;
  data.append([{ run: "a", step: 2, value: 3, time: 2750 }]);

  assert.deepEqual(drawn(data, "a").xs, [0.5, 1.5, 2.75]);
});

test("what only the server can place makes the chart fall behind until it asks anew", async () => {
  const asked = [];
  const data = new ChartData(async (keys, { x }) => asked.push(x) && { a: { ...columns([0]), x: [5] } });
  const way = { ...WAY, x: "metric:loss" };
  await data.show(["a"], way);

  data.append([point("a", 1)]);
  assert.equal(data.isBehind, true);
  data.outdate();
  await data.show(["a"], way);

  assert.equal(data.isBehind, false);
  assert.deepEqual(asked, ["metric:loss", "metric:loss"]);
});

test("groups are asked for again whenever other runs are chosen", async () => {
  const asked = [];
  const data = new ChartData(async (keys) => {
    asked.push(keys);
    return { "0.1": { steps: [0], mean: [2], min: [1], max: [3], counts: [1], runs: 2 } };
  });
  const way = { ...WAY, group: "config.lr" };

  await data.show(["a", "b"], way);
  await data.show(["a", "b"], way);
  await data.show(["b"], way);

  assert.deepEqual(asked, [["a", "b"], ["b"]]);
  const [series] = data.layer(null).runs.get("0.1");
  assert.deepEqual([series.values, series.low, series.high, series.runCount], [[2], [1], [3], 2]);
});

test("a thinned chart knows how many points it has, live ones included", async () => {
  const data = await loaded({ a: { ...columns([0, 2, 5]), total: 100 }, b: { ...columns([0, 1]), total: 2 } });
  assert.deepEqual([data.isThinned(), data.countHidden(null)], [true, 97]);

  data.append([point("a", 6), point("a", 6, 2), point("b", 2)]);
  const layer = data.layer(null);
  assert.deepEqual([layer.count, layer.hiddenCount], [7, 97]);

  data.keep(["b"]);
  assert.deepEqual([data.isThinned(), data.countHidden(null)], [false, 0]);
});

test("how much a zoom hides is told by its own answer", async () => {
  const data = await loaded({ a: { ...columns([0, 10, 20]), total: 2001 } });
  assert.equal(data.countHidden([8, 12]), null);

  data.load = async () => ({ a: { ...columns([8, 9, 12]), total: 401 } });
  await data.show(["a"], zoomed(8, 12));

  assert.equal(data.countHidden([8, 12]), 398);
  assert.equal(data.countHidden([9, 12]), null);
});

test("all points reach from the first to the last, whatever is drawn of them", async () => {
  const data = await loaded({ a: columns([5, 20]), b: columns([0, 7]), c: columns([]) });
  await data.show(["a", "b", "c"], zoomed(6, 8));

  assert.deepEqual(data.extent(), [0, 20]);
});

test("groups hide nothing that could be counted", async () => {
  const data = new ChartData(async () => ({ g: { steps: [0], mean: [2], min: [1], max: [3], counts: [1], runs: 2 } }));
  await data.show(["a"], { ...WAY, group: "config.lr" });

  assert.equal(data.countHidden(null), 0);
});
