import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { drawSoon } from "../../static/js/frames.js";

let frames = [];
globalThis.requestAnimationFrame = (work) => frames.push(work);

const nextFrame = () => frames.splice(0).forEach((work) => work());

const busyFor = (ms) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};

beforeEach(() => {
  frames = [];
});

test("a chart that asks twice is drawn once", () => {
  let drawn = 0;
  const chart = { draw: () => (drawn += 1) };

  drawSoon(chart);
  drawSoon(chart);
  nextFrame();
  nextFrame();

  assert.equal(drawn, 1);
});

test("charts that take long are drawn in frames of their own", () => {
  const drawn = [];
  for (const name of ["a", "b"]) {
    drawSoon({
      draw: () => {
        busyFor(15);
        drawn.push(name);
      },
    });
  }

  nextFrame();
  assert.deepEqual(drawn, ["a"]);
  nextFrame();
  assert.deepEqual(drawn, ["a", "b"]);
});

test("a chart may ask again while it is drawn", () => {
  let drawn = 0;
  const chart = {
    draw: () => {
      drawn += 1;
      if (drawn === 1) drawSoon(chart);
    },
  };

  drawSoon(chart);
  nextFrame();
  nextFrame();

  assert.equal(drawn, 2);
});
