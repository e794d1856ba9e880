import assert from "node:assert/strict";
import { test } from "node:test";

import { ChartData, LIVE_LIMIT } from "../../static/js/chart-data.js";

const columns = (steps) => ({ steps, values: steps.map((s) => s / 10), timestamps: steps });
const point = (run, step, value = 1) => ({ run, step, value, time: step });

/** A loader that answers when it is told to, and remembers what it was asked for. */
const slowLoader = () => {
  const asked = [];
  const load = (keys, range) =>
    new Promise((resolve, reject) => {
      asked.push({ keys, range, answer: resolve, fail: reject });
    });
  return { asked, load };
};

const loaded = async (answer) => {
  const data = new ChartData(async () => answer);
  await data.show(Object.keys(answer));
  return data;
};

test("only runs that are missing are fetched", async () => {
  const asked = [];
  const data = new ChartData(async (keys) => {
    asked.push(keys);
    return Object.fromEntries(keys.map((key) => [key, columns([0])]));
  });

  await data.show(["a"]);
  await data.show(["a", "b"]);
  await data.show(["a", "b"]);

  assert.deepEqual(asked, [["a"], ["b"]]);
});

test("points that come while the chart loads are kept for later", async () => {
  const { asked, load } = slowLoader();
  const data = new ChartData(load);

  const showing = data.show(["a"]);
  data.append([point("a", 1, 7), point("a", 2, 8)]);
  asked[0].answer({ a: columns([0, 1]) });
  await showing;

  assert.deepEqual(data.series("a"), { steps: [0, 1, 2], values: [0, 7, 8], times: [0, 1, 2] });
});

test("points are kept even if loading fails", async () => {
  const { asked, load } = slowLoader();
  const data = await loaded({ a: columns([0]) });
  data.load = load;

  const showing = data.show(["a", "b"]);
  data.append([point("a", 1)]);
  asked[0].fail(new Error("The server answered 500"));

  await assert.rejects(showing, /500/);
  assert.deepEqual(data.series("a").steps, [0, 1]);
});

test("a run without this metric has an empty series that live points fill", async () => {
  const data = new ChartData(async () => ({}));
  await data.show(["a"]);

  data.append([point("a", 0), point("stranger", 0)]);

  assert.deepEqual(data.series("a").steps, [0]);
  assert.equal(data.series("stranger"), undefined);
});

test("a run may be called like something that every object has", async () => {
  const data = new ChartData(async () => JSON.parse('{"__proto__": {"steps": [3], "values": [1], "timestamps": [5]}}'));

  await data.show(["constructor", "__proto__"]);

  assert.deepEqual(["constructor", "__proto__"].map((key) => data.series(key).steps), [[], [3]]);
});

test("a run that was let go is fetched again when it comes back", async () => {
  const data = await loaded({ a: columns([0]), b: columns([0]) });

  data.keep(["b"]);

  assert.equal(data.series("a"), undefined);
  assert.deepEqual(data.series("b").steps, [0]);
});

test("a run that was let go while it was loading does not stay behind", async () => {
  const { asked, load } = slowLoader();
  const data = new ChartData(load);

  const showing = data.show(["a", "b"]);
  data.keep(["b"]);
  asked[0].answer({ a: columns([0]), b: columns([0]) });
  await showing;

  assert.equal(data.series("a"), undefined);
  assert.deepEqual(data.series("b").steps, [0]);
});

test("a zoom draws finer points, and takes live ones of its range only", async () => {
  const data = await loaded({ a: columns([0, 10, 20]) });
  data.load = async (keys, range) => {
    assert.deepEqual(range, [8, 12]);
    return { a: columns([8, 9, 10]) };
  };

  await data.zoom([8, 12], ["a"]);
  data.append([point("a", 11), point("a", 30)]);

  assert.deepEqual(data.series("a").steps, [8, 9, 10, 11]);
  data.unzoom();
  assert.deepEqual(data.series("a").steps, [0, 10, 11, 20, 30]);
});

test("of two zooms the later one counts, whichever answer comes last", async () => {
  const { asked, load } = slowLoader();
  const data = await loaded({ a: columns([0]) });
  data.load = load;

  const first = data.zoom([0, 50], ["a"]);
  const second = data.zoom([0, 5], ["a"]);
  asked[1].answer({ a: columns([1]) });
  asked[0].answer({ a: columns([40]) });
  await Promise.all([first, second]);

  assert.deepEqual(data.series("a").steps, [1]);
});

test("a long live tail is thinned and keeps its spike", async () => {
  const data = await loaded({ a: columns([]) });

  data.append([...Array(LIVE_LIMIT + 1).keys()].map((step) => point("a", step, step === 99 ? 1e6 : 0)));

  assert.ok(data.series("a").steps.length <= LIVE_LIMIT / 2 + 10);
  assert.ok(data.series("a").values.includes(1e6));
});

test("what a zoom could add is what was logged and is not there", async () => {
  const thinned = await loaded({ a: columns([0, 2, 5]), b: columns([0, 1]) });
  const replaced = await loaded({ a: columns([0, 1, 2]), b: columns([]) });

  assert.equal(thinned.countHidden(11), 6);
  assert.equal(thinned.countHidden(4), 0);
  assert.equal(replaced.countHidden(11), 0);
});
