import assert from "node:assert/strict";
import { test } from "node:test";

import { cursorSize, highlightLine, makeSeries } from "../../static/js/plot-tracks.js";

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

test("what a restart has replaced is paler, and is read like the rest", () => {
  const old = { kind: "raw", line: { color: "red", isOld: true } };
  const smoothed = { kind: "smoothed", line: { color: "red", isOld: true, smoothed: [] } };
  const faint = { kind: "raw", line: smoothed.line };
  const edge = { kind: "low", line: { color: "red" } };
  const tracks = [old, smoothed, faint, edge];

  assert.deepEqual(makeSeries([old]).map(({ stroke, alpha }) => [stroke, alpha]), [["red", 0.6]]);
  assert.deepEqual([1, 2, 3, 4, 5].map((place) => cursorSize(tracks, place)), [6, 6, 0, 0, 0]);
});
