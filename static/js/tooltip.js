// The values under the crosshair, greatest first. textContent only: names come from anybody.

import { figure, count } from "./format.js";
import { readings } from "./chart-lines.js";

const MAX_ROWS = 12;

const element = (tag, className, text = "") => {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
};

/** A hook for uPlot's `ready`: makes the tooltip of this plot. */
export const attachTooltip = (plot) => {
  plot.tip = element("div", "chart-tip");
  plot.tip.hidden = true;
  plot.over.append(plot.tip);
  plot.over.addEventListener("mouseenter", () => (plot.isHovered = true));
  plot.over.addEventListener("mouseleave", () => {
    plot.isHovered = false;
    plot.tip.hidden = true;
  });
};

/** A hook for uPlot's `setCursor`. */
export const moveTooltip = (plot) => {
  const { left, idx } = plot.cursor;
  if (!plot.isHovered || idx == null || left < 0) return;
  const step = plot.data[0][idx];
  const rows = readings(plot.lines, step);
  plot.tip.hidden = !rows.length;
  plot.tip.replaceChildren(
    element("p", "chart-tip-step", `step ${count(step)}`),
    ...rows.slice(0, MAX_ROWS).map((row) => tipRow(row, step, plot.bold)),
  );
  if (rows.length > MAX_ROWS) plot.tip.append(element("p", "muted", `and ${rows.length - MAX_ROWS} more`));
  placeTip(plot, left);
};

const tipRow = ({ line, value, smoothed, at }, step, bold) => {
  const row = element("p", line.key === bold ? "chart-tip-row is-bold" : "chart-tip-row");
  const swatch = element("i", "chart-tip-swatch");
  swatch.style.background = line.color;
  row.append(swatch, element("span", "chart-tip-name", line.name));
  if (at !== step) row.append(element("span", "muted", `@ ${count(at)}`));
  if (smoothed !== undefined) row.append(element("span", "muted", figure(value)));
  row.append(element("b", "chart-tip-value", figure(smoothed ?? value)));
  return row;
};

/** Beside the crosshair, on the side with more room. */
const placeTip = (plot, left) => {
  const { clientWidth: width } = plot.over;
  const isRight = left > width / 2;
  plot.tip.style.left = isRight ? "" : `${left + 12}px`;
  plot.tip.style.right = isRight ? `${width - left + 12}px` : "";
};
