// Fetches points: charts that ask in the same moment share a request.

import { decode } from "../vendor/msgpack.js";

const PATIENCE_MS = 20;
const METRICS_PER_REQUEST = 12; // the first charts appear while the others still load
const NEEDS_JSON = "__proto__"; // a name that the MessagePack decoder refuses, with all that comes beside it

let queue = [];

/** The columns of one metric: {run: {steps, values, timestamps}}. `range`: steps, or null for all. */
export const loadSeries = (metric, keys, range) =>
  new Promise((resolve, reject) => {
    if (!queue.length) setTimeout(flush, PATIENCE_MS);
    const format = [metric, ...keys].includes(NEEDS_JSON) ? "json" : "msgpack";
    queue.push({ metric, resolve, reject, group: JSON.stringify([keys, range, format]), keys, range, format });
  });

const flush = () => {
  const groups = Map.groupBy(queue, ({ group }) => group);
  queue = [];
  for (const asked of groups.values()) {
    while (asked.length) answer(asked.splice(0, METRICS_PER_REQUEST));
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

const fetchMetrics = async (names, { keys, range, format }) => {
  const query = new URLSearchParams({ runs: keys.join(","), format });
  names.forEach((name) => query.append("metric", name));
  if (range) {
    query.set("x_min", Math.floor(range[0]));
    query.set("x_max", Math.ceil(range[1]));
  }
  const { api } = document.querySelector("#chart-grid").dataset;
  const response = await fetch(`${api}/metrics?${query}`);
  if (!response.ok) throw new Error(`The server answered ${response.status}`);
  const body = format === "json" ? await response.json() : decode(await response.arrayBuffer());
  return body.metrics;
};
