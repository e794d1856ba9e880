// What one chart knows of its metric: the points of its runs, and finer ones while zoomed; no DOM.

import { Layer } from "./layer.js";

const WAITING_LIMIT = 20_000; // live points that wait for an answer: beyond it all is asked for anew

export class ChartData {
  /** `load(keys, {x, smooth, group, range})` → {run or group: columns}; `range` in units of x, or null. */
  constructor(load) {
    this.load = load;
    this.drawn = { whole: null, finer: null }; // layers
    this.coming = { whole: null, finer: null }; // the layers that are drawn, or will be
    this.age = 0; // raised when what is here may be outdated
    this.isBehind = false; // live points came that only the server can place
    this.loading = 0;
    this.waiting = []; // live points that came while something was loading
  }

  /** Forget the runs that are not watched any more: their live points do not come here. */
  keep(keys) {
    const kept = new Set(keys);
    this.layers().forEach((layer) => layer.keep(kept));
  }

  layers() {
    return [...new Set([...Object.values(this.drawn), ...Object.values(this.coming)])].filter(Boolean);
  }

  /** What is here may have missed something: the next `show` asks for all of it again. */
  outdate() {
    this.age += 1;
    this.isBehind = false;
  }

  /** Load what is missing of these runs, and let the others go. `wanted`: {x, smooth, group, range}; `isFiner`: a zoom has more points. */
  async show(keys, wanted, isFiner = true) {
    this.keep(keys);
    const { x, smooth, group, range } = wanted;
    const way = { x, smooth, group, range };
    if (!range || !isFiner) this.drawn.finer = this.coming.finer = null;
    const tasks = [this.showLayer("whole", keys, { ...way, range: null })];
    if (range && isFiner) tasks.push(this.showLayer("finer", keys, way));
    await Promise.all(tasks);
  }

  /** A layer replaces the drawn one when it is whole. One that was overtaken is dropped. */
  async showLayer(place, keys, way) {
    const id = JSON.stringify([this.age, way, way.group ? keys : []]);
    if (this.coming[place]?.id !== id) this.coming[place] = new Layer(id, way);
    const layer = this.coming[place];
    if (place === "whole" && !this.drawn.whole) this.drawn.whole = layer;
    await this.fill(layer, keys);
    if (this.coming[place] === layer) this.drawn[place] = layer;
  }

  async fill(layer, keys) {
    this.loading += 1;
    try {
      await layer.fill(this.load, keys);
    } finally {
      this.loading -= 1;
      if (!this.loading) this.append(this.waiting.splice(0));
    }
  }

  /** Take in live points. */
  append(points) {
    if (this.loading) this.wait(points);
    else for (const layer of this.layers()) for (const point of points) if (!layer.append(point)) this.isBehind = true;
  }

  wait(points) {
    if (this.waiting.length + points.length > WAITING_LIMIT) this.isBehind = true;
    else this.waiting.push(...points);
  }

  /** The layer to draw for the range: finer points, where they reach far enough. */
  layer(range) {
    const { whole, finer } = this.drawn;
    const reaches = finer && range && finer.way.range[0] <= range[0] && finer.way.range[1] >= range[1];
    return reaches && finer.way.x === whole.way.x && finer.way.group === whole.way.group ? finer : whole;
  }

  /** From the first x to the last one of all points. */
  extent() {
    const ends = [...this.drawn.whole.runs.values()].flat().flatMap(({ xs }) => (xs.length ? [xs[0], xs.at(-1)] : []));
    return [Math.min(...ends), Math.max(...ends)];
  }

  /** Whether a zoom may have more points than those that are here. */
  isThinned() {
    return this.drawn.whole?.hiddenCount > 0;
  }

  /** How many points of the range are not drawn; null until the answer that tells is here. */
  countHidden(range) {
    const layer = this.layer(range);
    if (!layer?.hiddenCount) return 0;
    return JSON.stringify(layer.way.range) === JSON.stringify(range) ? layer.hiddenCount : null;
  }
}
