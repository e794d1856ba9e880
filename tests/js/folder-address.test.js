import assert from "node:assert/strict";
import test from "node:test";

import { withFolder } from "../../static/js/folder-address.js";

test("another folder keeps the view, and not the choice of runs", () => {
  assert.equal(withFolder("?q=a&run=x&run=y&page=3&smooth=0.5", "sweeps/lr"), "?q=a&smooth=0.5&folder=sweeps%2Flr");
  assert.equal(withFolder("?folder=old&sort=name", "new & <b>"), "?sort=name&folder=new+%26+%3Cb%3E");
});

test("the top has no folder in its address", () => {
  assert.equal(withFolder("?folder=old", ""), "");
});
