// Small things of every page: copy buttons, table filters.

/** Clipboards need a secure origin; on plain http in the intranet the old way still works. */
const copyText = async (text) => {
  if (navigator.clipboard && isSecureContext) return navigator.clipboard.writeText(text);
  const area = Object.assign(document.createElement("textarea"), { value: text });
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
  return undefined;
};

const copy = async (button) => {
  await copyText(document.querySelector(button.dataset.copy).textContent);
  const label = button.querySelector("span");
  const before = label.textContent;
  label.textContent = "Copied";
  setTimeout(() => (label.textContent = before), 1500);
};

const filterRows = (input) => {
  const wanted = input.value.toLowerCase();
  for (const row of document.querySelectorAll(`${input.dataset.filter} tr`)) {
    row.hidden = !row.textContent.toLowerCase().includes(wanted);
  }
};

export const startControls = () => {
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-copy]");
    if (button) copy(button);
  });
  document.addEventListener("input", ({ target }) => {
    if (target.matches("[data-filter]")) filterRows(target);
  });
};
