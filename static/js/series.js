// Points of one run and one metric that one line draws, in the order of the x axis; no DOM.
// A series has arrays of one length: xs, steps, values, times (UNIX ms), and where they were asked
// for `smoothed`, or for a group of runs `low` and `high`.

const COLUMNS = ["xs", "steps", "values", "times", "smoothed", "low", "high"];

/** The API's columns as series: one for each restart, the newest last. */
export const fromColumns = (columns, isOnSteps = true) => {
  const steps = columns.steps ?? columns.x;
  const whole = {
    xs: [...(isOnSteps ? steps : columns.x ?? steps)],
    steps: [...steps],
    values: numbers(columns.values ?? columns.mean),
    times: [...(columns.timestamps ?? [])],
    ...(columns.smoothed && { smoothed: numbers(columns.smoothed) }),
    ...(columns.mean && { low: numbers(columns.min), high: numbers(columns.max), runCount: columns.runs }),
  };
  const { starts } = columns;
  if (!starts) return [whole];
  return starts.map((start, i) => mapColumns(whole, (column) => column.slice(start, starts[i + 1])));
};

export const emptySeries = ({ smoothed } = {}) => ({ xs: [], steps: [], values: [], times: [], ...(smoothed && { smoothed: [] }) });

/** `null` is how JSON writes a NaN. */
const numbers = (column) => Array.from(column, (value) => (value === null ? NaN : value));

export const mapColumns = (series, change) => {
  const changed = COLUMNS.filter((name) => series[name]).map((name) => [name, change(series[name])]);
  return Object.fromEntries(changed);
};

/** Put a point {x, step, value, time, smoothed} in its place; returns whether one of the same x gave way to it. */
export const addPoint = (series, point) => {
  const { xs } = series;
  let place = xs.length;
  if (place && point.x <= xs[place - 1]) place = lowerBound(xs, point.x);
  const replaced = xs[place] === point.x ? 1 : 0;
  xs.splice(place, replaced, point.x);
  series.steps.splice(place, replaced, point.step);
  series.values.splice(place, replaced, point.value);
  series.times.splice(place, replaced, point.time);
  series.smoothed?.splice(place, replaced, point.smoothed);
  return replaced === 1;
};

/** The first place whose x is not below `x`. */
const lowerBound = (xs, x) => {
  let low = 0;
  let high = xs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xs[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** The places of a range, its ends included: [first, beyond the last]. */
export const placesIn = (xs, [from, to]) => {
  let end = lowerBound(xs, to);
  while (xs[end] === to) end += 1;
  return [lowerBound(xs, from), end];
};

/** The place of the point nearest to `x`, or -1 where the series has not begun or has ended. */
export const nearest = ({ xs }, x) => {
  if (!xs.length || x < xs[0] || x > xs[xs.length - 1]) return -1;
  const place = lowerBound(xs, x);
  return place && x - xs[place - 1] < xs[place] - x ? place - 1 : place;
};

/**
 * uPlot's form: the xs of all series, then a column for each of `tracks` [{xs, values}].
 * `undefined` is an x the series does not have, `null` a gap in the line: NaN, infinite, or what
 * `hides` tells to leave out.
 */
export const align = (tracks, hides = () => false) => {
  const union = unionOf(new Set(tracks.map(({ xs }) => xs)));
  const columns = tracks.map(({ xs, values }) => {
    const column = new Array(union.length).fill(undefined);
    let place = 0;
    xs.forEach((x, i) => {
      while (union[place] < x) place += 1;
      column[place] = Number.isFinite(values[i]) && !hides(values[i]) ? values[i] : null;
    });
    return column;
  });
  return [union, ...columns];
};

const unionOf = (lists) => {
  const all = new Float64Array([...lists].reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const list of lists) {
    all.set(list, end);
    end += list.length;
  }
  return all.sort().filter((x, i, sorted) => x !== sorted[i - 1] && !Number.isNaN(x));
};

/** The points that no line can show: [{x, kind: "NaN" | "∞" | "-∞"}]. */
export const oddPoints = ({ xs, values }) => {
  const odd = [];
  values.forEach((value, i) => {
    if (!Number.isFinite(value)) odd.push({ x: xs[i], kind: Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "-∞" });
  });
  return odd;
};

/** Places in one of uPlot's columns of values that have no neighbour a line could lead to. */
export const lonelyPlaces = (column) => {
  const places = [];
  let before = null; // the value before, past steps that the series does not have
  let lonely = -1;
  column.forEach((value, place) => {
    if (value === undefined) return;
    if (lonely >= 0 && value === null) places.push(lonely);
    lonely = value !== null && before === null ? place : -1;
    before = value;
  });
  if (lonely >= 0) places.push(lonely);
  return places;
};
