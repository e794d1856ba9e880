// <run-parallel data-source="…">: drag along an axis to keep the lines that pass there.

import { valueText } from "./compare-scales.js";
import { pathOf, RunFigure, svg } from "./compare-figure.js";
import { chartPicture, PAD } from "./export-picture.js";
import { brushText, nearestLine, parallelAxes, parallelWidth, passes, readBrushes } from "./parallel-axes.js";

const REACH = 12; // CSS pixels beside an axis that belong to it, or to a line
const PALE = 0.06;

class RunParallel extends RunFigure {
  connectedCallback() {
    this.brushes = readBrushes(new URLSearchParams(location.search).getAll("brush"));
    this.box = this.querySelector(".plot-box");
    this.box.addEventListener("pointerdown", (event) => this.grab(event));
    this.box.addEventListener("pointermove", (event) => this.move(event));
    this.box.addEventListener("pointerup", () => this.release());
    this.box.addEventListener("pointerleave", () => this.point(null));
    this.box.addEventListener("click", () => this.open());
    this.querySelector("[data-clear]").addEventListener("click", () => this.keep(new Map()));
    super.connectedCallback();
  }

  draw() {
    const look = this.look();
    if (!look.size.width || this.data.fields.length < 2) return;
    const size = { ...look.size, width: parallelWidth(this.data.fields.length, look.size.width) };
    this.parts = { ...parallelAxes(this.data, { ...look, size }), size };
    const drawn = this.show(chartPicture({ ...this.parts, lines: [], legend: [], shapes: this.frame(look.palette), palette: look.palette }));
    const { left, top } = this.parts.plot;
    this.paths = this.parts.lines.map(({ points, color }) => svg("path", { d: pathOf(points), stroke: color, class: "plot-line" }));
    this.bars = svg("g", { class: "plot-brushes" });
    drawn.prepend(svg("g", { transform: `translate(${left + PAD} ${top + PAD})` }, [svg("g", {}, this.paths), this.bars]));
    this.mark();
  }

  /** Axes and their labels, within the plot. */
  frame({ text, muted }) {
    const { axes, plot } = this.parts;
    return axes.flatMap(({ x, label, ticks }) => [
      { kind: "line", points: [[x, 0], [x, plot.height]], color: muted, width: 1, dash: [], alpha: 1 },
      { kind: "text", x, y: -16, text: label, color: text, size: 12, anchor: "middle" },
      ...ticks.map(({ y, label: tick }) => ({ kind: "text", x: x - 6, y: y + 4, text: tick, color: muted, size: 11, anchor: "end" })),
    ]);
  }

  /** Pale what does not pass the brushes, and say how much does. */
  mark() {
    const { axes, lines, plot } = this.parts;
    const passing = lines.map((line) => passes(line, axes, this.brushes));
    this.paths.forEach((path, i) => path.classList.toggle("is-pale", !passing[i]));
    this.bars.replaceChildren(
      ...axes
        .filter(({ name }) => this.brushes.has(name))
        .map(({ name, x }) => {
          const [from, to] = this.brushes.get(name);
          return svg("rect", { x: x - 5, width: 10, y: (1 - to) * plot.height, height: (to - from) * plot.height });
        }),
    );
    const count = passing.filter(Boolean).length;
    this.note.textContent = (this.brushes.size ? `${count} of ${lines.length} runs pass` : `${lines.length} runs · drag along an axis to filter`) + this.rest();
    this.querySelector("[data-clear]").hidden = !this.brushes.size;
  }

  /** Where the pointer is within the plot. */
  place({ clientX, clientY }) {
    const frame = this.box.querySelector("svg").getBoundingClientRect();
    return { x: clientX - frame.left - this.parts.plot.left, y: clientY - frame.top - this.parts.plot.top };
  }

  share(y) {
    return Math.max(0, Math.min(1, 1 - y / this.parts.plot.height));
  }

  grab(event) {
    if (!this.parts || event.button) return;
    const { x, y } = this.place(event);
    const axis = this.parts.axes.find((one) => Math.abs(one.x - x) <= REACH);
    if (!axis) return;
    event.preventDefault();
    this.box.setPointerCapture(event.pointerId);
    this.dragged = { name: axis.name, from: this.share(y), to: this.share(y) };
  }

  move(event) {
    if (!this.parts) return;
    const { x, y } = this.place(event);
    if (!this.dragged) return this.point(this.nearest(x, y), event);
    this.dragged.to = this.share(y);
    this.brush();
    return this.mark();
  }

  /** A click on an axis takes its brush away. */
  brush() {
    const { name, from, to } = this.dragged;
    this.brushes.delete(name);
    if (Math.abs(from - to) >= 0.01) this.brushes.set(name, [Math.min(from, to), Math.max(from, to)]);
  }

  release() {
    if (!this.dragged) return;
    this.brush();
    this.dragged = null;
    this.hasDragged = true; // the click that follows is none
    this.keep(this.brushes);
  }

  keep(brushes) {
    this.brushes = brushes;
    const query = new URLSearchParams(location.search);
    query.delete("brush");
    brushes.forEach((range, name) => query.append("brush", brushText(name, range)));
    history.replaceState(history.state, "", `?${query}`);
    this.mark();
  }

  /** The line under the pointer, among those that are not pale. */
  nearest(x, y) {
    return nearestLine(this.parts, x, y, REACH, (i) => !this.paths[i].matches(".is-pale"));
  }

  point(place, event) {
    this.paths?.[this.pointed]?.classList.remove("is-pointed");
    this.paths?.[place]?.classList.add("is-pointed");
    this.pointed = place;
    if (this.tip) this.tip.hidden = place === null;
    if (place === null) return;
    const { run, color } = this.parts.lines[place];
    this.paths[place].parentNode.append(this.paths[place]); // on top
    const texts = this.data.fields.map(({ label, kind }, i) => [label, valueText(run.values[i], kind)]);
    this.showTip(run, color, texts, event);
  }

  open() {
    if (this.hasDragged) this.hasDragged = false;
    else if (this.pointed != null) location.assign(this.addressOf(this.parts.lines[this.pointed].run));
  }

  picture(palette) {
    const { axes, lines } = this.parts;
    const drawn = lines.map((line) => {
      const alpha = passes(line, axes, this.brushes) ? 0.8 : PALE;
      return { color: line.color, width: 1.5, alpha, strokes: [line.points] };
    });
    return chartPicture({ ...this.parts, legend: [], title: `${axes.at(-1).label} · ${lines.length} runs`, lines: drawn, shapes: this.frame(palette), palette });
  }
}

export const startParallel = () => customElements.define("run-parallel", RunParallel);
