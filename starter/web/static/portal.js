// Everything works without this script. It says that a person looks, copies what a transfer needs, and checks files early.
(() => {
  "use strict";
  const { seen, secret } = document.body.dataset;
  const signs = ["pointerdown", "pointermove", "touchstart", "wheel", "keydown"];
  const opened = performance.now();
  let told = false;

  // A scanner that runs scripts neither moves nor touches anything, nor is the page before anybody's eyes.
  function look(event) {
    const person = event.isTrusted && document.visibilityState === "visible" && !document.prerendering;
    if (told || !person || performance.now() - opened < 700) return;
    told = true;
    for (const sign of signs) removeEventListener(sign, look);
    fetch(seen, { method: "POST", body: new URLSearchParams({ secret }) }).catch(() => {});
  }
  if (seen) for (const sign of signs) addEventListener(sign, look, { passive: true });

  if (navigator.clipboard) {
    for (const button of document.querySelectorAll("[data-take]")) {
      const word = button.textContent;
      button.hidden = false;
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(button.dataset.take);
        button.textContent = button.dataset.taken;
        setTimeout(() => { button.textContent = word; }, 2000);
      });
    }
  }

  // A second click while the first is on its way sends nothing.
  for (const form of document.querySelectorAll("form")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
      setTimeout(() => { delete form.dataset.sent; }, 8000);
    });
  }
  addEventListener("pageshow", () => { for (const form of document.forms) delete form.dataset.sent; });

  const target = location.hash && document.querySelector(`details${location.hash}`);
  if (target) target.open = true;
})();
