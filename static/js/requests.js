// What HTMX's requests need to know of the URL they are sent from.

import { browserParams } from "./url-state.js";

/** Polls ask for the view that the URL shows now, and rest while nobody looks. */
const preparePoll = (event) => {
  if (document.hidden) event.preventDefault();
  event.detail.path = location.pathname + location.search;
  for (const name of [...event.detail.formData.keys()]) event.detail.formData.delete(name);
};

/** Forms send every field: leave out what says nothing, add what only the browser knows. */
const prepareForm = ({ detail }) => {
  const { formData, elt } = detail;
  const isAutomatic = document.querySelector("#run-list[data-automatic]") && elt.id !== "run-form";
  const runs = isAutomatic ? [] : formData.getAll("run");
  const chosen = runs.filter(Boolean);
  formData.delete("run");
  (chosen.length ? chosen : runs.slice(0, 1)).forEach((run) => formData.append("run", run));
  for (const name of ["q", "metric"]) if (formData.get(name) === "") formData.delete(name);
  browserParams().forEach(([name, value]) => formData.append(name, value));
};

export const startRequests = () => {
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt.matches("[data-poll]")) preparePoll(event);
    else if (event.detail.elt.matches("form, input")) prepareForm(event);
  });
};
