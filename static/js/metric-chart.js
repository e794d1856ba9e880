// <metric-chart data-metric="train/loss">: loads when it comes into view, then lives on the stream.

import { listen } from "./bus.js";
import { ChartData } from "./chart-data.js";
import { countPoints, makeLines, newestTime, noteText } from "./chart-lines.js";
import { showNote } from "./chart-note.js";
import { drawSoon } from "./frames.js";
import { streamReady } from "./live.js";
import { loadSeries } from "./loader.js";
import { drawPlot, highlightLine } from "./plot.js";
import { chosenRuns } from "./selection.js";
import { unwatch, watch } from "./sight.js";
import { hasParam, smoothingWeight, toggleParam } from "./url-state.js";

const chosenKeys = () => chosenRuns().map(({ key }) => key);

class MetricChart extends HTMLElement {
  connectedCallback() {
    if (this.data) return; // moved within the page by a swap: it keeps what it has drawn
    this.metric = this.dataset.metric;
    this.data = new ChartData((keys, range) => loadSeries(this.metric, keys, range));
    this.box = this.querySelector(".chart-plot");
    this.isLog = hasParam("log", this.metric);
    this.stopListening = [
      listen("selection", () => this.reselect()),
      listen("stream-open", ({ reload }) => this.recover(reload)),
      listen("points", ({ byMetric }) => this.take(byMetric.get(this.metric))),
      listen("highlight", ({ run }) => highlightLine(this.plot, run)),
      listen("smoothing", () => this.redraw()),
    ];
    this.addEventListener("click", this.press);
    watch(this);
    this.showButtons();
  }

  /** Where the browser can move an element without taking it out, there is nothing to do. */
  connectedMoveCallback() {}

  disconnectedCallback() {
    setTimeout(() => this.isConnected || this.destroy());
  }

  destroy() {
    this.stopListening.forEach((stop) => stop());
    unwatch(this);
    this.plot?.destroy();
    this.data = this.plot = null;
  }

  setVisible(isVisible) {
    this.isVisible = isVisible;
    if (isVisible && !this.isLoaded) this.load();
    else if (isVisible && this.isDirty) this.redraw();
  }

  reselect() {
    this.data.keep(chosenKeys());
    this.redraw();
    this.load();
  }

  /** The stream is back: what it may have missed is not known, and what failed may now work. */
  recover(hasMissed) {
    if (hasMissed) this.data.keep([]);
    if (hasMissed || this.error) this.load();
  }

  /** Load what is missing; out of sight, later. */
  async load() {
    this.isLoaded = this.isVisible;
    if (!this.isVisible) return;
    await streamReady();
    await this.attempt(() => this.data?.show(chosenKeys()));
  }

  async attempt(work) {
    try {
      await work();
      this.error = "";
    } catch (error) {
      this.error = error.message;
      this.isLoaded = false;
    }
    this.redraw();
  }

  take(points) {
    if (!points) return;
    this.data.append(points);
    this.redraw();
  }

  /** Out of sight, later. */
  redraw() {
    this.isDirty = true;
    if (this.isVisible) drawSoon(this);
  }

  draw() {
    if (!this.data) return; // it has left the page since it was asked to draw
    this.isDirty = false;
    const { data, isLog } = this;
    const { points: logged, thinned } = this.parentElement.dataset;
    const hiddenCount = thinned === undefined ? 0 : data.countHidden(logged);
    const isZoomed = Boolean(data.range);
    const share = isZoomed || !hiddenCount ? 1 : 1 - hiddenCount / logged;
    const lines = makeLines(chosenRuns(), (key) => data.series(key), smoothingWeight(), share);
    if (!countPoints(lines) && data.loading) return; // the shape stays until there is something
    this.plot = drawPlot(this.plot, this, lines);
    this.dataset.state = this.error ? "error" : "ready";
    showNote(this, this.error || noteText(lines, { hiddenCount, isLog, isZoomed }), newestTime(lines));
    this.showButtons();
  }

  fit() {
    const { clientWidth: width, clientHeight: height } = this.box;
    if (width && height) this.plot?.setSize({ width, height });
  }

  /** The plot calls it with the steps that were dragged over. */
  async zoom(range) {
    this.data.range = range;
    this.redraw();
    await this.attempt(() => this.data.zoom(range, chosenKeys()));
  }

  unzoom() {
    this.data.unzoom();
    this.redraw();
  }

  press({ target }) {
    if (target.closest("[data-reset]")) this.unzoom();
    if (!target.closest("[data-log]")) return;
    this.isLog = toggleParam("log", this.metric);
    this.redraw();
  }

  showButtons() {
    this.querySelector("[data-log]").setAttribute("aria-pressed", String(this.isLog));
    this.querySelector("[data-reset]").hidden = !this.data.range;
  }
}

export const startCharts = () => customElements.define("metric-chart", MetricChart);
