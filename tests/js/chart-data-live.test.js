import assert from "node:assert/strict";
import { test } from "node:test";

import { ChartData } from "../../static/js/chart-data.js";
import { LIVE_LIMIT } from "../../static/js/layer.js";
import { columns, drawn, loaded, point, slowLoader, WAY, zoomed } from "./points.js";

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
