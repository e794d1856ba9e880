import assert from "node:assert/strict";
import { test } from "node:test";

import { ChartData } from "../../static/js/chart-data.js";
import { columns, drawn, loaded, slowLoader, WAY } from "./points.js";

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
