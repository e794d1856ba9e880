// Draws charts a few at a time: the page answers its reader between two frames.

const BUDGET_MS = 12;

const waiting = new Set();

const work = () => {
  const end = performance.now() + BUDGET_MS;
  try {
    for (const chart of waiting) {
      waiting.delete(chart);
      chart.draw();
      if (performance.now() > end) break;
    }
  } finally {
    if (waiting.size) requestAnimationFrame(work); // a chart that cannot be drawn does not stop the others
  }
};

/** Draw the chart in one of the next frames, once, however often it is asked for. */
export const drawSoon = (chart) => {
  if (!waiting.size) requestAnimationFrame(work);
  waiting.add(chart);
};
