// The lines at the foot of the page: what was done, and what was refused and why.

const SHOWN_MS = 8000;

const dismissSoon = (line) => setTimeout(() => line.remove(), SHOWN_MS);

/** Show a line of text to the reader. `level`: "info" or "error". */
export const say = (text, level = "info") => {
  const line = document.createElement("p");
  line.className = `message message-${level}`;
  line.textContent = text;
  document.querySelector("#messages").append(line);
  dismissSoon(line);
};

/** The text of a refused request: its problem line, or what the status says. */
const reasonOf = ({ status, responseText }) => {
  const answer = new DOMParser().parseFromString(responseText, "text/html");
  return answer.querySelector(".problem, main p")?.textContent ?? `The server answered ${status}.`;
};

export const startMessages = () => {
  document.querySelectorAll("#messages .message").forEach(dismissSoon);
  document.addEventListener("click", ({ target }) => target.closest("[data-dismiss]")?.closest(".message").remove());
  document.addEventListener("htmx:responseError", ({ detail }) => {
    if (!detail.elt.matches("[data-renew]")) say(reasonOf(detail.xhr), "error");
  });
  document.addEventListener("htmx:sendError", ({ detail }) => {
    if (!detail.elt.matches("[data-renew]")) say("The server cannot be reached.", "error");
  });
};
