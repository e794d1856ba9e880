// The address of another folder in the view that a page shows now; no DOM.

/** The query string with this folder, "" for the top: another list of runs, whose choice is its own. */
export const withFolder = (search, folder) => {
  const query = new URLSearchParams(search);
  ["folder", "page", "run"].forEach((name) => query.delete(name));
  if (folder) query.set("folder", folder);
  return query.size ? `?${query}` : "";
};
