// The groups of runs that charts draw instead of each run: read from the legend above the grid.

import { emit } from "./bus.js";
import { withDashes } from "./runs.js";
import { chartView } from "./url-state.js";

export const GROUP = "group:"; // before a group's name, where runs have their key

/** A legend without a list says why there are no groups. */
const legendList = () => document.querySelector("#group-legend ul");

/** The view that charts draw: runs are grouped once the server has said how. */
export const drawnView = () => ({ ...chartView(), group: legendList() ? document.querySelector("#chart-grid").dataset.group : "" });

/** [{key, name, color, dash, members}], or null while runs are not grouped. */
export const shownGroups = () => {
  const legend = legendList();
  if (!legend) return null;
  return withDashes(
    [...legend.querySelectorAll("[data-group]")].map((entry) => ({
      key: GROUP + entry.dataset.group,
      name: entry.dataset.group,
      color: getComputedStyle(entry).getPropertyValue("--series").trim(),
      members: new Set(entry.dataset.runs.split(" ")),
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
