// What becomes of a table's URL, and of its ticks; no DOM.

const MAX_IN_URL = 6000; // characters; beyond it the ticks hold for this page only

/** The query string with these runs in it, as far as it stays short enough to be asked for. */
export const withRuns = (search, keys) => {
  const query = new URLSearchParams(search);
  query.delete("run");
  const bare = query.toString();
  keys.forEach((key) => query.append("run", key));
  const text = query.toString();
  const fitting = text.length > MAX_IN_URL ? bare : text;
  return fitting && `?${fitting}`;
};

/** The parameters of a view with another filter: its place in the list is gone. */
export const refilter = (search, filter) => {
  const kept = [...new URLSearchParams(search)].filter(([name]) => !["q", "page", "run"].includes(name));
  return filter ? [["q", filter], ...kept] : kept;
};

/** What stands between two places of a list, both included, whichever comes first. */
export const between = (items, one, other) => items.slice(Math.min(one, other), Math.max(one, other) + 1);
