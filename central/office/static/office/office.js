"use strict";
// Comfort only: every page works without it. A form that is being sent is not sent again, and whoever types is warned
// before the session ends.
document.addEventListener("submit", (event) => {
  // After the browser has taken the button's own value along.
  setTimeout(() => event.target.querySelectorAll("button").forEach((button) => { button.disabled = true; }));
});
// Back: the browser shows the page as it left it.
window.addEventListener("pageshow", () => document.querySelectorAll("button[disabled]").forEach((button) => { button.disabled = false; }));
const warning = document.getElementById("session-ends");
if (warning) {
  setTimeout(() => { warning.hidden = false; }, Number(warning.dataset.after) * 1000);
  document.getElementById("session-stay").addEventListener("click", async () => {
    const answer = await fetch(warning.dataset.stay, { credentials: "same-origin" });
    if (answer.ok && !answer.redirected) { location.hash = ""; warning.hidden = true; setTimeout(() => { warning.hidden = false; }, Number(warning.dataset.after) * 1000); }
  });
}
// The first field that was not taken; one heading says so in the page's title.
const wrong = document.querySelector("[aria-invalid=true]");
if (wrong) wrong.focus();
