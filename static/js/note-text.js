// The words below a chart: how much of what was logged it shows, and what it cannot show; no DOM.

import { count, figure } from "./format.js";
import { oddPoints, placesIn } from "./series.js";

const COUNTED_ODD = ["NaN", "∞", "-∞"];

/**
 * `range`: the zoom or null; `hiddenCount`: points in it that are not drawn, null while nobody knows;
 * `outsideCount`: points that are beyond the y axis.
 */
export const noteText = (lines, { hiddenCount = 0, isLog = false, range = null, outsideCount = 0 }) => {
  const shown = countPoints(lines, range);
  if (!countPoints(lines)) return "No points";
  const notes = [resolution(lines, shown, hiddenCount, range), ...oddities(lines)];
  const below = isLog ? countBelowZero(lines) : 0;
  if (below) notes.push(`${count(below)} ≤ 0 not on a log axis`);
  if (outsideCount) notes.push(`${count(outsideCount)} ${outsideCount === 1 ? "outlier" : "outliers"} hidden`);
  return notes.join(" · ");
};

const MOST_DESCRIBED = 12;

/** The chart for those who do not see it: where each line ends. */
export const describe = (metric, lines) => {
  const ends = new Map(lines.map(({ key, name, series }) => [key, `${name} ${figure(series.values.at(-1))}`]));
  const words = [...ends.values()].reverse();
  const more = words.length - MOST_DESCRIBED;
  return `Line chart of ${metric}. Last values: ${words.slice(0, MOST_DESCRIBED).join(", ") || "none"}${more > 0 ? ` and ${more} more` : ""}.`;
};

/** What the lines read at a place, for those who hear it. */
export const spokenReading = (place, rows) => {
  const words = rows.slice(0, MOST_DESCRIBED).map(({ line, value, smoothed }) => `${line.name} ${figure(smoothed ?? value)}`);
  const more = rows.length - MOST_DESCRIBED;
  return `${place}: ${words.join(", ") || "no points"}${more > 0 ? ` and ${more} more` : ""}`;
};

export const countPoints = (lines, range = null) =>
  lines.reduce((sum, { series: { xs } }) => {
    const [start, end] = range ? placesIn(xs, range) : [0, xs.length];
    return sum + end - start;
  }, 0);

const resolution = (lines, shown, hiddenCount, range) => {
  if (lines[0].runCount) return groupWords(lines);
  const place = range ? " in range" : "";
  if (hiddenCount) return `${count(shown)} of ${count(shown + hiddenCount)} points${place} · zoom for all`;
  return `${count(shown)} ${shown === 1 ? "point" : "points"}${place}${hiddenCount === null ? " · loading more" : ""}`;
};

const groupWords = (lines) => {
  const runs = lines.reduce((sum, { runCount }) => sum + runCount, 0);
  return `${count(runs)} ${runs === 1 ? "run" : "runs"} in ${count(lines.length)} ${lines.length === 1 ? "group" : "groups"}`;
};

const oddities = (lines) => {
  const kinds = lines.flatMap(({ series }) => oddPoints(series).map(({ kind }) => kind));
  const counted = COUNTED_ODD.map((kind) => [kinds.filter((one) => one === kind).length, kind]);
  return counted.filter(([number]) => number).map(([number, kind]) => `${count(number)} ${kind}`);
};

const countBelowZero = (lines) =>
  lines.reduce((sum, { series }) => sum + series.values.filter((value) => value <= 0 && value > -Infinity).length, 0);
