import assert from "node:assert/strict";
import { test } from "node:test";

import { ChartData } from "../../static/js/chart-data.js";
import { LIVE_LIMIT } from "../../static/js/layer.js";

const columns = (steps) => ({ steps, values: steps.map((s) => s / 10), timestamps: steps });
const point = (run, step, value = 1) => ({ run, step, value, time: step });
const WAY = { x: "step", smooth: 0, group: "", range: null };
const zoomed = (...range) => ({ ...WAY, range });

/** What is drawn of a run whose steps never went back. */
const drawn = (data, key, range = null) => data.layer(range).runs.get(key)?.at(-1);

/** A loader that answers when it is told to, and remembers what it was asked for. */
const slowLoader = () => {
  const asked = [];
  const load = (keys, { range }) =>
    new Promise((resolve, reject) => {
      asked.push({ keys, range, answer: resolve, fail: reject });
    });
  return { asked, load };
};

const loaded = async (answer) => {
  const data = new ChartData(async () => answer);
  await data.show(Object.keys(answer), WAY);
  return data;
};

test("only runs that are missing are fetched", async () => {
  const asked = [];
  const data = new ChartData(async (keys) => {
    asked.push(keys);
    return Object.fromEntries(keys.map((key) => [key, columns([0])]));
  });

  await data.show(["a"], WAY);
  await data.show(["a", "b"], WAY);
  await data.show(["a", "b"], WAY);

  assert.deepEqual(asked, [["a"], ["b"]]);
});

test("points that come while the chart loads are kept for later", async () => {
  const { asked, load } = slowLoader();
  const data = new ChartData(load);

  const showing = data.show(["a"], WAY);
  data.append([point("a", 1, 7), point("a", 2, 8)]);
  asked[0].answer({ a: columns([0, 1]) });
  await showing;

  assert.deepEqual(drawn(data, "a"), { xs: [0, 1, 2], steps: [0, 1, 2], values: [0, 7, 8], times: [0, 1, 2] });
});

test("points are kept even if loading fails", async () => {
  const { asked, load } = slowLoader();
  const data = await loaded({ a: columns([0]) });
  data.load = load;

  const showing = data.show(["a", "b"], WAY);
  data.append([point("a", 1)]);
  asked[0].fail(new Error("The server answered 500"));

  await assert.rejects(showing, /500/);
  assert.deepEqual(drawn(data, "a").steps, [0, 1]);
});

test("a run without this metric has an empty series that live points fill", async () => {
  const data = new ChartData(async () => ({}));
  await data.show(["a"], WAY);

  data.append([point("a", 0), point("stranger", 0)]);

  assert.deepEqual(drawn(data, "a").steps, [0]);
  assert.equal(drawn(data, "stranger"), undefined);
});

test("a run may be called like something that every object has", async () => {
  const data = new ChartData(async () => JSON.parse('{"__proto__": {"steps": [3], "values": [1], "timestamps": [5]}}'));

  await data.show(["constructor", "__proto__"], WAY);

  assert.deepEqual(["constructor", "__proto__"].map((key) => drawn(data, key).steps), [[], [3]]);
});

test("a run that was let go is fetched again when it comes back", async () => {
  const data = await loaded({ a: columns([0]), b: columns([0]) });

  data.keep(["b"]);

  assert.equal(drawn(data, "a"), undefined);
  assert.deepEqual(drawn(data, "b").steps, [0]);
});

test("a run that was let go while it was loading does not stay behind", async () => {
  const { asked, load } = slowLoader();
  const data = new ChartData(load);

  const showing = data.show(["a", "b"], WAY);
  data.keep(["b"]);
  asked[0].answer({ a: columns([0]), b: columns([0]) });
  await showing;

  assert.equal(drawn(data, "a"), undefined);
  assert.deepEqual(drawn(data, "b").steps, [0]);
});

test("a zoom draws finer points, and takes live ones of its range only", async () => {
  const data = await loaded({ a: columns([0, 10, 20]) });
  data.load = async (keys, { range }) => {
    assert.deepEqual(range, [8, 12]);
    return { a: columns([8, 9, 10]) };
  };

  await data.show(["a"], zoomed(8, 12));
  data.append([point("a", 11), point("a", 30)]);

  assert.deepEqual(drawn(data, "a", [8, 12]).steps, [8, 9, 10, 11]);
  await data.show(["a"], WAY);
  assert.deepEqual(drawn(data, "a").steps, [0, 10, 11, 20, 30]);
});

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

test("steps that begin again are a segment of their own, what is repeated is not", async () => {
  const data = await loaded({ a: columns([0, 1, 2, 3]) });

  data.append([{ run: "a", step: 2, value: 7, time: 2 }]); // the stream repeats itself
  data.append([{ run: "a", step: 1, value: 8, time: 100 }, { run: "a", step: 2, value: 9, time: 101 }]);

  const segments = data.layer(null).runs.get("a");
  assert.deepEqual(segments.map(({ steps, values }) => [steps, values]), [
    [[0, 1, 2, 3], [0, 0.1, 7, 0.3]],
    [[1, 2], [8, 9]],
  ]);
});

test("points that wait too long for an answer are not hoarded", async () => {
  const { asked, load } = slowLoader();
  const data = new ChartData(load);
  const showing = data.show(["a"], WAY);

  for (let i = 0; i < 300; i += 1) data.append([...Array(100).keys()].map((step) => point("a", i * 100 + step)));
  asked[0].answer({ a: columns([]) });
  await showing;

  assert.equal(data.isBehind, true);
});

test("a long live tail is thinned and keeps its spike", async () => {
  const data = await loaded({ a: columns([]) });

  data.append([...Array(LIVE_LIMIT + 1).keys()].map((step) => point("a", step, step === 99 ? 1e6 : 0)));

  assert.ok(drawn(data, "a").steps.length <= LIVE_LIMIT / 2 + 10);
  assert.ok(drawn(data, "a").values.includes(1e6));
});

test("what a zoom could add is what was logged and is not there", async () => {
  const thinned = await loaded({ a: columns([0, 2, 5]), b: columns([0, 1]) });
  const replaced = await loaded({ a: columns([0, 1, 2]), b: columns([]) });

  assert.equal(thinned.countHidden(11), 6);
  assert.equal(thinned.countHidden(4), 0);
  assert.equal(replaced.countHidden(11), 0);
});
