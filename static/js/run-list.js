// The run list beside the charts: its filter, its sort, and ticks that no answer of before undoes.

import { withChoice } from "./runs.js";

const NARROW = matchMedia("(max-width: 800px)");

let isUnsent = false; // the server has not heard of the newest ticks yet

const find = (selector) => document.querySelector(selector);

/** The keys that stand for the ticks in a URL; none while the choice is automatic. */
const tickedKeys = () => {
  if (find("#run-list[data-automatic]")) return [];
  const keys = [...document.querySelectorAll("#run-list input[name=run]:checked")].map(({ value }) => value);
  return keys.length ? keys : [""];
};

/** A link in the list was written with the choice and the view of then: it gets those of now. */
const keepChoice = ({ detail }) => {
  const runs = detail.elt.matches("[data-choice]") ? null : tickedKeys();
  detail.path = withChoice(detail.path, runs, location.search);
  [...detail.formData.keys()].forEach((name) => detail.formData.delete(name)); // the form's fields, inherited
};

/** While the server has not heard of the ticks, its list may not replace them: tell it again. */
const keepTicks = (event) => {
  if (!isUnsent) return;
  event.preventDefault();
  if (event.detail.elt.id === "run-list") window.htmx.trigger("#run-form", "change");
};

/** With a filter that was not understood in the box, the one of the URL still holds. */
const keepFilter = ({ detail }) => {
  const query = new URLSearchParams(location.search).get("q");
  if (query) detail.formData.set("q", query);
  else detail.formData.delete("q");
};

const prepare = (event) => {
  const { elt, formData } = event.detail;
  if (elt.matches("#run-list, #chart-grid")) keepTicks(event);
  if (elt.matches("#run-list a[hx-get]")) keepChoice(event);
  if (elt.matches("[data-sort]")) formData.set("sort", elt.value.trim());
  if (elt.id === "sort-fields") formData.set("text", find("[data-sort]").value);
  if (!elt.matches("[data-search]") && find("#query-problem .problem")) keepFilter(event);
};

/** A renewal that was under way when somebody opened a menu comes too late. */
const keepMenu = ({ detail }) => {
  const { requestConfig, target } = detail;
  const isRenewal = target.id === "run-list" && requestConfig.elt === target;
  if (isRenewal && target.querySelector("details[data-menu][open]")) detail.shouldSwap = false;
};

const settle = ({ detail }) => {
  const { elt, target, successful } = detail;
  if (elt.id === "run-form" && successful) isUnsent = false;
  if (target.id === "run-list" && successful && elt.matches("[data-search]")) find("#query-problem").replaceChildren();
};

/** A change of the sort is none of the ticks, in whose form it stands. */
const change = (event) => {
  const { target } = event;
  if (target.matches("#run-list input[name=run]")) isUnsent = true;
  if (!target.matches("[data-sort]")) return;
  event.stopPropagation();
  window.htmx.trigger(target, "sort-by");
};

const suggest = ({ target }) => target.matches?.("[data-sort]") && window.htmx.trigger("#sort-fields", "refresh");

export const startRunList = () => {
  if (!find("#run-list")) return;
  if (NARROW.matches) find("[data-fold]").open = false; // the charts come first
  document.addEventListener("change", change, true);
  find("#sort-form").addEventListener("submit", (event) => event.preventDefault()); // its change was enough
  document.addEventListener("focusin", suggest);
  document.addEventListener("input", suggest);
  document.addEventListener("htmx:configRequest", prepare);
  document.addEventListener("htmx:beforeSwap", keepMenu);
  document.addEventListener("htmx:afterRequest", settle);
};
