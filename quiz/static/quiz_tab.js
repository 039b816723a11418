// Repairs the accessibility of Gradio's markup whenever it changes, and moves the focus of the quiz.
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

  // The inputs are labelled A, B, C ...; the text of each option describes its input.
  const inputs = () => document.querySelectorAll("#quiz-choice input, #quiz-choices input");
  const describeChoices = () => {
    const optionInputs = inputs();
    document.querySelectorAll("#quiz-options li").forEach((option, index) => {
      option.id = `quiz-option-${index}`;
      optionInputs[index]?.setAttribute("aria-describedby", option.id);
      option.toggleAttribute("data-chosen", Boolean(optionInputs[index]?.checked));
    });
  };

  const LIVE_REGIONS = ["notice", "hints", "feedback", "proof", "thanks"];
  new MutationObserver(() => {
    document.querySelectorAll("fieldset:has(input[type=radio], input[type=checkbox])").forEach(repairGroup);
    describeChoices();
    LIVE_REGIONS.forEach((name) => document.getElementById(`quiz-${name}`)?.setAttribute("role", "status"));
  }).observe(document.documentElement, { childList: true, subtree: true, attributeFilter: ["name"] });

  // A click on an option selects its letter.
  document.addEventListener("click", ({ target }) => {
    const option = target.closest("#quiz-options li");
    if (!option) return;
    inputs()[[...option.parentElement.children].indexOf(option)]?.click();
  });
  document.addEventListener("change", describeChoices);

  // The button just pressed may disappear, which would send a keyboard user back to the top of the page.
  const TARGETS = {
    next: "#quiz-next",
    hints: "#quiz-hints",
    top: "#quiz-stem, #quiz-results",
    proof: "#quiz-proof",
    thanks: "#quiz-thanks",
  };
  const focus = (name, tries = 20) => {
    const target = [...document.querySelectorAll(TARGETS[name])].find((element) => element.offsetParent);
    if (!target) return tries && setTimeout(focus, 50, name, tries - 1);
    if (!target.matches("button")) target.tabIndex = -1;
    target.focus({ preventScroll: true });
    const visible = name === "next" ? document.getElementById("quiz-feedback") : target;
    visible.scrollIntoView({ block: name === "top" ? "center" : "nearest" });
  };
  window.quizTab = { focus: (name) => setTimeout(focus, 50, name) };
})();
