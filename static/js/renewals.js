// Charts that only the server can bring up to date ask it now and then, all of them at once.

const EVERY_MS = 3000;

const waiting = new Set();
let timer = 0;

const renewAll = () => {
  timer = 0;
  const charts = [...waiting];
  waiting.clear();
  charts.forEach((chart) => chart.renew());
};

/** The chart's `renew` is called once in a while, however often it is asked for. */
export const renewSoon = (chart) => {
  waiting.add(chart);
  timer ||= setTimeout(renewAll, EVERY_MS);
};
