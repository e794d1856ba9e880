// The compare page's form: clean addresses, and the part of the view that only the browser knows.

import { VIEW_PARAMS } from "./chart-view.js";
import { startParallel } from "./parallel.js";
import { startScatter } from "./scatter.js";

const PARTS = ".plot-fields, .compare-query, .diff-tools";

/** Parameters that the browser writes: the URL has them, a form has them as they were at first. */
const BROWSERS = [...VIEW_PARAMS, "brush"];

const kept = () => [...new URLSearchParams(location.search)].filter(([name]) => BROWSERS.includes(name));

/** A form sends every field: leave out what says nothing. */
const clean = (formData) => {
  for (const name of new Set(formData.keys())) {
    const values = formData.getAll(name).filter((value) => value !== "");
    formData.delete(name);
    values.forEach((value) => formData.append(name, value));
  }
  BROWSERS.forEach((name) => formData.delete(name));
  kept().forEach(([name, value]) => formData.append(name, value));
};

const prepare = ({ detail }) => detail.elt.closest(PARTS) && clean(detail.formData);

const send = (event) => {
  const form = event.target;
  if (!form.matches("[data-keeps-view]") || event.submitter?.hasAttribute("formaction")) return;
  event.preventDefault();
  const formData = new FormData(form, event.submitter);
  clean(formData);
  location.assign(`${form.action.split("?")[0]}?${new URLSearchParams(formData)}`);
};

/** Another view of what the URL says by now. */
const carry = ({ target }) => {
  const link = target.closest?.("[data-view-link]");
  if (!link) return;
  const address = new URL(location.href);
  const view = new URL(link.href).searchParams.get("view");
  ["view", "page", "find"].forEach((name) => address.searchParams.delete(name));
  if (view) address.searchParams.set("view", view);
  link.href = address;
};

/** A field with a list shows all of it while it is empty: keep what was there until another is picked. */
const openField = ({ target }) => {
  if (!target.matches?.("[data-pick]") || !target.value) return;
  target.dataset.before = target.value;
  target.placeholder = target.value;
  target.value = "";
};

const closeField = ({ target }) => {
  if (!target.matches?.("[data-pick]") || target.dataset.before === undefined) return;
  if (!target.value) target.value = target.dataset.before;
  delete target.dataset.before;
};

/** Backspace in a field that looks empty empties it. */
const emptyField = ({ target, key }) => {
  if (!["Backspace", "Delete"].includes(key) || !target.dataset?.before || target.value) return;
  delete target.dataset.before;
  target.dispatchEvent(new Event("change", { bubbles: true }));
};

let scrolled = [0, 0];

/** A table that renews itself stays where it was scrolled to. */
const noteScroll = ({ detail }) => {
  const box = detail.target.id === "compare-diffs" && detail.target.querySelector(".diff-box");
  if (box) scrolled = [box.scrollLeft, box.scrollTop];
};

const restoreScroll = ({ detail }) => {
  if (!detail.elt.matches?.("#compare-diffs[data-renew]")) return;
  document.querySelector(".diff-box")?.scrollTo(...scrolled);
};

export const startCompare = () => {
  startScatter();
  startParallel();
  document.addEventListener("htmx:configRequest", prepare);
  document.addEventListener("htmx:beforeSwap", noteScroll);
  document.addEventListener("htmx:afterSettle", restoreScroll);
  document.addEventListener("click", carry);
  document.addEventListener("submit", send);
  document.addEventListener("focusin", openField);
  document.addEventListener("focusout", closeField);
  document.addEventListener("keydown", emptyField);
};
