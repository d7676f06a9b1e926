// Single keys on every page: rows by j and k, Enter, x; / to search; g and a letter to another page; ? lists them.
// A page gives a control a key of its own by data-key, inside a row or outside. The pages do without this file.
"use strict";
(() => {
  if (document.documentElement.dataset.keys === "off") return;
  const ROWS = "main :is(tbody tr, .card, [data-row]):has(a[href], button)";
  const rows = () => [...document.querySelectorAll(ROWS)].filter((row) => row.checkVisibility());
  const current = () => document.querySelector(".focused");
  let went = 0;

  function move(step) {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(current() ?? document.activeElement?.closest?.(ROWS));
    const row = all[Math.min(all.length - 1, Math.max(0, at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step))];
    current()?.classList.remove("focused");
    row.classList.add("focused");
    (row.querySelector("a[href]") ?? row.querySelector("button"))?.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  function press(control) {
    if (!control || control.disabled) return false;
    if (control.matches("input:not([type=checkbox], [type=radio]), textarea, select")) control.focus();
    else control.click();
    return true;
  }

  const ACTS = {
    j: () => move(1),
    k: () => move(-1),
    x: () => press((current() ?? document.activeElement?.closest?.(ROWS))?.querySelector("input[type=checkbox]")),
    "/": () => press(document.querySelector("main input[type=search]")),
    "[": () => press(document.querySelector('main a[rel="prev"]')),
    "]": () => press(document.querySelector('main a[rel="next"]')),
    "?": () => document.getElementById("keys")?.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], dialog")) {
      if (event.key === "Escape" && !event.target.closest("dialog")) event.target.blur();
      return;
    }
    const key = event.key;
    if (key.length !== 1) return;
    let done = false;
    if (Date.now() - went < 1200) done = press(document.querySelector(`[data-go="${CSS.escape(key)}"]`));
    went = 0;
    if (!done && key === "g") { went = Date.now(); return; }
    if (!done) {
      const own = `[data-key="${CSS.escape(key)}"]`;
      const row = current() ?? event.target.closest(ROWS);
      done = press(row?.querySelector(own) ?? document.querySelector(`main ${own}:not(:is(tbody tr, .card, [data-row]) *)`));
    }
    if (!done && Object.hasOwn(ACTS, key)) { ACTS[key](); done = true; }
    if (done) event.preventDefault();
  });
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest(ROWS);
    if (current() !== row) { current()?.classList.remove("focused"); }
  });
})();
