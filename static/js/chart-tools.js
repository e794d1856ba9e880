// The toolbar above the charts: it shows what the URL says, and writes there what is chosen.

import { listen } from "./bus.js";
import { isLogForAll, toggleLog, toggleLogForAll } from "./chart-view.js";
import { showSmoothing } from "./smooth-slider.js";
import { changeView, chartView } from "./url-state.js";

const METRIC = "metric:";

const find = (selector) => document.querySelector(selector);

const press = (name, isPressed) => find(name)?.setAttribute("aria-pressed", String(isPressed));

/** Show the view of the URL in every control. */
const show = () => {
  if (!find("#chart-tools")) return;
  const view = chartView();
  const metric = view.x.startsWith(METRIC) ? view.x.slice(METRIC.length) : "";
  showAxis(view.x, metric);
  if (find("[data-group-by]")) find("[data-group-by]").value = view.group;
  press("[data-log-all]", isLogForAll(view));
  press("[data-outliers]", view.hidesOutliers);
  find("[data-reset]").hidden = !view.range;
  showSmoothing();
  renewLegend(view.group);
};

const showAxis = (x, metric) => {
  const select = find("[data-x]");
  const field = find("[data-x-metric]");
  select.value = metric ? "metric" : x;
  field.hidden = !metric;
  field.value = metric;
};

/** The server names the groups, in an order that gives them their colours. */
const renewLegend = (group) => {
  const grid = find("#chart-grid");
  if ((grid.dataset.group ?? "") !== group && grid.dataset.asked !== group) {
    grid.dataset.asked = group;
    window.htmx.trigger(grid, "refresh");
  }
};

const chooseAxis = ({ value }) => {
  if (value !== "metric") return changeView({ x: value === "step" ? "" : value, xr: "" }, { isStep: true });
  const field = find("[data-x-metric]");
  fillNames(find("#metric-names"));
  field.hidden = false;
  field.focus();
  return undefined;
};

const fillNames = (list) => {
  const names = [...document.querySelectorAll("metric-chart")].map(({ dataset }) => dataset.metric);
  list.replaceChildren(...names.map((name) => new Option(name, name)));
};

const CHANGES = {
  "[data-x]": chooseAxis,
  "[data-x-metric]": ({ value }) => changeView({ x: value.trim() ? METRIC + value.trim() : "", xr: "" }, { isStep: true }),
  "[data-group-by]": ({ value }) => changeView({ group: value.trim() }, { isStep: true }),
};

const CLICKS = {
  "[data-reset]": () => resetZoom(),
  "[data-log-all]": () => changeView({ log: toggleLogForAll(chartView()) }),
  "[data-outliers]": () => changeView({ outliers: chartView().hidesOutliers ? "" : "off" }),
  "[data-log]": (button) => changeView({ log: toggleLog(chartView(), button.closest("metric-chart").metric) }),
  "[data-settings]": (button) => {
    const isOpen = find("#chart-tools").classList.toggle("is-open");
    button.setAttribute("aria-expanded", String(isOpen));
  },
};

const run = (actions, target) => {
  for (const [selector, action] of Object.entries(actions)) {
    const found = target.closest(selector);
    if (found) action(found);
  }
};

const resetZoom = () => chartView().range && changeView({ xr: "" }, { isStep: true });

/** Esc belongs to what is open, then to the zoom. */
const pressKey = ({ key, target }) => {
  if (key !== "Escape" || target.matches("input, textarea, select")) return;
  if (!find("dialog[open], details[data-menu][open]") && !document.fullscreenElement) resetZoom();
};

export const startChartTools = () => {
  document.addEventListener("change", ({ target }) => run(CHANGES, target));
  document.addEventListener("click", ({ target }) => run(CLICKS, target));
  document.addEventListener("keydown", pressKey, true); // before menus close
  document.addEventListener("htmx:afterSwap", ({ detail }) => detail.target.id === "chart-grid" && show());
  listen("view", show);
  show();
};
