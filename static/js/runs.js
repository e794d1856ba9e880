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
