// What needs no server: choosing a token, switching the method, the link and the download.
(() => {
  let explanation = null; // the element drawn last
  let json; // its numbers as they stand in the attribute
  let numbers = null; // the same, parsed
  let chosen = -1;
  let method = "integrated_gradients";
  let moreOpen = false; // whether the proofs are unfolded; they stay so for the next text
  let linkedToken = null; // the token in the address, until its text is explained

  const parameters = () => new URLSearchParams(location.hash.slice(1));
  const tokens = () => explanation.querySelectorAll(".token");
  const signed = (value) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(2);
  const percent = (score) => `${(100 * score).toFixed(1)}%`;

  const choose = (index, focus = false) => {
    const all = tokens();
    if (!all[index] || (index === chosen && !focus)) return;
    const before = all[chosen] ?? all[0];
    before.setAttribute("aria-pressed", "false");
    before.tabIndex = -1;
    chosen = index;
    all[index].setAttribute("aria-pressed", "true");
    all[index].tabIndex = 0;
    if (focus) all[index].focus();
    const style = document.documentElement.style;
    style.setProperty("--chosen-from", index / all.length);
    style.setProperty("--chosen-share", 1 / all.length);
    mark(index, "here");
    const column = explanation.querySelector(`.track-column[data-index="${index}"]`);
    const track = column?.parentElement;
    if (track) track.scrollLeft = column.offsetLeft - track.offsetLeft - (track.clientWidth - column.clientWidth) / 2;
    showNumbers(index);
  };

  // Mark the word with this index in the text and in the columns.
  const mark = (index, name) => {
    explanation.querySelectorAll(`.${name}`).forEach((element) => element.classList.remove(name));
    explanation.querySelectorAll(`[data-index="${index}"]`).forEach((element) => element.classList.add(name));
  };

  // Called after every change of the page, as Gradio draws the contents of an accordion when it is opened.
  const showTokenInWhatIf = () => {
    const word = numbers?.tokens[chosen]?.text ?? "none yet";
    document.querySelectorAll(".what-if-token").forEach((element) => {
      if (element.textContent !== word) element.textContent = word; // setting it is a change, too
    });
  };

  // Words of the text enter the page as text nodes only.
  const showNumbers = (index) => {
    const token = numbers.tokens[index];
    const rows = [];
    const sign = Number(explanation.dataset.sign);
    const poles = JSON.parse(explanation.dataset.poles);
    for (const [name, values] of Object.entries(numbers.attributions)) {
      const value = sign * values[index];
      const label = explanation.querySelector(`input[value=${name}]`).parentElement.textContent;
      rows.push([label, Math.abs(value) < 0.005 ? "0.00" : `${signed(value)} ${poles[value < 0 ? 1 : 0]}`]);
    }
    Object.keys(numbers.prediction.scores)
      .map((label, column) => [label, numbers.running[index][column], numbers.running[index + 1][column]])
      .sort((a, b) => b[2] - a[2])
      .slice(0, 4)
      .forEach(([label, from, to]) => rows.push([`Probability of ${label}`, `${percent(from)} → ${percent(to)}`]));
    const title = document.createElement("p");
    title.className = "chosen-title";
    const word = document.createElement("strong");
    word.textContent = token.text;
    title.append(word, ` token ${index + 1} of ${numbers.tokens.length}${token.unknown ? ", unknown to the model" : ""}`);
    const list = document.createElement("dl");
    for (const [name, value] of rows) {
      const row = document.createElement("div");
      for (const [tag, content] of [["dt", name], ["dd", value]]) {
        row.appendChild(document.createElement(tag)).textContent = content;
      }
      list.append(row);
    }
    explanation.querySelector(".chosen").replaceChildren(title, list, ...unitTable(index));
    showTokenInWhatIf();
  };

  // The units that the token moves most, as a table; nothing for a cell without gates.
  const unitTable = (index) => {
    const units = JSON.parse(explanation.dataset.units)[index];
    if (!units) return [];
    const directions = JSON.parse(explanation.dataset.directions);
    const table = document.createElement("table");
    table.append(Object.assign(document.createElement("caption"), { textContent: "The units that move most here: gates r and z, candidate n, hidden state h" }));
    const addRow = (tag, cells) => {
      const row = table.appendChild(document.createElement("tr"));
      for (const content of cells) row.appendChild(document.createElement(tag)).textContent = content;
    };
    addRow("th", ["unit", "r", "z", "n", "h before", "h after"]);
    for (const [direction, unit, ...values] of units) {
      const name = directions[direction].split(",")[0].toLowerCase();
      addRow("td", [`${unit} ${name}`, ...values.map((value) => value.toFixed(2).replace("-", "−"))]);
    }
    return [table];
  };

  const showMethod = () => {
    explanation.dataset.shown = method;
    const input = explanation.querySelector(`input[value=${method}]`);
    if (input) input.checked = true; // a first, partial explanation has no methods
  };

  // A new explanation was drawn, or the old one is gone. When one explanation directly follows another, Gradio keeps
  // the element and changes its attributes and children.
  const update = () => {
    const latest = document.querySelector(".why");
    if (latest && latest === explanation && latest.dataset.explanation === json) {
      const again = chosen;
      if (again >= 0 && tokens()[again]?.getAttribute("aria-pressed") === "false") {
        chosen = -1; // the same explanation was drawn anew
        choose(again);
      }
      return showTokenInWhatIf();
    }
    explanation = latest;
    json = latest?.dataset.explanation;
    const before = { text: numbers?.text, chosen };
    chosen = -1;
    document.documentElement.style.removeProperty("--chosen-share");
    numbers = latest && JSON.parse(json);
    showTokenInWhatIf();
    if (!latest) return;
    showMethod();
    const more = latest.querySelector(".why-more");
    if (more) {
      more.open = moreOpen;
      more.ontoggle = () => (moreOpen = more.open);
    }
    if (before.chosen >= 0 && before.text === numbers.text) choose(before.chosen); // the rest of a partial explanation
    if (linkedToken !== null && numbers.text === parameters().get("text")) choose(linkedToken);
    linkedToken = null;
  };
  const changes = { childList: true, subtree: true, attributeFilter: ["data-explanation"] };
  new MutationObserver(update).observe(document.documentElement, changes);

  const confirmOn = (button, words) => {
    const before = button.textContent;
    button.textContent = words;
    setTimeout(() => (button.textContent = before), 2000);
  };

  const actions = {
    link: (button) => {
      const token = chosen < 0 ? "" : `&token=${chosen}`;
      history.replaceState(null, "", `#text=${encodeURIComponent(numbers.text)}${token}`);
      // Not navigator.clipboard, which is missing on pages served without TLS.
      const field = Object.assign(document.createElement("textarea"), { value: location.href });
      button.after(field);
      field.select();
      document.execCommand("copy");
      field.remove();
      button.focus();
      confirmOn(button, "Link copied");
    },
    json: () => {
      const content = new Blob([JSON.stringify(numbers, null, 2)], { type: "application/json" });
      const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(content) });
      link.download = "explanation.json";
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    },
  };

  document.addEventListener("click", ({ target, clientX }) => {
    // A link to the text in the address opens it again, though the address does not change.
    if (target.closest(".failures a")?.hash === location.hash) window.dispatchEvent(new HashChangeEvent("hashchange"));
    if (!explanation) return;
    const token = target.closest(".why .token");
    if (token) choose(Number(token.dataset.index), true);
    const column = target.closest(".track-column");
    if (column) choose(Number(column.dataset.index));
    const plot = target.closest(".on-tokens");
    if (plot) {
      const { left, width } = plot.getBoundingClientRect();
      choose(Math.floor(((clientX - left) / width) * tokens().length));
    }
    const button = target.closest("[data-action]");
    if (button) actions[button.dataset.action](button);
  });
  document.addEventListener("mouseover", ({ target }) => {
    if (!explanation) return;
    const word = target.closest(".why [data-index]");
    mark(word ? word.dataset.index : chosen, "here");
  });
  document.addEventListener("focusin", ({ target }) => {
    if (target.matches(".why .token")) choose(Number(target.dataset.index));
  });
  document.addEventListener("change", ({ target }) => {
    if (!target.matches(".why-methods input")) return;
    method = target.value;
    showMethod();
  });
  document.addEventListener("keydown", (event) => {
    if (!event.target.matches(".why .token")) return;
    const last = tokens().length - 1;
    const next = { ArrowRight: chosen + 1, ArrowLeft: chosen - 1, Home: 0, End: last }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    choose(Math.min(Math.max(next, 0), last), true);
  });

  // The token of a link such as "#text=...&token=3" (links.py); other tabs have such links, too.
  const readToken = () => {
    const token = parameters().get("token");
    linkedToken = token === null ? null : Number(token);
  };
  // Enter the text of the link, if there is one, as if it were typed.
  const enterLinked = async () => {
    const text = parameters().get("text");
    const area = document.querySelector("#sentiment-text textarea");
    if (text === null || !area) return;
    readToken();
    area.value = text;
    area.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((resolve) => setTimeout(resolve, 50)); // until Gradio has read the text
  };
  const submit = () => document.getElementById("sentiment-submit").click();
  window.addEventListener("hashchange", () => {
    const text = parameters().get("text");
    if (text === null || parameters().has("inside")) return; // inside_tab.js handles those
    document.querySelector("[role=tab]")?.click();
    window.scrollTo(0, 0);
    enterLinked().then(submit);
  });

  window.sentimentTab = {
    chosen: () => chosen,
    enterLinked,
    submit,
  };
})();
