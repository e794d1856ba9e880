import assert from "node:assert/strict";
import { test } from "node:test";

import { carryView, isLog, isLogForAll, rangeText, readView, toggleLog, toggleLogForAll } from "../../static/js/chart-view.js";

const view = (query) => readView(new URLSearchParams(query));

test("a URL that says nothing shows everything over the step", () => {
  assert.deepEqual(view(""), { smooth: 0, x: "step", range: null, logs: new Set(), hidesOutliers: false, group: "" });
});

test("a URL holds the whole view", () => {
  assert.deepEqual(view("smooth=0.9&x=metric:a/b&xr=1.5,1e3&log=loss&log=acc&outliers=off&group=config.lr"), {
    smooth: 0.9,
    x: "metric:a/b",
    range: [1.5, 1000],
    logs: new Set(["loss", "acc"]),
    hidesOutliers: true,
    group: "config.lr",
  });
});

test("what makes no sense counts as not said", () => {
  const ranges = ["5", "5,", ",5", "7,3", "1,1", "a,b", "1,2,3", "-Infinity,2"];

  assert.deepEqual(ranges.map((text) => view(`xr=${text}`).range), ranges.map(() => null));
  assert.deepEqual(["1", "-1", "x", "NaN"].map((text) => view(`smooth=${text}`).smooth), [0, 0, 0, 0]);
  assert.deepEqual(["metric:", "clock", "constructor"].map((text) => view(`x=${text}`).x), ["step", "step", "step"]);
});

test("a range is written as exactly as its zoom needs", () => {
  assert.equal(rangeText([1234.5678, 91234.5]), "1235,91235");
  assert.equal(rangeText([0.123456789, 0.2]), "0.123457,0.2");
  assert.equal(rangeText([1767268800123.4, 1767268800623.9]), "1767268800123.4,1767268800623.9");
  assert.deepEqual(view(`xr=${rangeText([-1e-7, 1e-7])}`).range, [-1e-7, 1e-7]);
});

test("a log axis for all can be taken back for one chart", () => {
  const all = view("log=*");
  const but = view("log=*&log=loss");

  assert.deepEqual([isLog(all, "loss"), isLog(but, "loss"), isLog(but, "acc")], [true, false, true]);
  assert.deepEqual(toggleLog(all, "loss"), ["*", "loss"]);
  assert.deepEqual(toggleLog(but, "loss"), ["*"]);
  assert.deepEqual([toggleLogForAll(but), toggleLogForAll(view("log=loss"))], [[], ["*"]]);
  assert.deepEqual([isLogForAll(but), isLogForAll(view("log=loss"))], [true, false]);
});

test("a link is followed in the view of now", () => {
  assert.equal(carryView("/projects/p?run=a&run=b&log=old&page=2", [["log", "loss"], ["log", "acc"]]), "/projects/p?run=a&run=b&page=2&log=loss&log=acc");
  assert.equal(carryView("/projects/p?xr=1,2", []), "/projects/p");
});
