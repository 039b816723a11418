// The three cards on the stage: two sliders, the weights of the gates, and a sentence read by the trained model.
(() => {
  const { Stage, step, format, share } = window.gruStage;

  // Show the value of each slider of a form beside it.
  const showValues = (form) => {
    for (const shown of form.querySelectorAll("[data-of]")) {
      shown.textContent = format(Number(form.querySelector(`[name="${shown.dataset.of}"]`).value));
    }
  };

  const blend = (taken) =>
    `${share(taken.keep)} of ${format(taken.h)} and ${share(taken.write)} of ${format(taken.n)} give ${format(taken.new)}.`;

  const done = new Map(); // the tasks that were done in this visit, with their answers: a hidden card is taken down

  // r and z are set directly; the candidate sees the input and, through r, the old state.
  class Sliders extends Stage {
    constructor() {
      super();
      this.addEventListener("input", () => this.show());
    }

    prepare() {
      this.last = this.data.steps - 1;
      const bars = Array.from({ length: this.data.steps + 1 }, () => document.createElement("li"));
      this.find("[data-trail]").replaceChildren(...bars);
    }

    show() {
      const [z, r] = ["z", "r"].map((name) => Number(this.find(`[name="${name}"]`).value));
      const { input, weight, zKeeps } = this.data;
      const keep = zKeeps ? z : 1 - z;
      let { h } = this.data;
      let taken;
      for (let index = 0; index <= this.position; index++) {
        const n = Math.tanh(input + r * weight * h);
        taken = { input: [0, 0, input], past: [0, 0, weight * h], h, r, z, n, keep, write: 1 - keep, new: keep * h + (1 - keep) * n };
        h = taken.new;
      }
      const steps = this.position + 1;
      showValues(this);
      this.draw(taken, {
        input: `input: ${format(input)}`,
        position: `Step ${steps} of ${this.data.steps}`,
        caption: blend(taken),
      });
      [...this.find("[data-trail]").children].forEach((bar, index) => {
        bar.style.setProperty("--left", index <= steps ? keep ** index : 0);
        bar.textContent = index <= steps ? share(keep ** index) : "";
      });
      this.check({ z, r, left: z ** steps, new: taken.new, n: taken.n });
    }

    check({ z, r, left, new: state, n }) {
      const isShut = r < 0.005;
      const answers = {
        keep: Math.abs(z - 0.9) < 0.005 && this.position === this.last &&
          `${share(left)} is left. 90% of 90% of 90% …: what is kept is multiplied at every step, and so is the gradient on its way back.`,
        ignore: isShut && `With r = 0 the candidate is ${format(n)}, whatever the old state was: only the input speaks.`,
        both: isShut && z >= 0.9 && `h′ = ${format(state)}. The reset gate hides the past from the candidate; it does not erase the state.`,
        forget: isShut && z < 0.005 && `h′ = ${format(state)} is the candidate, and the candidate has not seen the past. It takes both gates to forget.`,
      };
      for (const [name, answer] of Object.entries(answers)) {
        const task = this.find(`[data-task="${name}"]`);
        if (!task) continue;
        if (answer && !done.has(name)) done.set(name, answer);
        if (!done.has(name) || task.classList.contains("done")) continue;
        task.classList.add("done");
        task.lastElementChild.textContent = `Done: ${done.get(name)}`;
      }
    }
  }

  // All ten weights and biases of a unit with one input, in three conventions.
  class Weights extends Stage {
    constructor() {
      super();
      this.addEventListener("input", (event) => this.change(event.target));
      this.addEventListener("click", (event) => {
        const button = event.target.closest("[data-preset]");
        if (button) this.setPreset(Number(button.dataset.preset));
      });
    }

    prepare() {
      this.convention = this.data.conventions[0];
      this.find("[name=sequence]").value = this.data.sequence.map((x) => format(x, 1)).join(", ");
      this.readSequence();
      this.setPreset(0);
    }

    change(field) {
      if (field.type === "radio") this.convert(field.value);
      if (field.name === "sequence") this.readSequence();
      if (field.type === "range") this.position = 0;
      this.show();
    }

    setPreset(index) {
      const { weights, x, h, about } = this.data.presets[index];
      this.set({ ...weights, x, h });
      if (!this.convention.zKeeps) this.negateUpdateGate();
      this.position = 0;
      this.write("note", about);
      this.write("conversion", "");
      this.show();
    }

    set(values) {
      for (const [name, value] of Object.entries(values)) this.find(`[name="${name}"]`).value = value;
    }

    get(name) {
      return Number(this.find(`[name="${name}"]`).value);
    }

    // sigmoid(-a) = 1 - sigmoid(a): with negated weights z is the other share.
    negateUpdateGate() {
      for (const name of ["w_z", "u_z", "b_z"]) this.set({ [name]: -this.get(name) });
    }

    convert(name) {
      const before = this.take(this.get("x"), this.get("h"));
      const old = this.convention;
      this.convention = this.data.conventions.find((convention) => convention.name === name);
      if (old.zKeeps !== this.convention.zKeeps) this.negateUpdateGate();
      const difference = Math.abs(this.take(this.get("x"), this.get("h")).new - before.new);
      const { title } = this.convention;
      this.write(
        "conversion",
        old.resetAfter === this.convention.resetAfter || this.get("c_n") === 0
          ? `Written as in ${title}. The weights of z were negated where its sense turns, so that the unit computes the same.`
          : `Written as in ${title}. PyTorch's r scales the bias c, too, and c is not 0: no weights make the two agree. Here the new state differs by ${format(difference, 3)}.`,
      );
    }

    readSequence() {
      const words = this.find("[name=sequence]").value.replaceAll("−", "-").split(/[\s,]+/).filter(Boolean);
      const numbers = words.map(Number);
      const isValid = numbers.length >= 1 && numbers.length <= 20 && numbers.every((x) => Math.abs(x) <= 3);
      this.write("refusal", isValid ? "" : "Give 1 to 20 numbers between −3 and 3, with spaces or commas between them.");
      this.sequence = isValid ? numbers : [];
      this.last = this.sequence.length;
      this.position = 0;
      const road = this.find(".road");
      road.replaceChildren(
        ...this.sequence.map((x) => {
          const column = document.createElement("span");
          column.className = "road-step";
          const word = Object.assign(document.createElement("span"), { className: "road-word", textContent: format(x, 1) });
          const [lane, state] = ["road-lane", "road-state"].map((className) =>
            Object.assign(document.createElement("i"), { className }));
          column.append(word, lane, state);
          return column;
        }),
      );
    }

    take(x, h) {
      const [w, u, b] = ["w", "u", "b"].map((kind) => ["r", "z", "n"].map((gate) => this.get(`${kind}_${gate}`)));
      const input = w.map((weight, gate) => weight * x + b[gate]);
      const past = u.map((weight) => weight * h);
      if (!this.convention.resetAfter) past[2] *= step({ input, past, h }, this.convention).r; // U (r h)
      past[2] += this.get("c_n");
      return step({ input, past, h }, this.convention);
    }

    show() {
      showValues(this);
      let h = 0;
      const steps = this.sequence.map((x) => {
        const taken = this.take(x, h);
        h = taken.new;
        return taken;
      });
      const road = this.find(".road");
      steps.forEach((taken, index) => {
        road.children[index].style.setProperty("--keep", taken.keep);
        road.children[index].style.setProperty("--state", taken.new);
      });
      this.mark(this.position - 1);
      const taken = this.position ? steps[this.position - 1] : this.take(this.get("x"), this.get("h"));
      const isAfter = this.convention.resetAfter;
      this.draw(taken, {
        input: `input: ${format(taken.input[2])}`,
        "product-first": isAfter ? "U h + c" : "",
        "product-last": isAfter ? "" : "U(rh) + c",
        position: this.position ? `Step ${this.position} of ${this.last}` : "As the sliders say",
        caption: blend(taken),
      });
      for (const list of this.querySelectorAll("ul[data-convention]")) {
        list.hidden = list.dataset.convention !== this.convention.name;
      }
    }
  }

  // One unit of the trained model, word by word; the units and all their values come with the page.
  class Sentence extends Stage {
    constructor() {
      super();
      this.addEventListener("input", ({ target }) => {
        if (target.name === "word") this.goTo(Number(target.value) - 1);
        if (target.type === "radio") {
          this.choose(Number(target.value));
          this.goTo(this.unit.tokens[0]);
        }
      });
      this.addEventListener("click", ({ target }) => {
        const column = target.closest(".road-step");
        if (column) this.goTo([...column.parentElement.children].indexOf(column));
      });
    }

    prepare() {
      this.words = [...this.querySelectorAll(".road-word")].map((word) => word.textContent);
      this.last = this.words.length - 1;
      this.position = this.positionOf(this.data.token);
      this.find(`.stage-units [value="${this.data.chosen}"]`).checked = true;
      this.choose(this.data.chosen);
    }

    goTo(token) {
      this.pause();
      this.go(this.positionOf(token));
    }

    // Positions count in reading order, tokens in the order of the text.
    positionOf(token) {
      return this.data.backward ? this.last - token : token;
    }

    choose(index) {
      this.unit = this.data.units[index];
      const { input, past, hidden } = this.unit;
      this.steps = hidden.map((_, token) => {
        const before = this.data.backward ? token + 1 : token - 1;
        return step({ input: input.map((gate) => gate[token]), past: past.map((gate) => gate[token]), h: hidden[before] ?? 0 });
      });
      const columns = this.find(".road").children;
      this.steps.forEach((taken, token) => {
        columns[token].style.setProperty("--keep", taken.keep);
        columns[token].style.setProperty("--state", taken.new);
        columns[token].classList.toggle("road-found", this.unit.tokens.includes(token));
      });
    }

    show() {
      const token = this.positionOf(this.position); // its own inverse
      const taken = { ...this.steps[token], torch: this.unit.hidden[token] };
      const read = this.position + 1;
      const scores = this.data.running[this.data.backward ? this.last + 1 : read];
      this.mark(token);
      this.find("[name=word]").value = token + 1;
      this.find("[name=word]").setAttribute("aria-valuetext", this.words[token]);
      [...this.find(".stage-shares").children].forEach((bar, index) => (bar.style.flexGrow = scores[index]));
      const best = scores.indexOf(Math.max(...scores));
      this.draw(taken, {
        word: `“${this.words[token]}”`,
        unit: `unit ${this.unit.unit}`,
        input: `input: ${format(taken.input[2])}`,
        position: `Word ${token + 1} of ${this.words.length}`,
        verdict: `${this.data.labels[best]} ${share(scores[best])}`,
        caption: blend(taken),
      });
    }
  }

  customElements.define("gru-sliders", Sliders);
  customElements.define("gru-weights", Weights);
  customElements.define("gru-sentence", Sentence);
})();
