// <metric-chart data-metric="train/loss">: loads when it comes into view, then lives on the stream.

import { listen } from "./bus.js";
import { ChartData } from "./chart-data.js";
import { showLegend } from "./chart-legend.js";
import { showWords } from "./chart-note.js";
import { rangeText } from "./chart-view.js";
import { drawSoon } from "./frames.js";
import { drawnView } from "./groups.js";
import { streamReady } from "./live.js";
import { loadSeries } from "./loader.js";
import { countPoints } from "./note-text.js";
import { makePicture } from "./picture.js";
import { drawPlot } from "./plot.js";
import { highlightLine } from "./plot-tracks.js";
import { renewSoon } from "./renewals.js";
import { chosenRuns } from "./selection.js";
import { unwatch, watch } from "./sight.js";
import { changeView, chartView } from "./url-state.js";

const chosenKeys = () => chosenRuns().map(({ key }) => key);

class MetricChart extends HTMLElement {
  connectedCallback() {
    if (this.data) return; // moved within the page by a swap: it keeps what it has drawn
    this.metric = this.dataset.metric;
    this.data = new ChartData((keys, way) => loadSeries(this.metric, keys, way));
    this.box = this.querySelector(".chart-plot");
    this.lines = [];
    Object.assign(this.box, { tabIndex: 0, role: "application" }); // see chart-keys.js
    this.stopListening = [
      listen("selection", () => this.follow()),
      listen("stream-open", ({ reload }) => this.recover(reload)),
      listen("points", ({ byMetric }) => this.take(byMetric.get(this.metric))),
      listen("highlight", ({ run }) => highlightLine(this.plot, run)),
      listen("view", () => this.follow()),
      listen("smoothing", () => this.redraw()),
    ];
    watch(this);
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

  /** Other runs, or another view of them. */
  follow() {
    if (!this.data) return;
    this.data.keep(chosenKeys());
    this.redraw();
    this.load();
  }

  /** The stream is back: what it may have missed is not known, and what failed may now work. */
  recover(hasMissed) {
    if (hasMissed) this.renew();
    else if (this.error) this.load();
  }

  renew() {
    if (!this.data) return;
    this.data.outdate();
    this.load();
  }

  /** Load what is missing; out of sight, later. */
  async load() {
    this.isLoaded = this.isVisible;
    if (!this.isVisible) return;
    await streamReady();
    try {
      await this.show();
      this.error = "";
    } catch (error) {
      this.error = error.message;
      this.isLoaded = false;
    }
    this.redraw();
  }

  /** That a zoom has more points may turn out only when there is something to compare. */
  async show() {
    const isThinned = this.data && this.isThinned();
    await this.data?.show(chosenKeys(), drawnView(), isThinned);
    if (!isThinned && this.data && chartView().range && this.isThinned()) await this.show();
  }

  take(points) {
    if (!points) return;
    this.data.append(points);
    this.redraw();
  }

  isThinned() {
    return Boolean(drawnView().group) || this.data.isThinned();
  }

  /** Out of sight, later. */
  redraw() {
    this.isDirty = true;
    if (this.isVisible) drawSoon(this);
  }

  draw() {
    if (!this.data) return; // it has left the page since it was asked to draw
    this.isDirty = false;
    if (this.data.isBehind) renewSoon(this);
    const picture = makePicture(this.metric, this.data);
    const { lines } = picture;
    if (!countPoints(lines) && this.data.loading) return; // the shape stays until there is something
    this.plot = drawPlot(this.plot, this, picture);
    this.lines = lines;
    this.dataset.state = this.error ? "error" : "ready";
    showWords(this, picture);
  }

  fit() {
    showLegend(this);
    const { clientWidth: width, clientHeight: height } = this.box;
    if (width && height) this.plot?.setSize({ width, height });
  }

  /** The plot calls it with the part of the x axis that was dragged over: all charts go there. */
  zoom(range) {
    changeView({ xr: rangeText(range) }, { isStep: true });
  }

  unzoom() {
    if (chartView().range) changeView({ xr: "" }, { isStep: true });
  }
}

export const startCharts = () => customElements.define("metric-chart", MetricChart);
