"use strict";
// Comfort only: every page works without it. A form that is being sent is not sent again; whoever types is warned before
// the session ends; and what was typed is there again after logging in anew, or in another language.

// What was typed stays in this tab, for the same page and the same user, and is forgotten by the next page that is shown.
const KEPT = "office-typed";
const user = document.body.dataset.user;
const typedFields = () => [...document.querySelectorAll("main form[method=post] [name]")]
  .filter((field) => !["hidden", "password", "file", "submit"].includes(field.type) && field.tagName !== "BUTTON");
const keep = (isBack) => sessionStorage.setItem(KEPT, JSON.stringify({
  user, path: location.pathname, isBack,
  fields: typedFields().map((field) => [field.name, field.value, field.checked === true]),
}));
const kept = JSON.parse(sessionStorage.getItem(KEPT) || "null");
if (document.querySelector("form[data-log-in]")) {
  // The session had ended when it was sent: it has not been done.
  if (kept) { sessionStorage.setItem(KEPT, JSON.stringify({ ...kept, isBack: true })); }
} else {
  sessionStorage.removeItem(KEPT);
  const fields = typedFields();
  if (kept && kept.isBack && kept.user === user && kept.path === location.pathname && kept.fields.length === fields.length) {
    fields.forEach((field, at) => {
      const [name, value, isChecked] = kept.fields[at];
      if (field.name !== name) { return; }
      if (field.type === "checkbox" || field.type === "radio") { field.checked = field.value === value && isChecked; } else { field.value = value; }
    });
  }
}

document.addEventListener("submit", (event) => {
  const isLanguage = event.target.dataset.keepsTyped !== undefined;
  if (user && (isLanguage || event.target.closest("main")) && event.target.method === "post") { keep(isLanguage); }
  // After the browser has taken the button's own value along.
  setTimeout(() => event.target.querySelectorAll("button").forEach((button) => { button.disabled = true; }));
});
// Back: the browser shows the page as it left it.
window.addEventListener("pageshow", () => document.querySelectorAll("button[disabled]").forEach((button) => { button.disabled = false; }));

const warning = document.getElementById("session-ends");
if (warning) {
  const stay = document.getElementById("session-stay");
  const show = (name) => {
    warning.querySelectorAll("p").forEach((text) => { text.hidden = text.dataset.when !== name; });
    stay.hidden = name !== "soon";
    warning.hidden = false;
  };
  const before = Number(warning.dataset.before);
  let timers = [];
  const wait = (left, name) => {
    timers.forEach(clearTimeout);
    warning.hidden = true;
    timers = [
      setTimeout(() => { show(name); }, Math.max(0, left - before) * 1000),
      setTimeout(() => { show("over"); }, left * 1000),
    ];
  };
  wait(Number(warning.dataset.left), "soon");
  stay.addEventListener("click", async () => {
    const answer = await fetch(warning.dataset.stay, { credentials: "same-origin" }).catch(() => null);
    if (answer && answer.ok && !answer.redirected) {
      const told = await answer.json();
      // The end of a shift comes all the same.
      wait(told.left_s, told.left_s <= before ? "last" : "soon");
    } else { show("over"); }
  });
}
// The first field that was not taken; one heading says so in the page's title.
const wrong = document.querySelector("[aria-invalid=true]");
if (wrong) wrong.focus();
