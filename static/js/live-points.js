// What a stream's event brings, sorted by metric; no DOM.

/** Add the points of a `metric` event to a map of metric → [{run, step, value, time}]. */
export const collectPoints = (pending, event) => {
  const time = Date.parse(event.timestamp);
  for (const [metric, word] of Object.entries(event.metrics)) {
    const points = pending.get(metric) ?? [];
    // NaN and infinities come by name, as JSON has no number for them.
    points.push({ run: event.run, step: event.step, value: Number(word), time });
    pending.set(metric, points);
  }
  return pending;
};
