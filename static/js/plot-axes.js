// The axes of a plot: muted labels with SI prefixes, a faint grid, and a word for what lies along x.

import { logLabels, tickLabels } from "./format.js";
import { CLOCK_LABELS } from "./x-axis.js";

const FONT_PX = 11;
const LETTER_PX = 6.3; // the width of a digit in it
const LABEL_ROW = 24;
const LEAST_ROOM = 44; // between two ticks, CSS pixels
const LEAST_PADDING = 8;
const MANY_DECADES = 1000;

/** `axis`: see x-axis.js. */
export const makeAxes = (host, axis, isLog) => {
  const style = getComputedStyle(host);
  const color = (name) => style.getPropertyValue(name).trim();
  const font = `${FONT_PX}px ${style.fontFamily}`;
  const common = {
    stroke: color("--text-muted"),
    font,
    grid: { stroke: color("--chart-grid"), width: 1 },
    ticks: { show: false },
    gap: 6,
  };
  const title = axis.title && { label: axis.title, labelFont: font, labelSize: 16, labelGap: 0 };
  const along = axis.isTime
    ? { values: CLOCK_LABELS, size: LABEL_ROW + 13, space: 64 }
    : { values: labelled(axis.labels), size: LABEL_ROW, space: (_, __, min, max) => axis.room?.(min, max) ?? LEAST_ROOM, ...(axis.increments && { incrs: axis.increments }) };
  return [
    { ...common, ...along, ...title },
    { ...common, size: labelRoom, ...(isLog ? logAxis(common.grid) : { values: labelled(tickLabels) }) },
  ];
};

const logAxis = (grid) => ({ values: (_, ticks) => logLabels(ticks), grid: { ...grid, filter: powersOnly } });

/** Over many decades, lines between the powers of ten would be all there is to see. */
const powersOnly = (_, ticks) => {
  const isWide = ticks.at(-1) > ticks[0] * MANY_DECADES;
  return isWide ? ticks.map((tick) => (Number.isInteger(Math.round(Math.log10(tick) * 1e6) / 1e6) ? tick : null)) : ticks;
};

const labelled = (labels) => (_, ticks, axis, room, increment) => labels(ticks, increment);

const labelRoom = (_, labels) => Math.max(40, 14 + widthOf(labels ?? []));

const widthOf = (labels) => LETTER_PX * Math.max(0, ...labels.map((label) => label?.length ?? 0));

/** The last label may stand half beyond the plot. Room that was made stays: without it other labels would need it. */
export const rightRoom = (plot, side, _, cycle) => Math.max(cycle > 1 ? plot._padding[side] : LEAST_PADDING, beyond(plot));

const beyond = (plot) => {
  const { _values: labels, _splits: splits } = plot.axes[0];
  const last = labels?.findLastIndex(Boolean) ?? -1;
  if (last < 0 || !splits) return 0;
  const { min, max } = plot.scales.x;
  const beside = ((max - splits[last]) / (max - min)) * (plot.bbox.width / devicePixelRatio || plot.width);
  return Math.ceil(widthOf([labels[last].split("\n")[0]]) / 2 - beside);
};

/** A hook for uPlot's `draw`: "step" or "time", in the corner below the y axis. */
export const drawAxisName = (plot, name) => {
  const { ctx: pen, bbox } = plot;
  const [axis] = plot.axes;
  if (!name || !hasRoom(plot, axis, name)) return;
  pen.save();
  pen.font = `${(FONT_PX - 1) * devicePixelRatio}px ${axis.font[0].replace(/^.*?px /, "")}`;
  pen.fillStyle = axis.stroke();
  pen.textAlign = "left";
  pen.textBaseline = "top";
  pen.fillText(name, 2 * devicePixelRatio, bbox.top + bbox.height + 7 * devicePixelRatio);
  pen.restore();
};

/** Whether the first label leaves the corner to the name. */
const hasRoom = (plot, { _values: labels, _splits: splits }, name) => {
  const first = labels?.findIndex(Boolean) ?? -1;
  if (first < 0) return true;
  const middle = plot.bbox.left / devicePixelRatio + plot.valToPos(splits[first], "x");
  return middle - widthOf([labels[first]]) / 2 > 4 + name.length * LETTER_PX;
};
