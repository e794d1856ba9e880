// The tree of folders: its links keep the filter, the columns and the charts as they are by now.

import { withFolder } from "./folder-address.js";

const NARROW = matchMedia("(max-width: 800px)");

const readdress = ({ target }) => {
  const link = target.closest?.(".folder-link");
  if (link) link.search = withFolder(location.search, new URLSearchParams(link.search).get("folder") ?? "");
};

/** The folder one looks at may lie far down. */
const showCurrent = (tree) => {
  const current = tree.querySelector(".is-current");
  if (!current) return;
  const below = current.getBoundingClientRect().bottom - tree.getBoundingClientRect().bottom;
  if (below > 0) tree.scrollTop += below + tree.clientHeight / 2;
};

export const startFolders = () => {
  const tree = document.querySelector("[data-folders]");
  if (!tree) return;
  if (NARROW.matches) tree.open = false; // the runs come first
  showCurrent(tree);
  for (const name of ["pointerdown", "focusin", "click"]) tree.addEventListener(name, readdress);
};
