// The swatch beside a run's name looks as its line does, or as the line of its group.

import { listen } from "./bus.js";
import { GROUP, shownGroups } from "./groups.js";
import { dashPlace, swatchOf } from "./runs.js";
import { chosenRuns } from "./selection.js";

const paint = () => {
  const groups = shownGroups();
  const dashes = new Map(chosenRuns().map(({ key, dash }) => [key, dash]));
  for (const row of document.querySelectorAll("[data-run]")) {
    const { color, dash } = swatchOf({ id: row.dataset.id, dash: dashes.get(row.dataset.run) }, groups);
    row.style.setProperty("--swatch", color);
    row.dataset.dash = dashPlace(dash);
  }
  for (const { key, dash } of groups ?? []) {
    document.querySelector(`#group-legend [data-group="${CSS.escape(key.slice(GROUP.length))}"]`).dataset.dash = dashPlace(dash);
  }
};

export const startSwatches = () => {
  paint();
  listen("selection", paint);
  listen("view", paint); // a new legend tells of itself so
  document.addEventListener("theme-change", paint);
  document.addEventListener("htmx:afterSwap", ({ detail }) => detail.target.id === "run-list" && paint());
};
