// Shows the preview and the linter's messages while a teacher types; without it, the button "Preview" does.
(() => {
  const form = document.getElementById("question-form");
  const DELAY = 400; // milliseconds without a key before the server is asked
  let isDirty = "dirty" in form.dataset;
  let timer;
  let request = new AbortController();

  const katex = form.dataset.katex && import(new URL(`../../${form.dataset.katex}`, location).href).catch(() => null);
  const drawFormulas = async () => {
    const { default: library } = (await katex) ?? {};
    if (!library) return; // the rough formulas of the server stay
    document.querySelectorAll("#preview [data-tex]").forEach((element) => {
      library.render(element.dataset.tex, element, { output: "mathml", throwOnError: false });
    });
  };

  const showFields = () => {
    const type = form.elements.type?.value;
    if (!type) return;
    form.querySelectorAll("[data-types]").forEach((part) => (part.hidden = !part.dataset.types.split(" ").includes(type)));
  };

  // Takes over a part of the page that the server has made from the form, and leaves details as they were opened.
  const replace = (element, made) => {
    const open = [...element.querySelectorAll("details")].map((part) => part.open);
    element.replaceChildren(...made.childNodes);
    element.querySelectorAll("details").forEach((part, index) => (part.open = open[index] ?? part.open));
  };

  const refresh = async () => {
    request.abort();
    request = new AbortController();
    const body = new URLSearchParams(new FormData(form));
    body.set("action", "preview");
    try {
      const response = await fetch(form.getAttribute("action"), { method: "POST", body, signal: request.signal });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      if (!page.getElementById("preview")) throw new Error(response.status === 401 ? "you are signed out" : `error ${response.status}`);
      document.querySelectorAll("#preview, #summary, .lint[id]").forEach((element) => {
        const made = page.getElementById(element.id);
        if (made) replace(element, made);
      });
      drawFormulas();
    } catch (error) {
      if (error.name === "AbortError") return;
      document.getElementById("summary").textContent = `The preview cannot be shown: ${error.message}. Your text is still here.`;
    }
  };

  form.addEventListener("input", () => {
    isDirty = true;
    showFields();
    clearTimeout(timer);
    timer = setTimeout(refresh, DELAY);
  });
  form.addEventListener("submit", () => (isDirty = false));
  addEventListener("beforeunload", (event) => isDirty && event.preventDefault());
  drawFormulas();
})();
