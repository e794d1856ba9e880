// The groups of runs that charts draw instead of each run: read from the legend above the grid.

export const GROUP = "group:"; // before a group's name, where runs have their key

/** [{key, name, color, dash, runCount}], or null while runs are not grouped. */
export const shownGroups = () => {
  const legend = document.querySelector("#group-legend");
  if (!legend) return null;
  return [...legend.querySelectorAll("[data-group]")].map((entry) => ({
    key: GROUP + entry.dataset.group,
    name: entry.dataset.group,
    color: getComputedStyle(entry).getPropertyValue("--series").trim(),
    dash: [],
  }));
};
