// The menu of a chart: one template for all of them, copied when it is opened.

import { listen } from "./bus.js";
import { isLog } from "./chart-view.js";
import { seriesQuery } from "./series-query.js";
import { chosenRuns } from "./selection.js";
import { chartView } from "./url-state.js";

const fill = (menu) => {
  const chart = menu.closest("metric-chart");
  if (!menu.querySelector(".menu-items")) menu.append(document.querySelector("#chart-menu").content.cloneNode(true));
  menu.querySelector("[data-log]").setAttribute("aria-pressed", String(isLog(chartView(), chart.metric)));
  menu.querySelector("[name=name]").value = chart.metric;
  menu.querySelector("[data-json]").href = `${document.querySelector("#chart-grid").dataset.api}/metrics?${dataQuery(chart.metric)}`;
};

const dataQuery = (metric) => seriesQuery([metric], chosenRuns().map(({ key }) => key), { format: "json" });

export const startChartMenus = () => {
  document.addEventListener("toggle", ({ target }) => target.matches(".chart-menu") && target.open && fill(target), true);
  listen("view", () => document.querySelectorAll(".chart-menu[open]").forEach(fill));
};
