// The keyboard in a chart that has the focus: arrows read its points, + and - zoom all charts.

import { readings } from "./chart-lines.js";
import { placeAfterKey, rangeAfterKey } from "./crosshair.js";
import { element } from "./elements.js";
import { spokenReading } from "./note-text.js";
import { placesIn } from "./series.js";

const AWAY = { left: -10, top: -10 };

const chartOf = (target) => (target.matches?.("metric-chart > .chart-plot") ? target.parentElement : null);

const pressKey = (event) => {
  const chart = chartOf(event.target);
  if (!chart?.plot?.data[0].length || event.ctrlKey || event.altKey || event.metaKey) return;
  if (moveCrosshair(chart, event) || zoom(chart, event)) event.preventDefault();
};

const moveCrosshair = (chart, event) => {
  const { plot } = chart;
  const [xs] = plot.data;
  const { min, max } = plot.scales.x;
  const [first, end] = placesIn(xs, [min, max]);
  const place = placeAfterKey(event, plot.cursor.idx ?? null, [first, end - 1]);
  if (place === undefined || end <= first) return false;
  plot.isRead = true;
  plot.setCursor({ left: plot.valToPos(xs[place], "x"), top: 0 });
  speak(chart, xs[place]);
  return true;
};

const zoom = (chart, event) => {
  const { plot, data } = chart;
  const { min, max } = plot.scales.x;
  const x = plot.data[0][plot.cursor.idx] ?? (min + max) / 2;
  const range = rangeAfterKey(event, [min, max], x, data.extent());
  if (range === undefined) return false;
  if (range) chart.zoom(range);
  else chart.unzoom();
  return true;
};

/** Inside the chart: on the whole screen there is nothing else. */
const speak = (chart, x) => {
  const voice = chart.querySelector(".chart-voice") ?? chart.appendChild(element("p", "chart-voice"));
  voice.ariaLive = "polite";
  const { lines, picture } = chart.plot;
  voice.textContent = spokenReading(picture.axis.reading(x), readings(lines, x));
};

const leave = ({ target }) => {
  const plot = chartOf(target)?.plot;
  if (!plot) return;
  plot.isRead = false;
  plot.tip.hidden = true;
  plot.setCursor(AWAY);
};

export const startChartKeys = () => {
  document.addEventListener("keydown", pressKey);
  document.addEventListener("focusout", leave);
};
