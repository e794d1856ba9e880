import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { loadSeries } from "../../static/js/loader.js";
import { encode } from "../../static/vendor/msgpack.js";

const COLUMNS = { steps: [1], values: [NaN], timestamps: [5] };
let asked = [];

globalThis.document = { querySelector: () => ({ dataset: { api: "/api/projects/p/runs" } }) };

const answerWith = (status, metrics) => {
  globalThis.fetch = async (address) => {
    asked.push(new URL(address, "http://localhost"));
    return new Response(encode({ project: "p", metrics }), { status });
  };
};

beforeEach(() => {
  asked = [];
});

test("charts that ask together share a request, and each gets its own metric", async () => {
  answerWith(200, { loss: { a: COLUMNS } });

  const answers = await Promise.all([loadSeries("loss", ["a", "b"], null), loadSeries("acc", ["a", "b"], null)]);

  assert.deepEqual(answers, [{ a: COLUMNS }, {}]);
  assert.equal(asked.length, 1);
  assert.equal(asked[0].pathname, "/api/projects/p/runs/metrics");
  assert.deepEqual(Object.fromEntries(asked[0].searchParams), { runs: "a,b", format: "msgpack", metrics: "loss,acc" });
});

test("a zoom asks for its range, rounded outwards", async () => {
  answerWith(200, {});

  await Promise.all([loadSeries("loss", ["a"], null), loadSeries("loss", ["a"], [1.5, 7.2])]);

  assert.deepEqual(asked.map(({ searchParams }) => [searchParams.get("x_min"), searchParams.get("x_max")]), [
    [null, null],
    ["1", "8"],
  ]);
});

test("many charts come in several requests", async () => {
  answerWith(200, {});

  await Promise.all([...Array(25).keys()].map((number) => loadSeries(`m${number}`, ["a"], null)));

  assert.deepEqual(asked.map(({ searchParams }) => searchParams.get("metrics").split(",").length), [12, 12, 1]);
});

test("a metric with a comma in its name is picked out of all of them", async () => {
  answerWith(200, { "a,b": { r: COLUMNS } });

  assert.deepEqual(await loadSeries("a,b", ["r"], null), { r: COLUMNS });
  assert.equal(asked[0].searchParams.has("metrics"), false);
});

test("a refusal reaches every chart that asked", async () => {
  answerWith(503, {});

  const answers = await Promise.allSettled([loadSeries("loss", ["a"], null), loadSeries("acc", ["a"], null)]);

  assert.deepEqual(answers.map(({ reason }) => reason.message), ["The server answered 503", "The server answered 503"]);
});
