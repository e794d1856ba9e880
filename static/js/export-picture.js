// A chart as plain shapes, for whoever paints them: title, grid, labels, lines, legend; no DOM.
// Shapes: line {points, color, width, dash, alpha}, area {points, color, alpha}, dot {x, y, r, color},
// text {x, y, text, color, size, anchor, isBold}; those with `inPlot` end at the edges of the plot.

export const PAD = 16; // around the chart
const TITLE_ROOM = 32;
const LEGEND_GAP = 12;
const LEGEND_ROW = 18;
const SWATCH = 18;
const LETTER = 6.2; // the mean width of a letter of SIZE: there is no ruler without a DOM
const SIZE = 11;
const MAX_LEGEND = 60;
const MAX_NAME = 60;

/** Where the values are finite: runs of neighbouring points [[x, y], …]; `undefined` is no gap. */
export const strokesOf = (xs, ys, xAt, yAt) => {
  const strokes = [];
  let stroke = null;
  xs.forEach((x, i) => {
    if (ys[i] === undefined) return;
    if (ys[i] === null || !Number.isFinite(ys[i])) stroke = null;
    else if (stroke) stroke.push([xAt(x), yAt(ys[i])]);
    else strokes.push((stroke = [[xAt(x), yAt(ys[i])]]));
  });
  return strokes;
};

/**
 * `chart`: {title, plot: {left, top, width, height}, size: {width, height}, xTicks, yTicks: [{at,
 * label}], xTitle, lines: [{color, width, dash, alpha, strokes}], shapes, legend: [{name, color,
 * dash}], palette: {background, text, muted, grid, font}}. Places are those within the chart.
 */
export const chartPicture = (chart) => {
  const { size, palette, legend = [] } = chart;
  const left = PAD;
  const top = PAD + (chart.title ? TITLE_ROOM : 0);
  const width = size.width + 2 * PAD;
  const entries = placeLegend(legend, PAD, width - PAD, top + size.height + LEGEND_GAP);
  const height = Math.max(top + size.height, ...entries.map(({ y }) => y + LEGEND_ROW)) + PAD;
  const plot = { ...chart.plot, left: chart.plot.left + left, top: chart.plot.top + top };
  return {
    width,
    height,
    background: palette.background,
    font: palette.font,
    clip: plot,
    shapes: [
      ...titleShapes(chart.title, palette),
      ...axisShapes(chart, plot, palette),
      ...(chart.lines ?? []).flatMap((line) => lineShapes(line, plot)),
      ...(chart.shapes ?? []).map((shape) => moveShape(shape, plot)),
      ...entries.flatMap((entry) => legendShapes(entry, palette)),
    ],
  };
};

const titleShapes = (title, { text }) =>
  title ? [{ kind: "text", x: PAD, y: PAD + 14, text: title, color: text, size: 14, anchor: "start", isBold: true }] : [];

const axisShapes = ({ xTicks = [], yTicks = [], xTitle }, plot, { grid, muted }) => {
  const right = plot.left + plot.width;
  const bottom = plot.top + plot.height;
  const rule = (points) => ({ kind: "line", points, color: grid, width: 1, dash: [], alpha: 1 });
  const label = (x, y, text, anchor) => ({ kind: "text", x, y, text, color: muted, size: SIZE, anchor });
  return [
    ...xTicks.map(({ at }) => rule([[plot.left + at, plot.top], [plot.left + at, bottom]])),
    ...yTicks.map(({ at }) => rule([[plot.left, plot.top + at], [right, plot.top + at]])),
    ...xTicks.flatMap((tick) => labelLines(tick).map((text, i) => label(plot.left + tick.at, bottom + 16 + i * 13, text, "middle"))),
    ...yTicks.flatMap((tick) => labelLines(tick).map((text) => label(plot.left - 6, plot.top + tick.at + 4, text, "end"))),
    ...(xTitle ? [label(right, bottom + 32, xTitle, "end")] : []),
  ];
};

const labelLines = ({ label }) => (label ? String(label).split("\n") : []);

const lineShapes = ({ color, width = 1.5, dash = [], alpha = 1, strokes }, plot) =>
  strokes.flatMap((stroke) => {
    const points = stroke.map(([x, y]) => [x + plot.left, y + plot.top]);
    if (points.length > 1) return [{ kind: "line", points, color, width, dash, alpha, inPlot: true }];
    return [{ kind: "dot", x: points[0][0], y: points[0][1], r: 2.5, color, alpha, inPlot: true }];
  });

const moveShape = (shape, { left, top }) => ({
  ...shape,
  ...(shape.points ? { points: shape.points.map(([x, y]) => [x + left, y + top]) } : { x: shape.x + left, y: shape.y + top }),
});

/** Names beside their colours, in as many rows as they need. */
const placeLegend = (legend, left, right, top) => {
  const shown = legend.slice(0, MAX_LEGEND);
  if (legend.length > MAX_LEGEND) shown.push({ name: `and ${legend.length - MAX_LEGEND} more`, color: null });
  let [x, y] = [left, top];
  return shown.map(({ name, color, dash = [] }) => {
    const text = name.length > MAX_NAME ? `${name.slice(0, MAX_NAME - 1)}…` : name;
    const width = SWATCH + 6 + text.length * LETTER + 16;
    if (x > left && x + width > right) [x, y] = [left, y + LEGEND_ROW];
    const entry = { x, y, text, color, dash };
    x += width;
    return entry;
  });
};

const legendShapes = ({ x, y, text, color, dash }, palette) => {
  const words = { kind: "text", x: x + SWATCH + 6, y: y + 12, text, color: palette.text, size: SIZE, anchor: "start" };
  if (!color) return [{ ...words, x, color: palette.muted }];
  const points = [[x, y + 8], [x + SWATCH, y + 8]];
  return [{ kind: "line", points, color, width: 2, dash, alpha: 1 }, words];
};
