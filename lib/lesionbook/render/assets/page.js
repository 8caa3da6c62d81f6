"use strict";
// Everything here is a convenience: without it the folds still open by hand.
const button = document.getElementById("show-code");
const folds = document.querySelectorAll("details.code");
if (button && folds.length) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-pressed") !== "true";
    folds.forEach((fold) => { fold.open = open; });
    button.setAttribute("aria-pressed", String(open));
    button.textContent = open ? "Hide all code" : "Show all code";
  });
}
// On a narrow page the menus stand above the text: start with them folded.
if (window.matchMedia("(max-width: 56em)").matches) {
  document.querySelectorAll("details.menu").forEach((menu) => { menu.open = false; });
}
