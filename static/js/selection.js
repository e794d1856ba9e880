// The chosen runs, read from the page: ticked rows of the run list, or the one run of its page.

import { emit, listen } from "./bus.js";
import { isNews } from "./live-points.js";
import { say } from "./messages.js";
import { sameRuns, withDashes } from "./runs.js";

let runs = [];

/** [{key, name, color, dash, isBaseline}] */
export const chosenRuns = () => runs;

const isChosen = (row) => row.querySelector("input[name=run]")?.checked ?? true;

const read = () => {
  const rows = [...document.querySelectorAll("[data-run]")].filter(isChosen);
  return withDashes(
    rows.map((row) => ({
      key: row.dataset.run,
      name: row.dataset.name ?? row.dataset.run, // most runs are called by their key
      color: getComputedStyle(row).getPropertyValue("--series").trim(),
      isBaseline: row.hasAttribute("data-baseline"),
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

const told = new Map(); // run key → what the stream said last of its status

/** The part of the page that shows the status of runs. */
const statusPart = () => document.querySelector("#run-list, #run-facts");

const takeStatus = (event) => {
  const part = statusPart();
  const shown = part?.querySelector(`[data-run="${CSS.escape(event.run)}"]`) ?? part;
  const isToBeShown = isNews(told, event, Boolean(shown?.querySelector(".status-running")));
  told.set(event.run, event.status);
  if (part && isToBeShown) window.htmx.trigger(part, "refresh");
};

/** The list leaves a deleted run out; a page of its own, or a comparison, can only say so. */
const takeDeletion = ({ run }) => {
  if (statusPart()?.id === "run-list") window.htmx.trigger("#run-list", "refresh");
  else say(`The run ${run} has been deleted.`, "error");
};

export const startSelection = () => {
  refresh();
  listen("highlight", markRow);
  listen("status", takeStatus);
  listen("deleted", takeDeletion);
  document.addEventListener("theme-change", refresh);
  document.addEventListener("change", choose);
  document.addEventListener("htmx:afterSwap", ({ detail }) => detail.target.id === "run-list" && refreshWithPanels());
  document.addEventListener("mouseover", point);
};
