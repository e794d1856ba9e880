// The groups of runs that charts draw instead of each run: read from the legend above the grid.

import { emit } from "./bus.js";
import { withDashes } from "./runs.js";

export const GROUP = "group:"; // before a group's name, where runs have their key

/** [{key, name, color, dash}], or null while runs are not grouped. */
export const shownGroups = () => {
  const legend = document.querySelector("#group-legend");
  if (!legend) return null;
  return withDashes(
    [...legend.querySelectorAll("[data-group]")].map((entry) => ({
      key: GROUP + entry.dataset.group,
      name: entry.dataset.group,
      color: getComputedStyle(entry).getPropertyValue("--series").trim(),
    })),
  );
};

/** Pointing at a group in the legend shows it in all charts. */
export const startLegend = () => {
  const point = (isThere) => ({ target }) => {
    const entry = target.closest("#group-legend [data-group]");
    if (entry) emit("highlight", { run: isThere ? GROUP + entry.dataset.group : null });
  };
  document.addEventListener("mouseover", point(true));
  document.addEventListener("mouseout", point(false));
};
