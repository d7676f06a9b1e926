// Small things that pages do without as well: lists that look again, filters that need no button, one click that counts once.
"use strict";
(() => {
  // a form is sent once, however often its button is pressed; coming back to the page frees it
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    event.submitter?.setAttribute("aria-busy", "true");
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
    }
  });
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (form?.matches("form[data-auto]") && event.target.matches("select, [type=checkbox], [type=radio], [type=date]")) form.requestSubmit();
  });
  // what drops down closes when the focus or a click goes elsewhere, and by Escape
  const dropped = "details.who[open], details.drop[open]";
  for (const kind of ["click", "focusin"]) {
    document.addEventListener(kind, (event) => {
      for (const each of document.querySelectorAll(dropped)) if (!each.contains(event.target)) each.open = false;
    });
  }
  document.addEventListener("keydown", (event) => {
    const each = event.key === "Escape" && document.querySelector(dropped);
    if (each) { each.open = false; each.querySelector("summary").focus(); }
  });

  // pages marked data-live look again every few seconds, only while they are seen and nobody is typing or reading a form
  const main = document.querySelector("main[data-live]");
  if (!main) return;
  let touched = false;
  main.addEventListener("input", () => { touched = true; });
  main.addEventListener("submit", () => { touched = true; });
  const busy = () =>
    touched || document.hidden || main.querySelector("details[open], .focused, :checked:is([type=checkbox])") || !getSelection().isCollapsed ||
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
      const nav = document.getElementById("places"), freshNav = next.getElementById("places");
      if (nav && freshNav && nav.innerHTML !== freshNav.innerHTML && !nav.contains(document.activeElement)) {
        nav.replaceChildren(...freshNav.childNodes);
      }
    } catch { /* the server is away for a moment; the next look tries again */ }
  }
  setInterval(look, 1000 * Number(main.dataset.live));
})();
