// Points of one metric for many runs, all asked for in the same way; no DOM.

import { addPoint, emptySeries, fromColumns } from "./series.js";
import { nextAverage } from "./smoothing.js";
import { thin } from "./thin.js";
import { takesLivePoints } from "./x-axis.js";

export const LIVE_LIMIT = 4000; // points of a run: beyond it the live tail is thinned, spikes stay
const MAX_SEGMENTS = 8; // of one run: with more restarts its steps are merged, as the server does

const NOTHING = { steps: [], values: [], timestamps: [] };

export class Layer {
  /** `way`: {x, smooth, group, range}; `id` tells layers of different ways apart. */
  constructor(id, way) {
    Object.assign(this, { id, way });
    this.runs = new Map(); // run key, or group → its series, the newest segment last
    this.totals = new Map(); // run key → how many points it has in the range, drawn or not
    this.asked = new Set(); // keys of runs that are here or on their way
  }

  keep(keys) {
    for (const key of this.asked) if (!keys.has(key)) this.asked.delete(key);
    if (this.way.group) return;
    for (const key of this.runs.keys()) if (!keys.has(key)) this.runs.delete(key) && this.totals.delete(key);
  }

  /** How many points there are besides those that are here: a zoom brings them. */
  get hiddenCount() {
    const total = [...this.totals.values()].reduce((sum, one) => sum + one, 0);
    return this.way.group ? 0 : Math.max(0, total - this.count);
  }

  /** How many points are here. */
  get count() {
    return [...this.runs.values()].flat().reduce((sum, { xs }) => sum + xs.length, 0);
  }

  /** Load the runs that are missing. */
  async fill(load, keys) {
    const missing = keys.filter((key) => !this.asked.has(key));
    if (!missing.length) return;
    missing.forEach((key) => this.asked.add(key));
    try {
      this.take(await load(missing, this.way), missing);
    } catch (error) {
      missing.forEach((key) => this.asked.delete(key));
      throw error;
    }
  }

  take(columns, keys) {
    const { x, group } = this.way;
    const names = group ? Object.keys(columns) : keys.filter((key) => this.asked.has(key));
    for (const name of names) {
      const found = Object.hasOwn(columns, name) ? columns[name] : NOTHING;
      this.runs.set(name, fromColumns(found, x === "step"));
      this.totals.set(name, found.total ?? found.steps?.length);
    }
  }

  /** Take in a live point; returns whether the layer could place it. */
  append({ run, step, value, time }) {
    const { x, range, smooth } = this.way;
    if (!takesLivePoints(this.way)) return false;
    const segments = this.runs.get(run);
    if (!segments) return true;
    const place = PLACES[x](segments, step, time);
    if (place === null) return false;
    if (range && (place < range[0] || place > range[1])) return true;
    const series = segmentFor(segments, step, time);
    const smoothed = series.smoothed && nextAverage(series, smooth, value);
    const isRepeated = addPoint(series, { x: place, step, value, time, smoothed });
    if (!isRepeated) this.totals.set(run, this.totals.get(run) + 1);
    if (series.xs.length > LIVE_LIMIT) segments[segments.length - 1] = thin(series, LIVE_LIMIT / 2);
    return true;
  }
}

const PLACES = {
  step: (_, step) => step,
  time: (_, __, time) => time,
  relative: (segments, _, time) => {
    const known = segments.find(({ xs }) => xs.length);
    return known ? known.xs[0] + (time - known.times[0]) / 1000 : null; // null: nobody knows when the run began
  },
};

/** Steps that go back while time goes on were started again; what the stream repeats is older. */
const segmentFor = (segments, step, time) => {
  const newest = segments[segments.length - 1];
  const isRestart = newest.steps.length && step < newest.steps.at(-1) && time > newest.times.at(-1);
  if (!isRestart || segments.length >= MAX_SEGMENTS) return newest;
  segments.push(emptySeries(newest));
  return segments[segments.length - 1];
};
