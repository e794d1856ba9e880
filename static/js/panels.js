// What concerns the grid of charts: new metrics get their panel, sections stay folded.

import { emit, listen } from "./bus.js";
import { changeView } from "./url-state.js";

const asked = new Set(); // a filter may hide its panel: asking once is enough

const charts = () => [...document.querySelectorAll("metric-chart")];

/** A metric that turns up on the stream for the first time gets its panel from the server. */
const askForPanels = ({ byMetric }) => {
  const known = new Set(charts().map(({ dataset }) => dataset.metric));
  const news = [...byMetric.keys()].filter((name) => !known.has(name) && !asked.has(name));
  news.forEach((name) => asked.add(name));
  if (news.length) window.htmx.trigger("#chart-grid", "refresh");
};

/** Folded sections stand in the URL: the server sends them folded. */
const keepFolds = ({ target }) => {
  if (!target.matches(".chart-section")) return;
  const folded = new URLSearchParams(location.search).getAll("fold");
  const { section } = target.dataset;
  if (folded.includes(section) !== target.open) return; // the server sent it so
  changeView({ fold: target.open ? folded.filter((name) => name !== section) : [...folded, section] });
};

export const startPanels = () => {
  listen("points", askForPanels);
  document.addEventListener("toggle", keepFolds, true);
  // A new grid may bring a legend: charts that were kept draw with it.
  document.addEventListener("htmx:afterSwap", ({ detail }) => detail.target.id === "chart-grid" && emit("view"));
};
