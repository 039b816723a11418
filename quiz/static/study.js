// Marks the page of a learner of a study who has the lesson as text only, also while the Quiz tab is not open.
(() => {
  const KEY = "gru-quiz-text-only";
  const mark = (textOnly) => document.documentElement.toggleAttribute("data-text-only", textOnly);
  try {
    mark(localStorage.getItem(KEY) !== null);
    new MutationObserver(() => {
      if (!document.querySelector(":is(#quiz-question, #quiz-end)")?.offsetParent) return; // no run is shown
      const textOnly = document.querySelector("#quiz-sitting .quiz-text-only") !== null;
      if (textOnly === document.documentElement.hasAttribute("data-text-only")) return;
      mark(textOnly);
      textOnly ? localStorage.setItem(KEY, "yes") : localStorage.removeItem(KEY);
    }).observe(document.documentElement, { childList: true, subtree: true });
  } catch {
    // The browser stores nothing; the mark is not needed for the quiz.
  }
})();
