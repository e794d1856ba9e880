// <run-scatter data-source="…">: a dot for each run, with its figures on hover and its page on click.

import { valueText } from "./compare-scales.js";
import { RunFigure, svg } from "./compare-figure.js";
import { chartPicture, PAD } from "./export-picture.js";
import { scatterDots, scatterNote } from "./scatter-dots.js";

const RADIUS = 5;

const isLog = (name) => new URLSearchParams(location.search).has(name);

class RunScatter extends RunFigure {
  draw() {
    const look = this.look();
    if (!look.size.width) return;
    this.parts = { ...scatterDots(this.data, { ...look, logH: isLog("log_h"), logV: isLog("log_v") }), size: look.size };
    this.note.textContent = scatterNote(this.parts) + this.rest();
    const frame = chartPicture({ ...this.parts, legend: [], shapes: [this.upTitle(look.palette)], palette: look.palette });
    const drawn = this.show(frame, this.parts.legend);
    const { left, top } = this.parts.plot;
    const dots = svg("g", { transform: `translate(${left + PAD} ${top + PAD})`, class: "plot-dots" }, this.parts.dots.map((dot) => this.link(dot)));
    drawn.append(dots);
  }

  upTitle({ muted }) {
    return { kind: "text", x: 4, y: 4, text: this.parts.yTitle, color: muted, size: 11, anchor: "start" };
  }

  link(dot) {
    const circle = svg("circle", { cx: dot.x.toFixed(1), cy: dot.y.toFixed(1), r: RADIUS, fill: dot.color });
    const link = svg("a", { href: this.addressOf(dot.run), tabindex: -1, "aria-label": dot.run.name }, [circle]);
    link.addEventListener("pointerenter", (event) => this.point(dot, link, event));
    link.addEventListener("pointerleave", () => (this.tip.hidden = true));
    return link;
  }

  point({ run, color }, link, event) {
    const texts = this.data.fields.map(({ label, kind }, i) => [label, valueText(run.values[i], kind)]);
    this.showTip(run, color, texts, event);
  }

  picture(palette) {
    const dots = this.parts.dots.map(({ x, y, color }) => ({ kind: "dot", x, y, r: RADIUS, color, alpha: 0.85, inPlot: true }));
    const title = `${this.parts.yTitle} over ${this.parts.xTitle}`;
    return chartPicture({ ...this.parts, title, palette, shapes: [this.upTitle(palette), ...dots] });
  }
}

export const startScatter = () => customElements.define("run-scatter", RunScatter);
