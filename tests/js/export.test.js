import assert from "node:assert/strict";
import { test } from "node:test";

import { chartPicture, strokesOf } from "../../static/js/export-picture.js";
import { plotParts } from "../../static/js/export-plot.js";
import { escapeXml, toSvg } from "../../static/js/export-svg.js";

const EVIL = `</text><script>alert("1 & 2")</script>\u0000`;
const PALETTE = { background: "white", text: "black", muted: "grey", grid: "silver", font: 'a, "b"' };
const same = (value) => value;

const chart = (parts = {}) => ({
  title: EVIL,
  plot: { left: 50, top: 8, width: 100, height: 80 },
  size: { width: 160, height: 120 },
  xTicks: [{ at: 0, label: "0" }, { at: 100, label: "1 Jan\n12:00" }],
  yTicks: [{ at: 40, label: "0.5" }],
  lines: [{ color: "red", strokes: [[[0, 0], [10, 5]], [[20, 20]]] }],
  legend: [{ name: EVIL, color: "red" }],
  palette: PALETTE,
  ...parts,
});

test("a null breaks a stroke, a step the series does not have does not", () => {
  assert.deepEqual(strokesOf([0, 1, 2, 3, 4], [1, undefined, 2, null, 3], same, same), [[[0, 1], [2, 2]], [[4, 3]]]);
});

test("the picture has title, grid, labels, lines, lonely points and the legend below", () => {
  const { width, height, clip, shapes } = chartPicture(chart());
  const texts = shapes.filter(({ kind }) => kind === "text").map(({ text }) => text);

  assert.deepEqual([width, height], [192, 214]);
  assert.deepEqual(clip, { left: 66, top: 56, width: 100, height: 80 });
  assert.deepEqual(texts, [EVIL, "0", "1 Jan", "12:00", "0.5", EVIL]);
  assert.deepEqual(
    shapes.filter(({ inPlot }) => inPlot).map(({ kind, points, x, y }) => [kind, points ?? [x, y]]),
    [["line", [[66, 56], [76, 61]]], ["dot", [86, 76]]],
  );
});

test("a legend wraps, and a very long one ends", () => {
  const legend = [...Array(70)].map((_, i) => ({ name: `run ${i}`, color: "red" }));
  const { height, shapes } = chartPicture(chart({ legend, size: { width: 2000, height: 120 } }));
  const texts = shapes.filter(({ kind }) => kind === "text").map(({ text }) => text);

  assert.equal(texts.at(-1), "and 10 more");
  assert.ok(height < 400);
});

test("text in an SVG stays text", () => {
  const svg = toSvg(chartPicture(chart()));

  assert.equal(escapeXml(EVIL), "&lt;/text&gt;&lt;script&gt;alert(&quot;1 &amp; 2&quot;)&lt;/script&gt;");
  assert.ok(!svg.includes("<script"));
  assert.ok(!svg.includes("\u0000"));
  assert.ok(svg.includes('font-family="a, &quot;b&quot;"'));
});

test("an SVG has vector lines that end at the plot's edges", () => {
  const svg = toSvg(chartPicture(chart({ lines: [{ color: "red", dash: [7, 4], alpha: 0.5, strokes: [[[0, 0], [1 / 3, 5]]] }] })));

  assert.ok(svg.includes('<path d="M66 56L66.33 61" fill="none" stroke="red" stroke-width="1.5" stroke-linejoin="round" stroke-dasharray="7 4" opacity="0.5"/>'));
  assert.ok(svg.includes('<rect x="66" y="56" width="100" height="80"/>'));
});

test("the parts of a plot come from what it shows", () => {
  const plot = {
    width: 300,
    height: 200,
    bbox: { left: 100, top: 20, width: 400, height: 300 },
    data: [[0, 1, 2], [1, 2, null], [5, 6, 7], [3, 4, 5]],
    series: [{}, { stroke: () => "red", width: 2, dash: [1, 2], alpha: 0.3 }, { stroke: "transparent", width: 0 }, { stroke: "green", width: 1 }],
    tracks: [{}, {}, { line: { color: "blue" } }],
    bands: [{ series: [2, 3], fill: "color-mix(in srgb, blue 14%, transparent)" }],
    picture: { axis: { name: "step", title: "" } },
    axes: [{ _splits: [0, 1, 9], _values: ["0", "1", "9"] }, { _splits: [1], _values: [null] }],
    valToPos: (value) => value * 100,
  };

  const series = { xs: [1, 1, 9], values: [NaN, Infinity, NaN] };
  const lines = [
    { key: "b", name: "b", color: "blue", series: { xs: [], values: [] } },
    { key: "a", name: "a", color: "red", dash: [1, 2], series: { xs: [1], values: [2] } },
    { key: "a", name: "a", color: "red", dash: [1, 2], series },
  ];

  assert.deepEqual(plotParts(plot, lines, 2), {
    size: { width: 300, height: 200 },
    plot: { left: 50, top: 10, width: 200, height: 150 },
    xTitle: "step",
    xTicks: [{ at: 0, label: "0" }, { at: 100, label: "1" }],
    yTicks: [{ at: 100, label: "" }],
    lines: [
      { color: "red", width: 2, dash: [1, 2], alpha: 0.3, strokes: [[[0, 100], [100, 200]]] },
      { color: "green", width: 1, dash: [], alpha: 1, strokes: [[[0, 300], [100, 400], [200, 500]]] },
      {
        color: "red",
        width: 1.5,
        dash: [],
        alpha: 1,
        strokes: [[[97, 141], [103, 147]], [[103, 141], [97, 147]], [[97, 9], [100, 3], [103, 9]]],
      },
    ],
    shapes: [
      {
        kind: "area",
        color: "blue",
        alpha: 0.2,
        inPlot: true,
        points: [[0, 500], [100, 600], [200, 700], [200, 500], [100, 400], [0, 300]],
      },
    ],
    legend: [{ name: "a", color: "red", dash: [1, 2] }, { name: "b", color: "blue", dash: undefined }],
  });
});
