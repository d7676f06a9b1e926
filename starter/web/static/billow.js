// Pages marked data-live look again every few seconds, only while they are seen and nobody is typing or reading a form.
"use strict";
(() => {
  const main = document.querySelector("main[data-live]");
  if (!main) return;
  let touched = false;
  main.addEventListener("input", () => { touched = true; });
  main.addEventListener("submit", () => { touched = true; });
  const busy = () =>
    touched || document.hidden || main.querySelector("details[open]") || !getSelection().isCollapsed ||
    main.matches(":has(:is(input, select, textarea, button, summary):focus)");

  async function look() {
    if (busy()) return;
    try {
      const answer = await fetch(location.href, { headers: { "X-Live": "1" }, redirect: "error" });
      if (!answer.ok) return;
      const next = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = next.querySelector("main");
      if (busy() || !fresh) return;
      if (fresh.innerHTML !== main.innerHTML) {
        const focused = document.activeElement?.getAttribute?.("href");
        main.replaceChildren(...fresh.childNodes);
        if (focused) main.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
        document.title = next.title;
      }
      const nav = document.querySelector("nav"), freshNav = next.querySelector("nav");
      if (nav && freshNav && nav.innerHTML !== freshNav.innerHTML && !nav.contains(document.activeElement)) {
        nav.replaceChildren(...freshNav.childNodes);
      }
    } catch { /* the server is away for a moment; the next look tries again */ }
  }
  setInterval(look, 1000 * Number(main.dataset.live));
})();
