// The values under the crosshair, greatest first. textContent only: names come from anybody.

import { figure, figures } from "./format.js";
import { readings } from "./chart-lines.js";
import { element, lineSample, nameOf } from "./elements.js";

const MAX_ROWS = 12;
const GAP = 12; // CSS pixels between the crosshair and the tooltip
const MARGIN = 8; // and between the tooltip and the edge of the screen
const MIN_WIDTH = 176;
const MAX_WIDTH = 320;

/** A hook for uPlot's `ready`: makes the tooltip of this plot. */
export const attachTooltip = (plot) => {
  plot.tip = element("div", "chart-tip");
  plot.tip.hidden = true;
  plot.over.append(plot.tip);
  plot.over.addEventListener("mouseenter", () => (plot.isRead = true));
  plot.over.addEventListener("mouseleave", () => {
    plot.isRead = false;
    plot.tip.hidden = true;
  });
};

/** A hook for uPlot's `setCursor`. */
export const moveTooltip = (plot) => {
  const { left, idx } = plot.cursor;
  if (!plot.isRead || idx == null || left < 0) return;
  const x = plot.data[0][idx];
  const { axis } = plot.picture;
  const rows = readings(plot.lines, x);
  plot.tip.hidden = !rows.length;
  plot.tip.replaceChildren(
    element("p", "chart-tip-step", axis.reading(x)),
    ...tipRows(rows.slice(0, MAX_ROWS), x, plot),
  );
  if (rows.length > MAX_ROWS) plot.tip.append(element("p", "muted", `and ${rows.length - MAX_ROWS} more`));
  placeTip(plot, left);
};

const tipRows = (rows, x, plot) => {
  const { bold, picture: { axis } } = plot;
  const values = figures(rows.map(({ value, smoothed }) => smoothed ?? value));
  const raw = figures(rows.map(({ value }) => value));
  return rows.map(({ line, smoothed, at, low, high }, i) => {
    const beside = low === undefined ? (smoothed === undefined ? "" : raw[i]) : `${figure(low)} – ${figure(high)}`;
    const row = element("p", line.key === bold ? "chart-tip-row is-bold" : "chart-tip-row");
    row.append(
      lineSample(line),
      nameOf(line),
      element("span", "muted", isFar(at, x, plot) ? axis.where(at) : ""),
      element("span", "muted", beside),
      element("b", "chart-tip-value", values[i]),
    );
    return row;
  });
};

/** Points that are drawn at the crosshair need no place of their own. */
const isFar = (at, x, plot) => Math.abs(plot.valToPos(at, "x") - plot.valToPos(x, "x")) >= 1;

/** Beside the crosshair, on the side with more room, and never beyond the screen. */
const placeTip = ({ tip, over }, left) => {
  const { clientWidth: screenWidth, clientHeight: screenHeight } = document.documentElement;
  const box = over.getBoundingClientRect();
  const cursor = box.left + left;
  const isLeft = cursor > screenWidth - cursor;
  const room = (isLeft ? cursor : screenWidth - cursor) - GAP - MARGIN;
  tip.style.maxWidth = `${Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, room))}px`;
  const { offsetWidth: width, offsetHeight: height } = tip;
  const x = isLeft ? cursor - GAP - width : cursor + GAP;
  tip.style.left = `${within(x, screenWidth - width) - box.left}px`;
  tip.style.top = `${within(box.top + 4, screenHeight - height) - box.top}px`;
};

const within = (place, room) => Math.max(MARGIN, Math.min(place, room - MARGIN));
