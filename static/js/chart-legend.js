// The names of the lines above a chart on the whole screen, which hides the list of runs.

import { element, lineSample, nameOf } from "./elements.js";
import { legendOf } from "./export-plot.js";

const MAX_NAMES = 12;

export const showLegend = (chart) => {
  chart.querySelector(".chart-legend")?.remove();
  if (!chart.matches(".is-full")) return;
  const lines = legendOf(chart.lines);
  const list = element("ul", "chart-legend");
  list.append(...lines.slice(0, MAX_NAMES).map(entryOf));
  if (lines.length > MAX_NAMES) list.append(element("li", "muted", `and ${lines.length - MAX_NAMES} more`));
  chart.querySelector(".chart-head").after(list);
};

const entryOf = (line) => {
  const entry = element("li", "");
  entry.append(lineSample(line), nameOf(line));
  return entry;
};
