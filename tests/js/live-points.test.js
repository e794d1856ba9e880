import assert from "node:assert/strict";
import { test } from "node:test";

import { collectPoints } from "../../static/js/live-points.js";

test("points of several events are sorted by metric", () => {
  const pending = new Map();
  const event = { timestamp: "2026-01-01T00:00:00.250Z", run: "a", project: "p" };

  collectPoints(pending, { ...event, step: 1, metrics: { loss: 0.5, acc: "NaN" } });
  collectPoints(pending, { ...event, step: 2, metrics: { loss: "-Infinity" } });

  const time = Date.UTC(2026, 0, 1) + 250;
  assert.deepEqual(pending, new Map([
    ["loss", [{ run: "a", step: 1, value: 0.5, time }, { run: "a", step: 2, value: -Infinity, time }]],
    ["acc", [{ run: "a", step: 1, value: NaN, time }]],
  ]));
});
