// Repairs the accessibility of Gradio's markup whenever it changes, reads the chosen options, and moves the focus.
(() => {
  // Gradio gives every radio a name of its own, so arrow keys do nothing, and the group has no label.
  let groups = 0;
  const repairGroup = (fieldset) => {
    const radios = fieldset.querySelectorAll("input[type=radio]");
    const name = (fieldset.dataset.choiceGroup ??= `choice-group-${++groups}`);
    const label = fieldset.querySelector("[data-testid=block-info]");
    radios.forEach((radio) => {
      if (radio.name !== name) radio.name = name; // without the check, the observer would loop
    });
    fieldset.setAttribute("role", radios.length ? "radiogroup" : "group");
    if (!label) return;
    label.id = `${name}-label`;
    fieldset.setAttribute("aria-labelledby", label.id);
  };

  const LETTERS = "ABCDEFGHIJ";
  const buttons = () => [...document.querySelectorAll("#quiz-options li > button")];
  const isPressed = (button) => button.ariaPressed === "true";

  // Browsers leave the formulas of a button out of its name, so that options may sound alike.
  const nameOption = (button) => {
    if (!button.querySelector("math")) return;
    const copy = button.cloneNode(true);
    copy.querySelectorAll(".katex").forEach((formula) => {
      formula.replaceWith([...formula.querySelectorAll("mi, mn, mo, mtext")].map((part) => part.textContent).join(" "));
    });
    const name = copy.textContent.replace(/^\s*([A-J])\s*/, "$1 ").replace(/\s+/g, " ").trim();
    if (button.ariaLabel !== name) button.ariaLabel = name; // without the check, the observer would loop
  };

  // A menu of letters for each line to be matched; Gradio would remove it from Markdown, too.
  const addMenus = () => {
    const letters = LETTERS.slice(0, document.querySelectorAll("#quiz-options ul > li").length);
    document.querySelectorAll("#quiz-options .quiz-match ol > li:not(:has(select, span.quiz-right))").forEach((line, index) => {
      if (line.querySelector(".quiz-wrong")) return;
      const menu = document.createElement("select");
      menu.ariaLabel = `Option for line ${index + 1}`;
      menu.add(new Option("–", "?"));
      [...letters].forEach((letter) => menu.add(new Option(letter)));
      line.append(menu);
    });
  };

  const LIVE_REGIONS = ["notice", "hints", "feedback", "proof", "thanks", "class-info"];
  new MutationObserver(() => {
    document.querySelectorAll("fieldset:has(input[type=radio], input[type=checkbox])").forEach(repairGroup);
    // Gradio removes the attribute from Markdown.
    buttons().forEach((button) => button.ariaPressed ?? (button.ariaPressed = "false"));
    buttons().forEach(nameOption);
    addMenus();
    LIVE_REGIONS.forEach((name) => document.getElementById(`quiz-${name}`)?.setAttribute("role", "status"));
  }).observe(document.documentElement, { childList: true, subtree: true, attributeFilter: ["name"] });

  const sliders = () => [...document.querySelectorAll("#quiz-sliders input[type=range]")];
  document.addEventListener("input", ({ target }) => {
    if (sliders().includes(target)) target.parentElement.querySelector("output").textContent = target.value.replace("-", "−");
  });

  // The letters of the chosen options, or the numbers of the sliders, as the server expects them.
  const chosen = () => {
    if (sliders().length) return sliders().map((slider) => slider.value).join(";");
    const menus = [...document.querySelectorAll("#quiz-options select")];
    if (menus.length) return menus.map((menu) => menu.value).join("");
    const pressed = buttons().map((button, index) => ({ button, letter: LETTERS[index] })).filter(({ button }) => isPressed(button));
    return pressed.sort((a, b) => (a.button.dataset.place ?? 0) - (b.button.dataset.place ?? 0)).map(({ letter }) => letter).join("");
  };

  // Number the options in the order in which they were tapped.
  const place = (button, press) => {
    const left = Number(button.dataset.place);
    if (press) button.dataset.place = buttons().filter((other) => other.dataset.place).length + 1;
    else delete button.dataset.place;
    buttons().forEach(({ dataset }) => !press && dataset.place > left && dataset.place--);
  };

  // One tap answers, unless several options can be chosen, the learner also wants to say how sure they are, or in an exam.
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("#quiz-options li > button");
    if (!button) return;
    const single = Boolean(button.closest(".quiz-single"));
    const press = single || !isPressed(button);
    if (single) buttons().forEach((other) => (other.ariaPressed = "false"));
    button.ariaPressed = String(press);
    if (button.closest(".quiz-order")) place(button, press);
    const waits = document.querySelector("#quiz-ask input")?.checked || document.querySelector("#quiz-sitting .quiz-withheld");
    if (single && !waits) document.getElementById("quiz-submit").click();
  });

  // The card of "See it live" opens under its summary, which is brought to the top, and Escape closes it.
  document.addEventListener(
    "toggle",
    ({ target }) => target.matches("details.quiz-live[open]") && target.scrollIntoView({ block: "start" }),
    true, // as this event does not bubble
  );
  document.addEventListener("keydown", ({ key, target }) => {
    const card = key === "Escape" && target.closest("details.quiz-live[open]");
    if (!card) return;
    card.open = false;
    card.querySelector("summary").focus();
  });

  // The button just pressed may disappear, which would send a keyboard user back to the top of the page.
  const TARGETS = {
    next: "#quiz-next",
    hints: "#quiz-hints",
    top: "#quiz-stem, #quiz-results",
    proof: "#quiz-proof",
    thanks: "#quiz-thanks",
    class: "#quiz-class-info",
  };
  const focus = (name, tries = 20) => {
    const target = [...document.querySelectorAll(TARGETS[name])].find((element) => element.offsetParent);
    if (!target) return tries && setTimeout(focus, 50, name, tries - 1);
    if (!target.matches("button")) target.tabIndex = -1;
    target.focus({ preventScroll: true });
    const visible = name === "next" ? document.getElementById("quiz-feedback") : target;
    visible.scrollIntoView({ block: name === "top" ? "start" : "nearest" });
  };

  // The updates of components in the order of their names, in Gradio's form; undefined leaves a component as it is.
  const updates = (shown, names) =>
    names.map((name) => (shown[name] instanceof Object ? { __type__: "update", ...shown[name] } : shown[name]));

  window.quizTab = { chosen, updates, focus: (name) => setTimeout(focus, 50, name) };
})();
