// A metric that turns up on the stream for the first time gets its panel from the server.

import { listen } from "./bus.js";

const asked = new Set(); // a filter may hide its panel: asking once is enough

const panelNames = () =>
  new Set([...document.querySelectorAll("metric-chart")].map(({ dataset }) => dataset.metric));

export const startPanels = () => {
  listen("points", ({ byMetric }) => {
    const known = panelNames();
    const news = [...byMetric.keys()].filter((name) => !known.has(name) && !asked.has(name));
    news.forEach((name) => asked.add(name));
    if (news.length) window.htmx.trigger("#chart-grid", "refresh");
  });
};
