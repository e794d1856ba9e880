import assert from "node:assert/strict";
import { test } from "node:test";

import { actionOf, isTyping, placeAfter } from "../../static/js/keymap.js";

test("keys have their actions, unless a modifier makes them the browser's", () => {
  assert.deepEqual(["/", "j", "k", "x", "c", "Enter", "?", "Escape", "q"].map((key) => actionOf({ key })), [
    "search", "next", "previous", "select", "compare", "open", "help", "close", undefined,
  ]);
  assert.equal(actionOf({ key: "c", ctrlKey: true }), undefined);
  assert.equal(actionOf({ key: "c", metaKey: true }), undefined);
  assert.equal(actionOf({ key: "j", altKey: true }), undefined);
});

test("letters belong to text fields, not to tick boxes and links", () => {
  const elements = [
    { tagName: "INPUT", type: "search" },
    { tagName: "INPUT", type: "text" },
    { tagName: "TEXTAREA" },
    { tagName: "SELECT" },
    { tagName: "DIV", isContentEditable: true },
    { tagName: "INPUT", type: "checkbox" },
    { tagName: "INPUT", type: "range" },
    { tagName: "A" },
    { tagName: "BODY", isContentEditable: false },
  ];

  assert.deepEqual(elements.map(isTyping), [true, true, true, true, true, false, false, false, false]);
});

test("moving begins at an end and stops at the ends", () => {
  assert.equal(placeAfter(-1, 1, 3), 0);
  assert.equal(placeAfter(-1, -1, 3), 2);
  assert.equal(placeAfter(1, 1, 3), 2);
  assert.equal(placeAfter(2, 1, 3), 2);
  assert.equal(placeAfter(0, -1, 3), 0);
  assert.equal(placeAfter(-1, 1, 0), -1);
});
