// What a link asks for ("#inside=unit&text=...&token=3", see links.py), and the colours of the page.
(() => {
  const NAME = "Inside the GRU";
  let waiting = new URLSearchParams(location.hash.slice(1)).has("inside"); // a link that was not followed yet

  // On a narrow page Gradio keeps tabs in a menu, where they are plain buttons.
  const tab = () =>
    [...document.querySelectorAll("[role=tab], .overflow-dropdown button")].find((one) => one.textContent.trim() === NAME);
  const follow = () => {
    if (!waiting) return;
    const isOpen = document.getElementById("inside-cards")?.offsetParent;
    (isOpen ? document.getElementById("inside-follow") : tab())?.click();
  };
  window.addEventListener("hashchange", () => {
    waiting = new URLSearchParams(location.hash.slice(1)).has("inside");
    follow();
  });
  // The tab is built when it is opened: a link opens it, and what was just built asks to be filled.
  let hasTab = false;
  let hasBuilt = false;
  const arriving = new MutationObserver(() => {
    if (!hasTab && tab()) {
      hasTab = true;
      setTimeout(follow, 100); // once Gradio listens
    }
    const follower = document.getElementById("inside-follow");
    if (follower && !hasBuilt) setTimeout(() => follower.click(), 0);
    hasBuilt = Boolean(follower);
  });
  arriving.observe(document.documentElement, { childList: true, subtree: true });

  // A number typed beside a slider goes out as it is typed: what is no number yet waits, what is out of bounds is cut.
  document.addEventListener(
    "input",
    (event) => {
      const field = event.target;
      if (!field.matches(".inside-card input[type=number]")) return;
      if (field.value === "") event.stopPropagation();
      else if (Number(field.value) > Number(field.max)) field.value = field.max;
      else if (Number(field.value) < Number(field.min)) field.value = field.min;
    },
    true,
  );

  window.insideTab = {
    // A link is followed once; afterwards, the tab opens as it was left.
    arrival: () => {
      const found = new URLSearchParams(waiting ? location.hash.slice(1) : "");
      waiting = false;
      const token = found.get("token");
      return JSON.stringify({
        panel: found.get("inside"),
        text: found.get("text"),
        token: token === null ? null : Number(token),
        chosen: window.sentimentTab.chosen(),
      });
    },
    dark: () => document.body.classList.contains("dark"),
    focusCard: () => setTimeout(() => document.querySelector(".inside-card:not(.hide) h2")?.focus(), 50),
  };
})();
