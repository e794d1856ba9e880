import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { drawSoon } from "../../static/js/frames.js";

let frames = [];
globalThis.requestAnimationFrame = (work) => frames.push(work);

/** The next frame that is asked for, and what it starts when it has been painted. */
const nextFrame = async () => {
  for (let i = 0; i < 100 && !frames.length; i += 1) await new Promise((resolve) => setTimeout(resolve, 5));
  frames.splice(0).forEach((work) => work());
  await new Promise((resolve) => setTimeout(resolve, 5));
};

const tick = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const busyFor = (ms) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};

beforeEach(() => {
  frames = [];
});

test("a chart that asks twice is drawn once", async () => {
  let drawn = 0;
  const chart = { draw: () => (drawn += 1) };

  drawSoon(chart);
  drawSoon(chart);
  assert.equal(frames.length, 1);
  await nextFrame();
  await tick(20);

  assert.deepEqual([drawn, frames.length], [1, 0]);
});

test("charts that take long are drawn in frames of their own", async () => {
  const drawn = [];
  for (const name of ["a", "b"]) {
    drawSoon({
      draw: () => {
        busyFor(45);
        drawn.push(name);
      },
    });
  }

  await nextFrame();
  assert.deepEqual(drawn, ["a"]);
  await nextFrame();
  assert.deepEqual(drawn, ["a", "b"]);
});

test("a chart may ask again while it is drawn", async () => {
  let drawn = 0;
  const chart = {
    draw: () => {
      drawn += 1;
      if (drawn === 1) drawSoon(chart);
    },
  };

  drawSoon(chart);
  await nextFrame();
  await nextFrame();

  assert.equal(drawn, 2);
});

test("a chart that cannot be drawn does not stop the others", async () => {
  let drawn = 0;
  const broken = {
    draw: () => {
      throw new Error("broken");
    },
  };

  drawSoon(broken);
  drawSoon({ draw: () => (drawn += 1) });
  assert.throws(() => frames.splice(0)[0](), /broken/);
  await nextFrame();

  assert.equal(drawn, 1);
});
