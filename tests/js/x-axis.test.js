import assert from "node:assert/strict";
import { test } from "node:test";

import { axisOf, takesLivePoints } from "../../static/js/x-axis.js";

test("steps are counted", () => {
  const axis = axisOf("step");

  assert.deepEqual([axis.reading(12000), axis.where(5), axis.name], ["step 12,000", "@ 5", "step"]);
  assert.deepEqual(axis.labels([0, 5000, 10000], 5000), ["0", "5k", "10k"]);
  assert.equal(axis.increments[0], 1);
});

test("time since the start reads as a duration", () => {
  const axis = axisOf("relative");

  assert.deepEqual(axis.labels([0, 1800, 9000, null], 1800), ["0", "30 m", "2 h 30 m", ""]);
  assert.deepEqual(axis.labels([-0.5, 0, 0.5], 0.5), ["-0.5 s", "0", "0.5 s"]);
  assert.deepEqual(axis.labels([90000, 90600], 600), ["1 d 1 h", "1 d 1 h 10 m"]);
  assert.deepEqual(axis.labels([-7200, -3600], 3600), ["-2 h", "-1 h"]);
  assert.deepEqual([axis.reading(8040), axis.reading(1.25), axis.where(61)], ["2 h 14 m", "1.25 s", "@ 1 m 1 s"]);
});

test("labels of more units get more room", () => {
  const { room } = axisOf("relative");

  assert.deepEqual([room(0, 50), room(0, 3000), room(0, 8000), room(90000, 93000)], [36, 36, 66, 96]);
});

test("the clock is the reader's own", () => {
  const axis = axisOf("time");
  const moment = new Date(2026, 0, 31, 15, 4, 5).getTime();

  assert.equal(axis.isTime, true);
  assert.deepEqual([axis.reading(moment), axis.where(moment)], ["31 Jan, 15:04:05", "@ 15:04:05"]);
});

test("another metric stands below the axis by its name", () => {
  const axis = axisOf("metric:val/loss");

  assert.deepEqual([axis.title, axis.reading(0.123456), axis.where(2)], ["val/loss", "val/loss 0.1235", "@ 2"]);
});

test("live points have no place where only the server knows the axis", () => {
  const takes = (x, group = "") => takesLivePoints({ x, group });

  assert.deepEqual([takes("step"), takes("time"), takes("relative"), takes("metric:a"), takes("step", "tags")], [true, true, true, false, false]);
});
