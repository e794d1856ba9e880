// What HTMX's requests need to know of the URL they are sent from.

import { carryView } from "./chart-view.js";
import { browserParams } from "./url-state.js";

/** Fragments that renew themselves ask for the view that the URL shows now. */
const prepareRenewal = (event) => {
  const { detail } = event;
  const isTimed = detail.elt.getAttribute("hx-trigger").startsWith("every");
  const isInUse = detail.elt.querySelector("details[data-menu][open]");
  if (isTimed && (document.hidden || isInUse)) event.preventDefault(); // nobody looks, or somebody does
  detail.path = location.pathname + location.search;
  for (const name of [...detail.formData.keys()]) detail.formData.delete(name);
};

/** Forms send every field: leave out what says nothing, add what only the browser knows. */
const prepareForm = ({ detail }) => {
  const { formData, elt } = detail;
  const isAutomatic = document.querySelector("#run-list[data-automatic]") && elt.id !== "run-form";
  const runs = isAutomatic ? [] : formData.getAll("run");
  const chosen = runs.filter(Boolean);
  formData.delete("run");
  (chosen.length ? chosen : runs.slice(0, 1)).forEach((run) => formData.append("run", run));
  if (elt.matches("[data-search], [data-sort]")) formData.delete("page"); // another list begins at its first
  for (const name of ["q", "metric"]) if (formData.get(name) === "") formData.delete(name);
  browserParams().forEach(([name, value]) => formData.append(name, value));
};

/** The server wrote a link when the page was made: the charts may be shown in another way by now. */
const prepareLink = ({ detail }) => {
  if (detail.path.split("?")[0] === location.pathname) detail.path = carryView(detail.path, browserParams());
};

let typedIn = null; // the search field whose text the newest step of the history holds

/** Back leads from one question to another: not through each pause of typing, nor to the same one again. */
const keepHistory = ({ detail: { history, requestConfig: { elt } } }) => {
  const goesOn = typedIn !== null && typedIn === elt;
  if (goesOn || history.path === location.pathname + location.search) history.type = "replace";
  typedIn = elt.type === "search" ? elt : null;
};

/** Enter in a search field asks as typing does: the page stays, also where the server is away. */
const searchByEnter = (event) => {
  const field = document.activeElement;
  if (field.form !== event.target || !field.matches("[type=search][hx-get]")) return;
  event.preventDefault();
  window.htmx.trigger(field, "enter");
};

export const startRequests = () => {
  document.addEventListener("htmx:beforeHistoryUpdate", keepHistory);
  document.addEventListener("focusout", () => (typedIn = null));
  document.addEventListener("submit", searchByEnter);
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt.matches("[data-renew]")) prepareRenewal(event);
    else if (event.detail.elt.matches("form, input")) prepareForm(event);
    else if (event.detail.elt.matches("a")) prepareLink(event);
  });
};
