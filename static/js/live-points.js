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

/** The time of the newest of these points, UNIX ms. */
export const newestOf = (byMetric) => {
  let newest = 0;
  for (const points of byMetric.values()) for (const { time } of points) if (time > newest) newest = time;
  return newest;
};

const RUNNING = "wip"; // the word of the stream

/** Whether one of the runs is running, as far as the stream has told. */
export const isTraining = (runs, statuses) => runs.some(({ key }) => statuses.get(key) === RUNNING);

/**
 * Whether the page has to be renewed for a `status` event: streams begin with the status of each run.
 * `told`: run key → what a stream said last; `looksRunning`: what the page says.
 */
export const isNews = (told, { run, status }, looksRunning) =>
  told.has(run) ? told.get(run) !== status : (status === RUNNING) !== looksRunning;
