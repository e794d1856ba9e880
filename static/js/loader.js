// Fetches points: charts that ask in the same moment share a request.

import { decode } from "../vendor/msgpack.js";
import { seriesQuery } from "./series-query.js";

const PATIENCE_MS = 20;
const METRICS_PER_REQUEST = 12; // the first charts appear while the others still load
const SERIES_PER_REQUEST = 40; // an answer is taken apart in one go, which must not be felt
const NEEDS_JSON = "__proto__"; // a name that the MessagePack decoder refuses, with all that comes beside it

let queue = [];

/** The columns of one metric: {run or group: columns}. `way`: {x, smooth, group, range}. */
export const loadSeries = (metric, keys, way) =>
  new Promise((resolve, reject) => {
    if (!queue.length) setTimeout(flush, PATIENCE_MS);
    const format = way.group || [metric, ...keys].includes(NEEDS_JSON) ? "json" : "msgpack";
    queue.push({ metric, keys, way: { ...way, format }, batch: JSON.stringify([keys, way, format]), resolve, reject });
  });

const flush = () => {
  const batches = Map.groupBy(queue, ({ batch }) => batch);
  queue = [];
  for (const asked of batches.values()) {
    const size = Math.max(1, Math.min(METRICS_PER_REQUEST, Math.floor(SERIES_PER_REQUEST / asked[0].keys.length)));
    while (asked.length) answer(asked.splice(0, size));
  }
};

const answer = async (asked) => {
  try {
    const metrics = await fetchMetrics(asked.map(({ metric }) => metric), asked[0]);
    for (const { metric, resolve } of asked) resolve(Object.hasOwn(metrics, metric) ? metrics[metric] : {});
  } catch (error) {
    for (const { reject } of asked) reject(error);
  }
};

const fetchMetrics = async (names, { keys, way }) => {
  const { api } = document.querySelector("#chart-grid").dataset;
  const response = await fetch(`${api}/metrics?${seriesQuery(names, keys, way)}`);
  if (!response.ok) throw new Error(await reasonOf(response));
  const body = way.format === "json" ? await response.json() : decode(await response.arrayBuffer());
  return body.metrics;
};

/** What the server says is wrong: a mistake in the link, most likely. */
const reasonOf = async (response) => {
  const answered = `The server answered ${response.status}`;
  if (response.status !== 400) return answered;
  const problem = await response.json().catch(() => ({}));
  const reasons = Object.values(problem).flat().filter((word) => typeof word === "string");
  return reasons.join(" ") || answered;
};
