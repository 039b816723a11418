// What Gradio's markup leaves out, added whenever it draws something new.
(() => {
  // Gradio names each radio apart, and again after each change: arrow keys do nothing. The group has no label.
  let groups = 0;
  const mendGroup = (fieldset) => {
    const radios = fieldset.querySelectorAll("input[type=radio]");
    const name = (fieldset.dataset.choiceGroup ??= `choice-group-${++groups}`);
    const label = fieldset.querySelector("[data-testid=block-info]");
    radios.forEach((radio) => {
      if (radio.name !== name) radio.name = name; // Setting it is a change too: without the check, no end.
    });
    fieldset.setAttribute("role", radios.length ? "radiogroup" : "group");
    if (!label) return;
    label.id = `${name}-label`;
    fieldset.setAttribute("aria-labelledby", label.id);
  };

  // The boxes are called A, B, C ...: the text of each option is its description.
  const boxes = () => document.querySelectorAll("#quiz-choice input, #quiz-choices input");
  const describeChoices = () => {
    const all = boxes();
    document.querySelectorAll("#quiz-options li").forEach((option, index) => {
      option.id = `quiz-option-${index}`;
      all[index]?.setAttribute("aria-describedby", option.id);
      option.toggleAttribute("data-chosen", Boolean(all[index]?.checked));
    });
  };

  const SAID_ALOUD = ["notice", "hints", "feedback", "proof", "thanks"];
  new MutationObserver(() => {
    document.querySelectorAll("fieldset:has(input[type=radio], input[type=checkbox])").forEach(mendGroup);
    describeChoices();
    SAID_ALOUD.forEach((name) => document.getElementById(`quiz-${name}`)?.setAttribute("role", "status"));
  }).observe(document.documentElement, { childList: true, subtree: true, attributeFilter: ["name"] });

  // A click on an option chooses its letter.
  document.addEventListener("click", ({ target }) => {
    const option = target.closest("#quiz-options li");
    if (!option) return;
    boxes()[[...option.parentElement.children].indexOf(option)]?.click();
  });
  document.addEventListener("change", describeChoices);

  // The button just pressed may go away: a keyboard user would be back at the top of the page.
  const PLACES = {
    next: "#quiz-next",
    hints: "#quiz-hints",
    top: "#quiz-stem, #quiz-results",
    proof: "#quiz-proof",
    thanks: "#quiz-thanks",
  };
  const focus = (name, tries = 20) => {
    const place = [...document.querySelectorAll(PLACES[name])].find((element) => element.offsetParent);
    if (!place) return tries && setTimeout(focus, 50, name, tries - 1);
    if (!place.matches("button")) place.tabIndex = -1;
    place.focus({ preventScroll: true });
    const toSee = name === "next" ? document.getElementById("quiz-feedback") : place;
    toSee.scrollIntoView({ block: name === "top" ? "center" : "nearest" });
  };
  window.quizTab = { focus: (name) => setTimeout(focus, 50, name) };
})();
