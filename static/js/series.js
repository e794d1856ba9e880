// One run's points of one metric, ascending steps, each step once; no DOM.
// A series is {steps, values, times}: three arrays of one length, times in UNIX ms.

/** The API's columns as a series. `null` is how JSON writes a NaN. */
export const fromColumns = ({ steps, values, timestamps }) => ({
  steps: [...steps],
  values: values.map((value) => (value === null ? NaN : value)),
  times: [...timestamps],
});

/** Put a point in its place; a point of the same step gives way to it. */
export const addPoint = (series, step, value, time) => {
  const { steps, values, times } = series;
  let place = steps.length;
  if (place && step <= steps[place - 1]) place = lowerBound(steps, step);
  const replaced = steps[place] === step ? 1 : 0;
  steps.splice(place, replaced, step);
  values.splice(place, replaced, value);
  times.splice(place, replaced, time);
};

/** The first place whose step is not below `step`. */
export const lowerBound = (steps, step) => {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle] < step) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** The place of the point nearest to `step`, or -1 where the series has not begun or has ended. */
export const nearest = ({ steps }, step) => {
  if (!steps.length || step < steps[0] || step > steps[steps.length - 1]) return -1;
  const place = lowerBound(steps, step);
  return place && step - steps[place - 1] < steps[place] - step ? place - 1 : place;
};

/**
 * About `limit` points that draw the same picture: each stretch keeps its lowest and its highest
 * value and everything that is not finite.
 */
export const thin = (series, limit) => {
  const total = series.steps.length;
  if (total <= limit) return series;
  const size = Math.ceil((2 * total) / limit);
  const keep = new Set([0, total - 1]);
  for (let start = 0; start < total; start += size) {
    keepExtremes(series.values, start, Math.min(start + size, total), keep);
  }
  const places = [...keep].sort((a, b) => a - b);
  const pick = (column) => places.map((place) => column[place]);
  return { steps: pick(series.steps), values: pick(series.values), times: pick(series.times) };
};

const keepExtremes = (values, start, end, keep) => {
  let low = -1;
  let high = -1;
  for (let i = start; i < end; i += 1) {
    if (!Number.isFinite(values[i])) keep.add(i);
    else {
      if (low < 0 || values[i] < values[low]) low = i;
      if (high < 0 || values[i] > values[high]) high = i;
    }
  }
  if (low >= 0) keep.add(low).add(high);
};

/**
 * uPlot's form: the steps of all series, then a column for each. `undefined` is a step the series
 * does not have, `null` a gap in the line: NaN, infinite, or what `hides` tells to leave out.
 */
export const align = (steps, columns, hides = () => false) => {
  const union = Float64Array.from(new Set(steps.flat())).sort();
  const aligned = columns.map((values, which) => {
    const column = new Array(union.length).fill(undefined);
    let place = 0;
    steps[which].forEach((step, i) => {
      while (union[place] < step) place += 1;
      column[place] = Number.isFinite(values[i]) && !hides(values[i]) ? values[i] : null;
    });
    return column;
  });
  return [union, ...aligned];
};

/** The points that no line can show: [{step, kind: "NaN" | "∞" | "-∞"}]. */
export const oddPoints = ({ steps, values }) =>
  steps.flatMap((step, i) => {
    const value = values[i];
    if (Number.isFinite(value)) return [];
    return [{ step, kind: Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "-∞" }];
  });

/** Steps of values that have no neighbour a line could be drawn to. */
export const lonelySteps = ({ steps, values }) =>
  steps.filter((_, i) => Number.isFinite(values[i]) && !Number.isFinite(values[i - 1]) && !Number.isFinite(values[i + 1]));
