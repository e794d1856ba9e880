import assert from "node:assert/strict";
import { test } from "node:test";

import { makeColors, makeScale, niceStep, rampColor, valueText } from "../../static/js/compare-scales.js";
import { brushText, isSpread, nearestLine, parallelAxes, parallelWidth, passes, readBrushes } from "../../static/js/parallel-axes.js";
import { scatterDots, scatterNote } from "../../static/js/scatter-dots.js";

const SERIES = ["red", "green", "blue"];
const LOOK = { size: { width: 280, height: 256 }, series: SERIES, none: "grey", logH: false, logV: false };
const FIELDS = [
  { name: "config.lr", label: "lr", kind: "number" },
  { name: "loss", label: "loss", kind: "number" },
  { name: "config.opt", label: "opt", kind: "text" },
];
const run = (key, color, ...values) => ({ key, name: key, color, values });

test("a scale has its values between its ends and round ticks", () => {
  const { at, ticks } = makeScale([0, 10, null], { kind: "number" });

  assert.deepEqual([0, 5, 10].map((value) => Number(at(value).toFixed(4))), [0.037, 0.5, 0.963]);
  assert.deepEqual(ticks.map(({ label }) => label), ["0", "2", "4", "6", "8", "10"]);
  assert.ok(Number.isNaN(at(null)));
});

test("a log scale has no place for what is not above zero", () => {
  const { at, ticks } = makeScale([0.001, 0, -1, 1], { kind: "number", isLog: true });

  assert.deepEqual(ticks.map(({ label }) => label), ["0.001", "0.01", "0.1", "1"]);
  assert.ok(Math.abs(at(1) - at(0.1) - (at(0.1) - at(0.01))) < 1e-9);
  assert.ok([0, -1, null].every((value) => Number.isNaN(at(value))));
});

test("texts have a place each, in natural order, and only some labels where there are many", () => {
  const { at, ticks } = makeScale(["b10", "b2", "b2", null], { kind: "text" });

  assert.deepEqual([at("b2"), at("b10")], [0.25, 0.75]);
  assert.deepEqual(ticks.map(({ label }) => label), ["b2", "b10"]);
  assert.ok(makeScale([...Array(500)].map((_, i) => `n${i}`), { kind: "text" }).ticks.length <= 40);
});

test("scales of one value and of none are scales", () => {
  assert.equal(makeScale([5], { kind: "number" }).at(5), 0.5);
  assert.equal(makeScale([0], { kind: "number" }).at(0), 0.5);
  assert.deepEqual(makeScale([], { kind: "text" }).ticks, []);
  assert.equal(makeScale([], { kind: "number", isLog: true }).ticks.length > 0, true);
});

test("steps between ticks are round", () => {
  assert.deepEqual([0.03, 1, 7, 20].map((least) => Number(niceStep(least).toPrecision(3))), [0.05, 1, 10, 20]);
});

test("values are written as what they are", () => {
  assert.deepEqual(
    [valueText(null, "number"), valueText(0.123456, "number"), valueText(0, "time"), valueText(90, "duration"), valueText("adam", "text")],
    ["–", "0.1235", "1970-01-01 00:00:00 UTC", "90 s", "adam"],
  );
});

test("colours: a text each its own, numbers from low to high, missing ones apart", () => {
  const texts = makeColors(["b", "a", null, "b"], "text", SERIES, "grey");
  const numbers = makeColors([1, 3, null], "number", SERIES, "grey");

  assert.deepEqual([texts.of("a"), texts.of("b"), texts.of(null)], ["red", "green", "grey"]);
  assert.deepEqual([numbers.of(1), numbers.of(3), numbers.of(null)], [rampColor(0), rampColor(1), "grey"]);
  assert.deepEqual(numbers.legend.map(({ name }) => name), ["1", "2", "3"]);
});

test("dots lie where their values are; what has no place is counted", () => {
  const runs = [run("a", 0, 0.1, 1, "x"), run("b", 1, 0.3, 3, null), run("c", 2, null, 1, "x"), run("d", 3, -1, 2, "y")];
  const parts = scatterDots({ fields: FIELDS, runs }, { ...LOOK, logH: true });

  assert.deepEqual(parts.dots.map(({ run: { key }, color }) => [key, color]), [["a", "red"], ["b", "grey"]]);
  assert.ok(parts.dots[0].x < parts.dots[1].x && parts.dots[0].y > parts.dots[1].y);
  assert.deepEqual(parts.legend, [{ name: "x", color: "red" }, { name: "y", color: "green" }]);
  assert.equal(scatterNote(parts), "2 of 4 runs · 1 without one of the values · 1 ≤ 0 not on a log axis");
});

test("without a field of colour each run has its own", () => {
  const { dots, legend } = scatterDots({ fields: FIELDS.slice(0, 2), runs: [run("a", 4, 1, 1)] }, LOOK);

  assert.deepEqual([dots[0].color, legend], ["green", []]);
});

test("parallel coordinates: a point on each axis, below it where a value is missing", () => {
  const runs = [run("a", 0, 0.1, 1, "x"), run("b", 1, 0.3, null, "y")];
  const { axes, lines, plot } = parallelAxes({ fields: FIELDS, runs }, LOOK);

  assert.deepEqual(axes.map(({ label, x }) => [label, x]), [["lr", 0], ["loss", plot.width / 2], ["opt", plot.width]]);
  assert.deepEqual(lines.map(({ color }) => color), ["red", "green"]);
  assert.ok(lines[1].points[1][1] > plot.height);
});

test("a brush keeps the lines that pass, and never one without a value", () => {
  const runs = [run("a", 0, 0, 1, "x"), run("b", 1, 10, 1, "x"), run("c", 2, null, 1, "x")];
  const { axes, lines } = parallelAxes({ fields: FIELDS, runs }, LOOK);
  const passing = (brushes) => lines.filter((line) => passes(line, axes, new Map(brushes))).map(({ run: { key } }) => key);

  assert.deepEqual(passing([]), ["a", "b", "c"]);
  assert.deepEqual(passing([["config.lr", [0.5, 1]]]), ["b"]);
  assert.deepEqual(passing([["config.lr", [0, 1]], ["gone", [0, 0.1]]]), ["a", "b"]);
});

test("the nearest line is found between two axes", () => {
  const runs = [run("a", 0, 0, 0, "x"), run("b", 1, 10, 10, "x")];
  const parts = parallelAxes({ fields: FIELDS, runs }, LOOK);
  const [low, high] = parts.lines.map(({ points }) => points[0][1]);

  assert.equal(nearestLine(parts, 10, low - 2, 12), 0);
  assert.equal(nearestLine(parts, 10, high + 2, 12), 1);
  assert.equal(nearestLine(parts, 10, high + 2, 12, (i) => i !== 1), null);
  assert.equal(nearestLine(parts, -5, low, 12), null);
});

test("brushes survive the URL, and nonsense does not", () => {
  const text = brushText('metric,"a', [0.1234, 0.5]);

  assert.equal(text, '0.123,0.500,metric,"a');
  assert.deepEqual([...readBrushes([text, "1,0,x", "a,b,x", "0,1", "-1,2,x"])], [['metric,"a', [0.123, 0.5]]]);
});

test("learning rates get a log axis, losses and seeds do not", () => {
  assert.deepEqual([isSpread([1e-4, 1e-1], "number"), isSpread([1, 50], "number"), isSpread([0, 1000], "number"), isSpread([], "number")], [true, false, false, false]);
});

test("many axes make the plot wider than its box", () => {
  assert.deepEqual([parallelWidth(3, 1200), parallelWidth(12, 390)], [1200, 1200]);
});
