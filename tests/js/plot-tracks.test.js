import assert from "node:assert/strict";
import { test } from "node:test";

import { highlightLine, makeSeries } from "../../static/js/plot-tracks.js";

const track = (key, isBaseline = false) => ({ kind: "raw", line: { key, color: "red", dash: [], isBaseline } });
const widths = (series) => series.map(({ width }) => width);

test("the baseline's line is thicker than the others, whichever run is pointed at", () => {
  const tracks = [track("b"), track("a", true)];
  const plot = { tracks, series: [{}, ...makeSeries(tracks)], bold: null, redraw: () => {} };
  assert.deepEqual(widths(plot.series.slice(1)), [1.5, 2.5]);

  highlightLine(plot, "b");
  assert.deepEqual(widths(plot.series.slice(1)), [2.5, 2.5]);
  highlightLine(plot, null);
  assert.deepEqual(widths(plot.series.slice(1)), [1.5, 2.5]);
});
