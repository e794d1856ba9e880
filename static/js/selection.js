// The chosen runs, read from the page: ticked rows of the run list, or the one run of its page.

import { emit, listen } from "./bus.js";
import { sameRuns, withDashes } from "./runs.js";

let runs = [];

/** [{key, name, color, dash}] */
export const chosenRuns = () => runs;

const isChosen = (row) => row.querySelector("input[name=run]")?.checked ?? true;

const read = () => {
  const rows = [...document.querySelectorAll("[data-run]")].filter(isChosen);
  return withDashes(
    rows.map((row) => ({
      key: row.dataset.run,
      name: row.dataset.name ?? row.dataset.run, // most runs are called by their key
      color: getComputedStyle(row).getPropertyValue("--series").trim(),
    })),
  );
};

const refresh = () => {
  const now = read();
  if (sameRuns(now, runs)) return;
  runs = now;
  emit("selection", { runs });
};

/** Runs that joined by themselves may bring metrics that have no panel yet. */
const refreshWithPanels = () => {
  const before = runs.map(({ key }) => key);
  refresh();
  if (!sameRuns(before, runs.map(({ key }) => key))) window.htmx.trigger("#chart-grid", "refresh");
};

const choose = ({ target }) => {
  if (target.name !== "run") return;
  document.querySelector("#run-list")?.removeAttribute("data-automatic");
  refresh();
  const count = document.querySelector("[data-chosen-count]");
  if (count) count.textContent = runs.length;
};

let pointed = null;

/** Pointing at a run, here or at its line, shows it in the list and in all charts. */
const point = ({ target }) => {
  const run = target.closest(".run-row")?.dataset.run ?? null;
  if (run !== pointed) emit("highlight", { run });
  pointed = run;
};

const markRow = ({ run }) => {
  for (const row of document.querySelectorAll(".run-row")) {
    row.classList.toggle("is-pointed", row.dataset.run === run);
  }
};

const renewStatus = () => {
  const shown = document.querySelector("#run-list, #run-facts");
  if (shown) window.htmx.trigger(shown, "refresh");
};

export const startSelection = () => {
  refresh();
  listen("highlight", markRow);
  listen("status", renewStatus);
  document.addEventListener("theme-change", refresh);
  document.addEventListener("change", choose);
  document.addEventListener("htmx:afterSwap", ({ detail }) => detail.target.id === "run-list" && refreshWithPanels());
  document.addEventListener("mouseover", point);
};
