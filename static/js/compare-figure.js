// What the plots of the compare page have in common: data from the page's JSON twin, SVG, a tooltip.

import { count } from "./format.js";
import { PAD } from "./export-picture.js";
import { paletteOf } from "./exports.js";

const SVG = "http://www.w3.org/2000/svg";
const COLORS = 12;
const TIP_GAP = 12;

/** An SVG element; attributes only, so that no policy about styles is in the way. */
export const svg = (tag, attributes = {}, children = []) => {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
};

const PAINTERS = {
  line: ({ points, color, width }) => svg("path", { d: pathOf(points), stroke: color, "stroke-width": width, fill: "none" }),
  text: ({ x, y, text, color, size, anchor }) => svg("text", { x, y, fill: color, "font-size": size, "text-anchor": anchor }, [text]),
};

export const pathOf = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

/** A picture without title and legend, as it stands on the page. */
const svgOf = ({ width, height, shapes }) => {
  const size = { width: width - 2 * PAD, height: height - 2 * PAD };
  const viewBox = `${PAD} ${PAD} ${size.width} ${size.height}`;
  return svg("svg", { ...size, viewBox }, shapes.map((shape) => PAINTERS[shape.kind](shape)));
};

const element = (tag, className, ...content) => {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...content);
  return made;
};

export class RunFigure extends HTMLElement {
  connectedCallback() {
    this.box = this.querySelector(".plot-box");
    this.note = this.querySelector(".plot-note");
    this.sizes = new ResizeObserver(() => this.fit());
    this.sizes.observe(this.box);
    this.redraw = () => this.data && this.draw();
    document.addEventListener("theme-change", this.redraw);
    this.load();
  }

  disconnectedCallback() {
    this.sizes.disconnect();
    document.removeEventListener("theme-change", this.redraw);
  }

  async load() {
    try {
      const response = await fetch(this.dataset.source);
      if (!response.ok) throw new Error(`The server answered ${response.status}`);
      this.data = await response.json();
      this.redraw();
    } catch (error) {
      this.note.textContent = error.message;
    }
  }

  fit() {
    const { clientWidth: width, clientHeight: height } = this.box;
    if (this.drawnSize !== `${width}×${height}`) this.redraw();
  }

  /** {size, series, none, palette}: the box and the theme as they are now. */
  look() {
    const { clientWidth: width, clientHeight: height } = this.box;
    this.drawnSize = `${width}×${height}`;
    const style = getComputedStyle(this);
    const series = [...Array(COLORS)].map((_, i) => style.getPropertyValue(`--series-${i}`).trim());
    const palette = paletteOf(this);
    return { size: { width, height }, series, none: palette.muted, palette };
  }

  show(picture, legend = []) {
    this.tip = element("div", "plot-tip");
    this.tip.hidden = true;
    this.box.replaceChildren(svgOf(picture), this.tip);
    this.querySelector(".plot-legend").replaceChildren(...legend.slice(0, COLORS).map(legendItem));
    return this.box.querySelector("svg");
  }

  /** The run's name and its values beside the pointer; textContent only: names come from anybody. */
  showTip(run, color, texts, { clientX, clientY }) {
    const dot = element("i", "chart-tip-swatch");
    dot.style.background = color;
    const rows = texts.map(([label, text]) => element("p", "plot-tip-row", element("span", "muted", label), element("b", "", text)));
    this.tip.replaceChildren(element("p", "plot-tip-name", dot, run.name), ...rows);
    this.tip.hidden = false;
    const frame = this.box.getBoundingClientRect();
    const x = clientX - frame.left + this.box.scrollLeft;
    const { offsetWidth: width, offsetHeight: height } = this.tip;
    const isLeft = x + TIP_GAP + width > this.box.scrollLeft + frame.width;
    this.tip.style.left = `${Math.max(0, isLeft ? x - TIP_GAP - width : x + TIP_GAP)}px`;
    this.tip.style.top = `${Math.max(0, Math.min(clientY - frame.top, frame.height - height))}px`;
  }

  addressOf(run) {
    return this.dataset.runs + encodeURIComponent(run.key);
  }

  /** What the server left out. */
  rest() {
    const { runs, total } = this.data;
    return total > runs.length ? ` · the newest of ${count(total)}` : "";
  }

  rows() {
    const { fields, runs } = this.data;
    return [["run", "name", ...fields.map(({ name }) => name)], ...runs.map(({ key, name, values }) => [key, name, ...values])];
  }
}

const legendItem = ({ name, color }) => {
  const dot = element("i", "chart-tip-swatch");
  dot.style.background = color;
  return element("li", "", dot, name);
};
