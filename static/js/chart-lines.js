// What a chart draws: lines for each run or group, raw or smoothed; no DOM.

import { align, nearest } from "./series.js";
import { smooth, spacing } from "./smoothing.js";

/**
 * The lines of runs that have points, the first run last, so that it lies on top: with `series`,
 * `isOld` where the run was started again later and, where `smoothing` asks for it, `smoothed`
 * values: the server's if they were asked for with this weight (`exact`), about the same if not.
 * `smoothing`: {weight, exact, share}; `share`: how much of what was logged is in the series.
 */
export const makeLines = (runs, segmentsOf, smoothing) =>
  runs.toReversed().flatMap((run) =>
    (segmentsOf(run.key) ?? [])
      .filter(({ xs }) => xs.length)
      .map((series, i, all) => makeLine({ ...run, series, isOld: i < all.length - 1 }, smoothing)),
  );

const makeLine = (line, { weight, exact, share }) => {
  if (!weight) return line;
  const { series } = line;
  const smoothed = exact === weight && series.smoothed ? series.smoothed : smooth(series, weight, spacing(series, share));
  return { ...line, smoothed };
};

/** What uPlot draws, one below the other: [{line, kind: "low" | "high" | "raw" | "smoothed", xs, values}]. */
export const tracksOf = (lines) => {
  const track = (line, kind, values) => ({ line, kind, xs: line.series.xs, values });
  const smoothed = lines.filter((line) => line.smoothed);
  return [
    ...lines.filter(({ series }) => series.low).flatMap((line) => [track(line, "low", line.series.low), track(line, "high", line.series.high)]),
    ...lines.map((line) => track(line, "raw", line.series.values)),
    ...smoothed.map((line) => track(line, "smoothed", line.smoothed)),
  ];
};

/** uPlot's columns: the xs, then every track. */
export const plotColumns = (tracks, isLog) => align(tracks, isLog ? (value) => value <= 0 : undefined);

/** What each run reads at x, its newest segment there, greatest first: [{line, at, value, smoothed, low, high}]. */
export const readings = (lines, x) => {
  const newest = new Map();
  for (const line of lines) {
    const place = nearest(line.series, x);
    if (place >= 0) newest.set(line.key, readingOf(line, place));
  }
  return [...newest.values()].sort((a, b) => height(b) - height(a));
};

const readingOf = (line, place) => {
  const { xs, values, low, high } = line.series;
  return { line, at: xs[place], value: values[place], smoothed: line.smoothed?.[place], low: low?.[place], high: high?.[place] };
};

/** NaN stands below everything. */
const height = ({ value, smoothed }) => {
  const read = smoothed ?? value;
  return Number.isNaN(read) ? -Number.MAX_VALUE : Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, read));
};

/** The newest point's time in UNIX ms, or null. */
export const newestTime = (lines) => {
  const times = lines.map(({ series }) => series.times.at(-1)).filter(Number.isFinite);
  return times.length ? Math.max(...times) : null;
};
