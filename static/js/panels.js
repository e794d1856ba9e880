// What concerns all charts of the grid at once.

import { listen } from "./bus.js";

const asked = new Set(); // a filter may hide its panel: asking once is enough

const charts = () => [...document.querySelectorAll("metric-chart")];

/** A metric that turns up on the stream for the first time gets its panel from the server. */
const askForPanels = ({ byMetric }) => {
  const known = new Set(charts().map(({ dataset }) => dataset.metric));
  const news = [...byMetric.keys()].filter((name) => !known.has(name) && !asked.has(name));
  news.forEach((name) => asked.add(name));
  if (news.length) window.htmx.trigger("#chart-grid", "refresh");
};

const unzoomAll = () =>
  charts()
    .filter((chart) => chart.data?.range)
    .forEach((chart) => chart.unzoom());

export const startPanels = () => {
  listen("points", askForPanels);
  document.addEventListener("keydown", ({ key }) => key === "Escape" && unzoomAll());
};
