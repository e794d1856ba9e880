import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { loadSeries } from "../../static/js/loader.js";
import { encode } from "../../static/vendor/msgpack.js";

const COLUMNS = { steps: [1], values: [NaN], timestamps: [5] };
const WAY = { x: "step", smooth: 0, group: "", range: null };
let asked = [];

globalThis.document = { querySelector: () => ({ dataset: { api: "/api/projects/p/runs" } }) };

const answerWith = (status, metrics) => {
  globalThis.fetch = async (address) => {
    const url = new URL(address, "http://localhost");
    asked.push(url);
    const body = { project: "p", metrics };
    return new Response(url.searchParams.get("format") === "json" ? JSON.stringify(body) : encode(body), { status });
  };
};

beforeEach(() => {
  asked = [];
});

test("charts that ask together share a request, and each gets its own metric", async () => {
  answerWith(200, { loss: { a: COLUMNS } });

  const answers = await Promise.all([loadSeries("loss", ["a", "b"], WAY), loadSeries("acc", ["a", "b"], WAY)]);

  assert.deepEqual(answers, [{ a: COLUMNS }, {}]);
  assert.equal(asked.length, 1);
  assert.equal(asked[0].pathname, "/api/projects/p/runs/metrics");
  assert.equal(asked[0].search, "?runs=a%2Cb&format=msgpack&metric=loss&metric=acc&totals=1&segments=1");
});

test("a zoom asks for its range, rounded outwards", async () => {
  answerWith(200, {});

  await Promise.all([loadSeries("loss", ["a"], WAY), loadSeries("loss", ["a"], { ...WAY, range: [1.5, 7.2] })]);

  assert.deepEqual(asked.map(({ searchParams }) => [searchParams.get("x_min"), searchParams.get("x_max")]), [
    [null, null],
    ["1", "8"],
  ]);
});

test("many charts come in several requests", async () => {
  answerWith(200, {});

  await Promise.all([...Array(25).keys()].map((number) => loadSeries(`m${number}`, ["a"], WAY)));

  assert.deepEqual(asked.map(({ searchParams }) => searchParams.getAll("metric").length), [12, 12, 1]);
});

test("a metric with a comma in its name is asked for by its whole name", async () => {
  answerWith(200, { "a,b": { r: COLUMNS } });

  assert.deepEqual(await loadSeries("a,b", ["r"], WAY), { r: COLUMNS });
  assert.deepEqual(asked[0].searchParams.getAll("metric"), ["a,b"]);
});

test("a name the decoder refuses comes on its own, and the others as ever", async () => {
  answerWith(200, JSON.parse('{"__proto__": {"r": {"steps": [7]}}}'));

  assert.deepEqual(await loadSeries("__proto__", ["r"], WAY), { r: { steps: [7] } });

  answerWith(200, { loss: { r: COLUMNS } });
  const answers = await Promise.all([loadSeries("loss", ["r"], WAY), loadSeries("__proto__", ["r"], WAY)]);

  assert.deepEqual(answers, [{ r: COLUMNS }, {}]);
  assert.deepEqual(asked.map(({ searchParams }) => searchParams.get("format")), ["json", "msgpack", "json"]);
});

test("a run the decoder refuses brings its whole answer as JSON", async () => {
  answerWith(200, { loss: JSON.parse('{"__proto__": {"steps": [7]}}') });

  const columns = await loadSeries("loss", ["a", "__proto__"], WAY);

  assert.deepEqual(Object.entries(columns), [["__proto__", { steps: [7] }]]);
});

test("a metric without points is empty, whatever its name", async () => {
  answerWith(200, {});

  assert.deepEqual(await loadSeries("constructor", ["r"], WAY), {});
});

test("a refusal reaches every chart that asked", async () => {
  answerWith(503, {});

  const answers = await Promise.allSettled([loadSeries("loss", ["a"], WAY), loadSeries("acc", ["a"], WAY)]);

  assert.deepEqual(answers.map(({ reason }) => reason.message), ["The server answered 503", "The server answered 503"]);
});

test("the more runs, the fewer metrics come in one answer", async () => {
  answerWith(200, {});
  const keys = [...Array(20).keys()].map((number) => `run-${number}`);

  await Promise.all(["a", "b", "c"].map((metric) => loadSeries(metric, keys, WAY)));

  assert.deepEqual(asked.map(({ searchParams }) => searchParams.getAll("metric")), [["a", "b"], ["c"]]);
});

test("a refused link says why", async () => {
  globalThis.fetch = async () => new Response(JSON.stringify({ x: ["No such axis."] }), { status: 400 });

  await assert.rejects(loadSeries("loss", ["a"], WAY), new Error("No such axis."));
});
