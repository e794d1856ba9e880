// Where the dots of a scatter plot lie; no DOM.

import { isMissing, makeColors, makeScale } from "./compare-scales.js";

const LEFT = 64;
const RIGHT = 16;
const TOP = 12;
const BOTTOM = 44;

/** The plot within a chart of that size. */
const plotBox = ({ width, height }) => ({
  left: LEFT,
  top: TOP,
  width: Math.max(40, width - LEFT - RIGHT),
  height: Math.max(40, height - TOP - BOTTOM),
});

const column = (runs, place) => runs.map(({ values }) => values[place]);

/**
 * `data`: the plot's JSON. `look`: {size, logH, logV, series: [colour…], none}.
 * Returns {plot, dots: [{run, x, y, color}], missing, xTicks, yTicks, xTitle, yTitle, legend}.
 */
export const scatterDots = ({ fields, runs }, { size, logH, logV, series, none }) => {
  const plot = plotBox(size);
  const [across, up, color] = fields;
  const h = makeScale(column(runs, 0), { kind: across.kind, isLog: logH });
  const v = makeScale(column(runs, 1), { kind: up.kind, isLog: logV });
  const colors = color && makeColors(column(runs, 2), color.kind, series, none);
  const all = runs.map((run) => ({
    run,
    x: h.at(run.values[0]) * plot.width,
    y: (1 - v.at(run.values[1])) * plot.height,
    color: colors ? colors.of(run.values[2]) : series[run.color % series.length],
  }));
  const dots = all.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
  const lacking = runs.filter(({ values }) => isMissing(values[0]) || isMissing(values[1])).length;
  return {
    plot,
    dots,
    missing: lacking,
    offLog: runs.length - dots.length - lacking,
    xTicks: h.ticks.map(({ share, label }) => ({ at: share * plot.width, label })),
    yTicks: v.ticks.map(({ share, label }) => ({ at: (1 - share) * plot.height, label })),
    xTitle: across.label,
    yTitle: up.label,
    legend: colors ? colors.legend : [],
  };
};

/** What stands above the plot. */
export const scatterNote = ({ dots, missing, offLog }) =>
  [
    `${dots.length} of ${dots.length + missing + offLog} runs`,
    ...(missing ? [`${missing} without one of the values`] : []),
    ...(offLog ? [`${offLog} ≤ 0 not on a log axis`] : []),
  ].join(" · ");
