// What a uPlot shows, as parts of a picture; no DOM.

import { strokesOf } from "./export-picture.js";
import { BAND_ALPHA } from "./plot-tracks.js";
import { oddPoints } from "./series.js";

const EDGE = 6; // where the marks of what has no height stand: CSS pixels from the plot's edge
const MARK = 3; // and from their middle to their own

/** {size, plot, xTitle, xTicks, yTicks, lines, shapes, legend}. `scale`: device pixels in a CSS pixel. */
export const plotParts = (plot, lines, scale) => {
  const { bbox } = plot;
  const inPlot = { left: bbox.left / scale, top: bbox.top / scale, width: bbox.width / scale, height: bbox.height / scale };
  const xAt = (value) => plot.valToPos(value, "x");
  const yAt = (value) => plot.valToPos(value, "y");
  const { axis } = plot.picture ?? {};
  return {
    size: { width: plot.width, height: plot.height },
    plot: inPlot,
    xTitle: axis?.title || axis?.name || "",
    xTicks: ticksOf(plot.axes[0], xAt, inPlot.width),
    yTicks: ticksOf(plot.axes[1], yAt, inPlot.height),
    lines: [...linesOf(plot, xAt, yAt), ...lines.flatMap((line) => marksOf(line, xAt, inPlot))],
    shapes: (plot.bands ?? []).flatMap((band) => bandShapes(plot, band, xAt, yAt)),
    legend: legendOf(lines),
  };
};

/** Each run once, however often it was started again. */
export const legendOf = (lines) => {
  const byKey = new Map(lines.toReversed().map(({ key, name, color, dash }) => [key, { name, color, dash }]));
  return [...byKey.values()];
};

const linesOf = (plot, xAt, yAt) =>
  plot.series.flatMap(({ show, stroke, width, dash, alpha }, place) => {
    if (!place || show === false || !width) return [];
    const color = colorOf(stroke, plot, place);
    return [{ color, width, dash: dash ?? [], alpha: alpha ?? 1, strokes: strokesOf(plot.data[0], plot.data[place], xAt, yAt) }];
  });

/** uPlot makes functions of colours. */
const colorOf = (color, plot, place) => (typeof color === "function" ? color(plot, place) : color);

const ticksOf = ({ _splits: splits, _values: labels }, at, length) =>
  (splits ?? [])
    .map((value, i) => ({ at: value === null ? NaN : at(value), label: labels?.[i] ?? "" }))
    .filter((tick) => tick.at >= -0.5 && tick.at <= length + 0.5);

/** The area between two tracks, in the colour of their line. */
const bandShapes = (plot, { series: [upper, lower] }, xAt, yAt) => {
  const edge = (place) => strokesOf(plot.data[0], plot.data[place], xAt, yAt).flat();
  const points = [...edge(upper), ...edge(lower).toReversed()];
  if (points.length < 3) return [];
  return [{ kind: "area", points, color: plot.tracks[lower - 1].line.color, alpha: BAND_ALPHA, inPlot: true }];
};

/** NaN and infinities, as on the rail of the plot. */
const marksOf = ({ color, series }, xAt, { width, height }) => {
  const marks = oddPoints(series).map(({ x, kind }) => ({ x: xAt(x), kind }));
  const strokes = marks.filter(({ x }) => x >= 0 && x <= width).flatMap(({ x, kind }) => markStrokes(x, kind, height));
  return strokes.length ? [{ color, width: 1.5, dash: [], alpha: 1, strokes }] : [];
};

const markStrokes = (x, kind, height) => {
  const y = kind === "∞" ? EDGE : height - EDGE;
  if (kind === "NaN") return [[[x - MARK, y - MARK], [x + MARK, y + MARK]], [[x + MARK, y - MARK], [x - MARK, y + MARK]]];
  const up = kind === "∞" ? -MARK : MARK;
  return [[[x - MARK, y - up], [x, y + up], [x + MARK, y - up]]];
};
