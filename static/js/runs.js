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

/** Whether both lists name the same runs in the same looks. */
export const sameRuns = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** The address with other chosen runs (null: its own), and with what only the browser knows. */
export const withChoice = (address, runs, others) => {
  const [path, search = ""] = address.split("?");
  const query = new URLSearchParams(search);
  for (const [name] of others) query.delete(name);
  if (runs) query.delete("run");
  [...(runs ?? []).map((run) => ["run", run]), ...others].forEach(([name, value]) => query.append(name, value));
  return query.size ? `${path}?${query}` : path;
};
