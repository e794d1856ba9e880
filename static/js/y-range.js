// How high and how low a chart reaches; no DOM.

import { placesIn } from "./series.js";

const SHARE = 0.02; // of the values at either end: what may be an outlier
const REACH = 0.5; // an end counts as outliers only if it lies this far beyond the middle's span
const SAMPLE = 8000; // values are sorted for each frame

/** A little room above and below. */
export const valueRange = (min, max) => {
  if (min === null) return [0, 1];
  const room = (max - min) * 0.06 || Math.abs(max) * 0.1 || 1;
  return [min - room, max + room];
};

/** The next round value below and above: where a logarithmic axis has a tick. */
export const logRange = (min, max) => {
  if (min === null) return [1, 10];
  const [low, high] = [min, max].map((value) => 10 ** Math.floor(Math.log10(value)));
  const range = [Math.floor(min / low + 1e-9) * low, Math.ceil(max / high - 1e-9) * high];
  return range[0] < range[1] ? range : [low, high * 10];
};

/**
 * The values without those that lie far out: {min, max, outsideCount}, or null if there are none.
 * `columns` are uPlot's, of which the x of `range` count, or all.
 */
export const robustRange = ([xs, ...columns], range) => {
  const values = drawnValues(xs, columns, range);
  if (values.length < 3) return null;
  const sorted = sample(values).sort();
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
  const [low, high] = [at(SHARE), at(1 - SHARE)];
  const span = high - low;
  if (!span) return null;
  const [from, to] = [low - span * REACH, high + span * REACH];
  const outsideCount = values.reduce((sum, value) => sum + (value < from || value > to), 0);
  return outsideCount ? { ...ends(values, from, to), outsideCount } : null;
};

const drawnValues = (xs, columns, range) => {
  const [start, end] = range ? placesIn(xs, range) : [0, xs.length];
  return columns.flatMap((column) => column.slice(start, end).filter(Number.isFinite));
};

const sample = (values) => {
  const stride = Math.ceil(values.length / SAMPLE);
  return Float64Array.from(stride === 1 ? values : values.filter((_, i) => i % stride === 0));
};

const ends = (values, from, to) => {
  let [min, max] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < from || value > to) continue;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max };
};
