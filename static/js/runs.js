// The chosen runs as the charts see them; no DOM.

export const DASHES = [[], [7, 4], [2, 3], [9, 3, 2, 3]];

/** Twelve colours do for twelve runs; of runs with the same colour each gets its own dash. */
export const withDashes = (runs) => {
  const taken = new Map();
  return runs.map((run) => {
    const nth = taken.get(run.color) ?? 0;
    taken.set(run.color, nth + 1);
    return { ...run, dash: DASHES[nth % DASHES.length] };
  });
};

/** Which of the dashes it is, as CSS knows them; none for a plain line. */
export const dashPlace = (dash) => Math.max(0, DASHES.findIndex((one) => String(one) === String(dash))) || "";

const NEUTRAL = { color: "var(--text-muted)", dash: [] };

/**
 * How the swatch of a run {id, dash} looks, which is as its line: {color, dash}, without a colour
 * where its own holds. `groups`: those the charts draw, or null. A run of several groups, and one of
 * none, has no line to look like.
 */
export const swatchOf = ({ id, dash = [] }, groups) => {
  if (!groups) return { color: "", dash };
  const [one, ...others] = groups.filter(({ members }) => members.has(id));
  return one && !others.length ? { color: one.color, dash: one.dash } : NEUTRAL;
};

/** Whether both lists name the same runs in the same looks. */
export const sameRuns = (one, other) => JSON.stringify(one) === JSON.stringify(other);

const LIST_PARAMS = ["q", "sort", "top", "page", "run"];

/** The address of another list of runs, in the view that `search` shows. `runs`: keys, or null for its own. */
export const withChoice = (address, runs, search) => {
  const [path, asked = ""] = address.split("?");
  const list = [...new URLSearchParams(asked)].filter(([name]) => LIST_PARAMS.includes(name) && !(runs && name === "run"));
  const view = [...new URLSearchParams(search)].filter(([name]) => !LIST_PARAMS.includes(name));
  const query = new URLSearchParams([...list, ...(runs ?? []).map((run) => ["run", run]), ...view]);
  return query.size ? `${path}?${query}` : path;
};
