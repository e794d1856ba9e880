import assert from "node:assert/strict";
import { test } from "node:test";

import { collectPoints, isNews, isTraining, newestOf } from "../../static/js/live-points.js";

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

test("the newest point tells how old the news is", () => {
  assert.equal(newestOf(new Map([["loss", [{ time: 5 }, { time: 9 }]], ["acc", [{ time: 7 }]]])), 9);
  assert.equal(newestOf(new Map()), 0);
});

test("training is what the stream says of one of the chosen runs", () => {
  const statuses = new Map([["a", "completed"], ["b", "wip"], ["c", "maybe_failed"]]);
  const among = (...keys) => isTraining(keys.map((key) => ({ key })), statuses);

  assert.deepEqual([among("a", "b"), among("a"), among("c"), among("unknown"), among()], [true, false, false, false, false]);
});

test("the status that a stream begins with is news only where the page shows another", () => {
  const told = new Map([["known", "wip"]]);
  const news = (run, status, looksRunning) => isNews(told, { run, status }, looksRunning);

  assert.deepEqual([news("a", "wip", true), news("a", "completed", false)], [false, false]);
  assert.deepEqual([news("a", "wip", false), news("a", "completed", true)], [true, true]);
  assert.deepEqual([news("known", "wip", false), news("known", "failed", false)], [false, true]);
});
