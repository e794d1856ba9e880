// What one chart knows of its metric: each run's points, and finer ones of the zoomed range; no DOM.

import { addPoint, fromColumns, thin } from "./series.js";

export const LIVE_LIMIT = 4000; // points of a run: beyond it the live tail is thinned, spikes stay

const NOTHING = { steps: [], values: [], timestamps: [] };

const hasHoles = ({ steps }) => steps.at(-1) - steps[0] >= steps.length;

export class ChartData {
  /** `load(keys, range)` → {run: columns}; `range` is [from, to] in steps, or null for all. */
  constructor(load) {
    this.load = load;
    this.kept = new Set(); // keys of the runs that are watched
    this.whole = new Map(); // run key → series
    this.finer = null; // the same for the range, while zoomed
    this.range = null;
    this.loading = 0;
    this.waiting = []; // live points that came while something was loading
  }

  /** Forget the runs that are not watched any more: their live points do not come here. */
  keep(keys) {
    this.kept = new Set(keys);
    for (const target of [this.whole, this.finer ?? new Map()]) {
      for (const key of target.keys()) if (!this.kept.has(key)) target.delete(key);
    }
  }

  /** Load what is missing of these runs, and let the others go. */
  async show(keys) {
    this.keep(keys);
    const missing = keys.filter((key) => !this.whole.has(key));
    if (missing.length) await this.fetchInto(this.whole, missing, null);
    if (this.range) await this.zoom(this.range, keys);
  }

  /** Fetch finer points of the range. A zoom that was overtaken by another one is dropped. */
  async zoom(range, keys) {
    this.range = range;
    const finer = new Map();
    await this.fetchInto(finer, keys, range);
    if (this.range === range) this.finer = finer;
  }

  unzoom() {
    this.range = null;
    this.finer = null;
  }

  async fetchInto(target, keys, range) {
    this.loading += 1;
    try {
      const columns = await this.load(keys, range);
      for (const key of keys) {
        if (this.kept.has(key)) target.set(key, fromColumns(Object.hasOwn(columns, key) ? columns[key] : NOTHING));
      }
    } finally {
      this.loading -= 1;
      if (!this.loading) this.append(this.waiting.splice(0));
    }
  }

  /** Take in live points; those of runs that are not shown are left out. */
  append(points) {
    if (this.loading) {
      this.waiting.push(...points);
      return;
    }
    for (const { run, step, value, time } of points) {
      this.appendTo(this.whole, run, step, value, time);
      const [from, to] = this.range ?? [];
      if (this.finer && step >= from && step <= to) this.appendTo(this.finer, run, step, value, time);
    }
  }

  appendTo(target, run, step, value, time) {
    const series = target.get(run);
    if (!series) return;
    addPoint(series, step, value, time);
    if (series.steps.length > LIVE_LIMIT) target.set(run, thin(series, LIVE_LIMIT / 2));
  }

  /** The series of a run as they should be drawn now. */
  series(key) {
    return (this.finer ?? this.whole).get(key);
  }

  /**
   * How many of the logged points a zoom could add. Points that a later one of the same step
   * replaced are gone: where no step is missing there is nothing to add.
   */
  countHidden(logged) {
    const all = [...this.whole.values()];
    const shown = all.reduce((sum, { steps }) => sum + steps.length, 0);
    return all.some(hasHoles) ? Math.max(0, logged - shown) : 0;
  }
}
