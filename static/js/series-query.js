// What the metrics API is asked; no DOM.

/** The query for metrics of runs. `way`: {x, smooth, group, range}, all of them optional. */
export const seriesQuery = (names, keys, { x = "step", smooth = 0, group = "", range = null, format = "msgpack" }) => {
  const query = new URLSearchParams({ runs: keys.join(","), format });
  names.forEach((name) => query.append("metric", name));
  if (x !== "step") query.set("x", x);
  if (smooth) query.set("smooth", smooth);
  if (group) query.set("group", group);
  else if (!x.startsWith("metric:")) query.set("segments", 1);
  if (range) {
    const [from, to] = x === "step" ? [Math.floor(range[0]), Math.ceil(range[1])] : range;
    query.set("x_min", from);
    query.set("x_max", to);
  }
  return query;
};
