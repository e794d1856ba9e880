// Which runs are ticked, on this page of the table and on others; no DOM.

const MAX_IN_URL = 6000; // characters; beyond it the ticks hold for this page only

export class Ticks {
  #keys = new Set();

  get keys() {
    return [...this.#keys];
  }

  has(key) {
    return this.#keys.has(key);
  }

  set(key, isTicked) {
    if (isTicked) this.#keys.add(key);
    else this.#keys.delete(key);
  }

  clear() {
    this.#keys.clear();
  }
}

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
