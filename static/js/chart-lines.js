// What a chart draws: a line for each run, raw or smoothed; no DOM.

import { count } from "./format.js";
import { align, nearest, oddPoints } from "./series.js";
import { smooth, spacing } from "./smoothing.js";

const COUNTED_ODD = ["NaN", "∞", "-∞"];

/**
 * The runs that have points, the first one last, so that it lies on top: with `series` and, where
 * `weight` asks for it, `smoothed` values.
 * `share`: how much of what was logged is in the series, the rest was left out by the server.
 */
export const makeLines = (runs, seriesOf, weight, share) =>
  runs
    .toReversed()
    .map((run) => ({ ...run, series: seriesOf(run.key) }))
    .filter(({ series }) => series?.steps.length)
    .map((line) => {
      if (!weight) return line;
      return { ...line, smoothed: smooth(line.series, weight, spacing(line.series, share)) };
    });

/** uPlot's columns: the steps, every raw line, then every smoothed one. */
export const plotColumns = (lines, isLog) => {
  const smoothed = lines.filter((line) => line.smoothed);
  const steps = [...lines, ...smoothed].map(({ series }) => series.steps);
  const values = [...lines.map(({ series }) => series.values), ...smoothed.map((line) => line.smoothed)];
  return align(steps, values, isLog ? (value) => value <= 0 : undefined);
};

/** What each line reads at the step, greatest first: [{line, at, value, smoothed}]. */
export const readings = (lines, step) =>
  lines
    .map((line) => ({ line, place: nearest(line.series, step) }))
    .filter(({ place }) => place >= 0)
    .map(({ line, place }) => ({
      line,
      at: line.series.steps[place],
      value: line.series.values[place],
      smoothed: line.smoothed?.[place],
    }))
    .sort((a, b) => height(b) - height(a));

/** NaN stands below everything. */
const height = ({ value, smoothed }) => {
  const read = smoothed ?? value;
  return Number.isNaN(read) ? -Number.MAX_VALUE : Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, read));
};

export const countPoints = (lines) => lines.reduce((sum, { series }) => sum + series.steps.length, 0);

/** The newest point's time in UNIX ms, or null. */
export const newestTime = (lines) => {
  const times = lines.map(({ series }) => series.times.at(-1));
  return times.length ? Math.max(...times) : null;
};

/** How much of what was logged the picture shows, and what it cannot show. */
export const noteText = (lines, { hiddenCount, isLog, isZoomed }) => {
  const shown = countPoints(lines);
  if (!shown) return "No points";
  return [resolution(shown, hiddenCount, isZoomed), ...oddities(lines, isLog)].join(" · ");
};

const resolution = (shown, hiddenCount, isZoomed) => {
  if (isZoomed) return `${count(shown)} points in range`;
  if (hiddenCount <= 0) return `${count(shown)} ${shown === 1 ? "point" : "points"}`;
  return `${count(shown)} of ${count(shown + hiddenCount)} points · zoom for all`;
};

const oddities = (lines, isLog) => {
  const kinds = lines.flatMap(({ series }) => oddPoints(series).map(({ kind }) => kind));
  const counted = COUNTED_ODD.map((kind) => [kinds.filter((one) => one === kind).length, kind]);
  const notes = counted.filter(([number]) => number).map(([number, kind]) => `${count(number)} ${kind}`);
  const below = isLog ? countBelowZero(lines) : 0;
  return below ? [...notes, `${count(below)} ≤ 0 not on a log axis`] : notes;
};

const countBelowZero = (lines) =>
  lines.reduce((sum, { series }) => sum + series.values.filter((value) => value <= 0 && value > -Infinity).length, 0);
