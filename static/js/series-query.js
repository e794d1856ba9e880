// What the metrics API is asked; no DOM.

const POINTS_PER_CHART = 20_000; // more than a screen has columns for; uPlot lays them all side by side
const LEAST_POINTS = 200;
const MANY_RUNS = 20;

/** How many points of each run are enough; null: as many as the server likes to send. */
export const pointLimit = (runCount) =>
  runCount > MANY_RUNS ? Math.max(LEAST_POINTS, Math.floor(POINTS_PER_CHART / runCount)) : null;

/** The query for metrics of runs. `way`: {x, smooth, group, range}, all of them optional. */
export const seriesQuery = (names, keys, { x = "step", smooth = 0, group = "", range = null, format = "msgpack" }) => {
  const query = new URLSearchParams({ runs: keys.join(","), format });
  names.forEach((name) => query.append("metric", name));
  if (x !== "step") query.set("x", x);
  if (smooth) query.set("smooth", smooth);
  if (group) query.set("group", group);
  else query.set("totals", 1);
  if (!group && !x.startsWith("metric:")) query.set("segments", 1);
  const limit = group ? null : pointLimit(keys.length);
  if (limit && format !== "json") query.set("max_points", limit);
  if (range) {
    const [from, to] = x === "step" ? [Math.floor(range[0]), Math.ceil(range[1])] : range;
    query.set("x_min", from);
    query.set("x_max", to);
  }
  return query;
};
