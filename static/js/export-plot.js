// What a uPlot shows, as parts of a picture; no DOM.

import { strokesOf } from "./export-picture.js";

const BAND_ALPHA = 0.15;

/** {size, plot, xTicks, yTicks, lines, shapes, legend}. `scale`: device pixels in a CSS pixel. */
export const plotParts = (plot, lines, scale) => {
  const { bbox, series } = plot;
  const xAt = (value) => plot.valToPos(value, "x");
  const yAt = (value) => plot.valToPos(value, "y");
  const inPlot = { left: bbox.left / scale, top: bbox.top / scale, width: bbox.width / scale, height: bbox.height / scale };
  return {
    size: { width: plot.width, height: plot.height },
    plot: inPlot,
    xTicks: ticksOf(plot.axes[0], xAt, inPlot.width),
    yTicks: ticksOf(plot.axes[1], yAt, inPlot.height),
    lines: series.slice(1).flatMap((one, i) => (one.show === false ? [] : [lineOf(plot, one, i + 1, xAt, yAt)])),
    shapes: (plot.bands ?? []).flatMap((band) => bandShapes(plot, band, xAt, yAt)),
    legend: lines.toReversed().map(({ name, color, dash }) => ({ name, color, dash })),
  };
};

const lineOf = (plot, { stroke, width, dash, alpha }, place, xAt, yAt) => ({
  color: colorOf(stroke, plot, place),
  width,
  dash: dash ?? [],
  alpha: alpha ?? 1,
  strokes: strokesOf(plot.data[0], plot.data[place], xAt, yAt),
});

/** uPlot makes functions of colours. */
const colorOf = (color, plot, place) => (typeof color === "function" ? color(plot, place) : color);

const ticksOf = ({ _splits: splits, _values: labels }, at, length) =>
  (splits ?? [])
    .map((value, i) => ({ at: value === null ? NaN : at(value), label: labels?.[i] ?? "" }))
    .filter((tick) => tick.at >= -0.5 && tick.at <= length + 0.5);

/** The area between two series. */
const bandShapes = (plot, { series: [upper, lower], fill }, xAt, yAt) => {
  const [xs] = plot.data;
  const edge = (place) => strokesOf(xs, plot.data[place], xAt, yAt).flat();
  const points = [...edge(upper), ...edge(lower).toReversed()];
  if (points.length < 3) return [];
  return [{ kind: "area", points, color: colorOf(fill, plot, upper), alpha: BAND_ALPHA, inPlot: true }];
};
