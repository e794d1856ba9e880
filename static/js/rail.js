// NaN and infinities as marks at the edge of the plot: they have a place on the x axis, but no height.

import { oddPoints } from "./series.js";

const SIZE = 3; // CSS pixels from the middle of a mark to its edge

const SHAPES = {
  NaN: (pen, x, y, r) => {
    pen.moveTo(x - r, y - r);
    pen.lineTo(x + r, y + r);
    pen.moveTo(x + r, y - r);
    pen.lineTo(x - r, y + r);
  },
  "∞": (pen, x, y, r) => arrow(pen, x, y, r, -1),
  "-∞": (pen, x, y, r) => arrow(pen, x, y, r, 1),
};

const arrow = (pen, x, y, r, direction) => {
  pen.moveTo(x - r, y - r * direction);
  pen.lineTo(x, y + r * direction);
  pen.lineTo(x + r, y - r * direction);
};

/** A hook for uPlot's `draw`. */
export const drawRail = (plot) => {
  const { ctx: pen, bbox } = plot;
  const scale = devicePixelRatio;
  const edges = { "∞": bbox.top + 6 * scale, NaN: bbox.top + bbox.height - 6 * scale };
  pen.save();
  pen.lineWidth = 1.5 * scale;
  for (const { color, series } of plot.lines) {
    pen.strokeStyle = color;
    pen.beginPath();
    for (const { x: place, kind } of oddPoints(series)) {
      const x = plot.valToPos(place, "x", true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      SHAPES[kind](pen, x, edges[kind] ?? edges.NaN, SIZE * scale);
    }
    pen.stroke();
  }
  pen.restore();
};
