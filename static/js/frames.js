// Draws charts a few at a time: the page answers its reader between two frames.

const BUDGET_MS = 25; // of one frame, for drawing and for painting what was drawn
const FIRST_COST_MS = 25; // of one chart, until it has been measured
const MEMORY = 0.7; // of the cost that was measured before

const waiting = new Set();
let cost = FIRST_COST_MS;
let isBusy = false;

const work = () => {
  const started = performance.now();
  let drawn = 0;
  try {
    for (const chart of waiting) {
      waiting.delete(chart);
      drawn += 1;
      chart.draw();
      if ((drawn + 1) * cost > BUDGET_MS || performance.now() - started > BUDGET_MS) break;
    }
  } finally {
    setTimeout(rest, 0, started, drawn); // a chart that cannot be drawn does not stop the others
  }
};

/** The frame has been painted, which may have taken longer than to draw it: the reader gets as much time. */
const rest = (started, drawn) => {
  const took = performance.now() - started;
  if (drawn) cost = cost * MEMORY + (took / drawn) * (1 - MEMORY);
  isBusy = waiting.size > 0;
  if (isBusy) setTimeout(requestAnimationFrame, took > BUDGET_MS / 2 ? took : 0, work);
};

/** Draw the chart in one of the next frames, once, however often it is asked for. */
export const drawSoon = (chart) => {
  waiting.add(chart);
  if (isBusy) return;
  isBusy = true;
  requestAnimationFrame(work);
};
