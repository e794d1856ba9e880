// Parallel coordinates: an axis for each field, a line for each run; no DOM.

import { makeColors, makeScale } from "./compare-scales.js";

const SIDE = 72; // room for the first and the last axis' labels
const TOP = 36;
const BOTTOM = 16;
const LEAST_GAP = 96; // between two axes; a plot with more of them is wider than its box
const LONGEST = 18; // letters of a tick's label: the next axis is near
const LIFT = 0.5; // where a run without a value passes: below the axis

export const parallelWidth = (count, width) => Math.max(width, 2 * SIDE + (count - 1) * LEAST_GAP);

/**
 * `data`: the plot's JSON. `look`: {size, series, none}.
 * Returns {plot, axes: [{name, label, x, ticks: [{y, label}]}], lines: [{run, color, points, shares}], legend}.
 */
export const parallelAxes = ({ fields, runs }, { size, series, none }) => {
  const plot = { left: SIDE, top: TOP, width: size.width - 2 * SIDE, height: size.height - TOP - BOTTOM };
  const columns = fields.map((_, place) => runs.map(({ values }) => values[place]));
  const scales = fields.map(({ kind }, place) => makeScale(columns[place], { kind, isLog: isSpread(columns[place], kind) }));
  const gap = fields.length > 1 ? plot.width / (fields.length - 1) : 0;
  const colors = makeColors(columns.at(-1), fields.at(-1).kind, series, none);
  const axes = fields.map(({ name, label }, place) => ({
    name,
    label,
    x: place * gap,
    ticks: scales[place].ticks.map(({ share, label: text }) => ({ y: (1 - share) * plot.height, label: shortened(text) })),
  }));
  const lines = runs.map((run) => {
    const shares = run.values.map((value, place) => scales[place].at(value));
    const points = shares.map((share, place) => [place * gap, Number.isFinite(share) ? (1 - share) * plot.height : plot.height + BOTTOM * LIFT]);
    return { run, shares, points, color: colors.of(run.values.at(-1)) };
  });
  return { plot, axes, lines, legend: colors.legend };
};

const shortened = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);

/** Learning rates and the like: above zero, and more than two decades apart. */
export const isSpread = (values, kind) => {
  const numbers = values.filter((value) => typeof value === "number" && Number.isFinite(value));
  if (kind !== "number" || !numbers.length) return false;
  const low = numbers.reduce((a, b) => Math.min(a, b));
  const high = numbers.reduce((a, b) => Math.max(a, b));
  return low > 0 && high / low >= 100;
};

/** Whether the line passes every brush; `brushes`: axis name → [from, to] in shares 0…1. */
export const passes = ({ shares }, axes, brushes) =>
  axes.every(({ name }, place) => {
    const brush = brushes.get(name);
    return !brush || (shares[place] >= brush[0] && shares[place] <= brush[1]);
  });

/** The place of the line next to (x, y), of those that `counts` takes; null where none is near enough. */
export const nearestLine = ({ axes, lines }, x, y, reach, counts = () => true) => {
  const place = axes.findIndex((axis, i) => x >= axis.x && x <= (axes[i + 1]?.x ?? -Infinity));
  if (place < 0) return null;
  const part = (x - axes[place].x) / (axes[place + 1].x - axes[place].x);
  const heightOf = ({ points }) => points[place][1] + (points[place + 1][1] - points[place][1]) * part;
  const away = lines.map((line, i) => (counts(i) ? Math.abs(heightOf(line) - y) : Infinity));
  const least = away.reduce((best, one, i) => (one < away[best] ? i : best), 0);
  return away[least] <= reach ? least : null;
};

/** Brushes as the URL writes them, `0.1,0.5,config.lr`, and back; what is wrong is left out. */
export const brushText = (name, [from, to]) => `${from.toFixed(3)},${to.toFixed(3)},${name}`;

export const readBrushes = (texts) =>
  new Map(
    texts.flatMap((text) => {
      const [from, to, ...name] = text.split(",");
      const range = [Number(from), Number(to)];
      return range.every((share) => share >= 0 && share <= 1) && range[0] < range[1] && name.length ? [[name.join(","), range]] : [];
    }),
  );
