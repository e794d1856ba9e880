// Points and answers for tests of charts.

import { ChartData } from "../../static/js/chart-data.js";

export const columns = (steps) => ({ steps, values: steps.map((s) => s / 10), timestamps: steps });
export const point = (run, step, value = 1) => ({ run, step, value, time: step });
export const WAY = { x: "step", smooth: 0, group: "", range: null };
export const zoomed = (...range) => ({ ...WAY, range });

/** What is drawn of a run whose steps never went back. */
export const drawn = (data, key, range = null) => data.layer(range).runs.get(key)?.at(-1);

/** A loader that answers when it is told to, and remembers what it was asked for. */
export const slowLoader = () => {
  const asked = [];
  const load = (keys, { range }) =>
    new Promise((resolve, reject) => {
      asked.push({ keys, range, answer: resolve, fail: reject });
    });
  return { asked, load };
};

export const loaded = async (answer) => {
  const data = new ChartData(async () => answer);
  await data.show(Object.keys(answer), WAY);
  return data;
};
