// Follows links to cards ("#inside=unit&text=...&token=3", see links.py), and checks numbers typed beside sliders.
(() => {
  const NAME = "Inside the GRU";
  let isLinkPending = new URLSearchParams(location.hash.slice(1)).has("inside"); // until the link was followed

  // On a narrow page Gradio moves tabs into a menu of plain buttons.
  const tab = () =>
    [...document.querySelectorAll("[role=tab], .overflow-dropdown button")].find((button) => button.textContent.trim() === NAME);
  const follow = () => {
    if (!isLinkPending) return;
    const isOpen = document.getElementById("inside-cards")?.offsetParent;
    (isOpen ? document.getElementById("inside-follow") : tab())?.click();
  };
  window.addEventListener("hashchange", () => {
    isLinkPending = new URLSearchParams(location.hash.slice(1)).has("inside");
    follow();
  });
  // Gradio builds the tab when it is opened. A link opens it, and the new tab then requests its content.
  let hasTab = false;
  let hasBuilt = false;
  const observer = new MutationObserver(() => {
    if (!hasTab && tab()) {
      hasTab = true;
      setTimeout(follow, 100); // Gradio has attached its listeners by then
    }
    const follower = document.getElementById("inside-follow");
    if (follower && !hasBuilt) setTimeout(() => follower.click(), 0);
    hasBuilt = Boolean(follower);
  });
  observer.observe(document.documentElement, { childList: true, subtree: true });

  // Gradio sends a number beside a slider on every keystroke: hold back an empty field, and clamp to the bounds.
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
    // A link is followed once; afterwards, the tab keeps its state.
    target: () => {
      const link = new URLSearchParams(isLinkPending ? location.hash.slice(1) : "");
      isLinkPending = false;
      const token = link.get("token");
      return JSON.stringify({
        panel: link.get("inside"),
        text: link.get("text"),
        token: token === null ? null : Number(token),
        chosen: window.sentimentTab.chosen(),
      });
    },
    dark: () => document.body.classList.contains("dark"),
    focusCard: () => setTimeout(() => document.querySelector(".inside-card:not(.hide) h2")?.focus(), 50),
  };
})();
