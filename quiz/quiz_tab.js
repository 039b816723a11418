// What Gradio's markup leaves out, added whenever it draws something new.
(() => {
  // Gradio names each radio apart, and again after each change: arrow keys do nothing. The group has no label.
  let groups = 0;
  const mendRadios = (fieldset) => {
    const name = (fieldset.dataset.radioGroup ??= `radio-group-${++groups}`);
    const label = fieldset.querySelector("[data-testid=block-info]");
    fieldset.querySelectorAll("input[type=radio]").forEach((radio) => {
      if (radio.name !== name) radio.name = name; // Setting it is a change too: without the check, no end.
    });
    fieldset.setAttribute("role", "radiogroup");
    if (!label) return;
    label.id = `${name}-label`;
    fieldset.setAttribute("aria-labelledby", label.id);
  };

  // The radios are called A, B, C ...: the text of each option is its description.
  const describeChoices = () => {
    const radios = document.querySelectorAll("#quiz-choice input");
    document.querySelectorAll("#quiz-options li").forEach((option, index) => {
      option.id = `quiz-option-${index}`;
      radios[index]?.setAttribute("aria-describedby", option.id);
    });
  };

  new MutationObserver(() => {
    document.querySelectorAll("fieldset:has(input[type=radio])").forEach(mendRadios);
    describeChoices();
    document.getElementById("quiz-feedback")?.setAttribute("role", "status");
  }).observe(document.documentElement, { childList: true, subtree: true, attributeFilter: ["name"] });

  // A click on an option chooses its letter.
  document.addEventListener("click", ({ target }) => {
    const option = target.closest("#quiz-options li");
    if (!option) return;
    const index = [...option.parentElement.children].indexOf(option);
    document.querySelectorAll("#quiz-choice input")[index]?.click();
  });
})();
