// What a link asks for ("#inside=unit&text=...&token=3", see links.py), and the colours of the page.
(() => {
  const NAME = "Inside the GRU";
  let waiting = new URLSearchParams(location.hash.slice(1)).has("inside"); // a link that was not followed yet

  const tab = () => [...document.querySelectorAll("[role=tab]")].find((one) => one.textContent.trim() === NAME);
  const follow = () => {
    const button = tab();
    if (!waiting || !button) return;
    const follower = document.getElementById("inside-follow");
    if (button.getAttribute("aria-selected") !== "true") button.click();
    else if (follower) follower.click();
  };
  window.addEventListener("hashchange", () => {
    waiting = new URLSearchParams(location.hash.slice(1)).has("inside");
    follow();
  });
  const arriving = new MutationObserver(() => {
    if (!tab()) return;
    arriving.disconnect();
    setTimeout(follow, 100); // once Gradio listens
  });
  arriving.observe(document.documentElement, { childList: true, subtree: true });

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
