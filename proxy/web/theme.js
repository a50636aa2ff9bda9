// Light, dark, or as the system has it. A script of its own that the page waits for, so that nothing flashes. What was
// chosen is kept by the browser where it lets us.
"use strict";
(() => {
  const KEY = "tlsfloor-theme";
  const NAMES = ["system", "light", "dark"];

  const kept = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  };
  const keep = (name) => {
    try {
      localStorage.setItem(KEY, name);
    } catch {
      // it lasts as long as the page, then
    }
  };

  let theme = NAMES.includes(kept()) ? kept() : "system";
  const show = () => {
    document.documentElement.dataset.theme = theme;
    const label = document.getElementById("theme-name");
    if (label) label.textContent = theme;
  };
  show();
  document.addEventListener("DOMContentLoaded", () => {
    show();
    document.getElementById("theme").addEventListener("click", () => {
      theme = NAMES[(NAMES.indexOf(theme) + 1) % NAMES.length];
      keep(theme);
      show();
    });
  });
})();
