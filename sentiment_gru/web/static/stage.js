// The stage: one drawing of a GRU unit, driven in the browser from the values of one JSON, and its player.
(() => {
  const sigmoid = (value) => 0.5 * (1 + Math.tanh(value / 2));

  // One step of a unit. `input` and `past` are the terms of r, z and n that come from the input and from the old state
  // h, biases included. Where the convention applies r before the matrix product, `past(r)` gives the terms.
  const step = ({ input, past, h }, convention = { zKeeps: true, resetAfter: true }) => {
    const [pastR, pastZ, pastN] = past;
    const r = sigmoid(input[0] + pastR);
    const z = sigmoid(input[1] + pastZ);
    const n = Math.tanh(input[2] + (convention.resetAfter ? r : 1) * pastN);
    const keep = convention.zKeeps ? z : 1 - z;
    return { input, past, h, r, z, n, keep, write: 1 - keep, new: keep * h + (1 - keep) * n };
  };

  // U+2212 as the minus sign, and no sign before 0.00.
  const format = (value, digits = 2) => {
    const text = value.toFixed(digits);
    return Number(text) ? text.replace("-", "−") : text.replace("-", "");
  };
  // Whole percents, but with one decimal where they would say all or nothing.
  const share = (value) => {
    const isNearEnd = (value > 0 && value < 0.005) || (value >= 0.995 && value < 1);
    return `${(100 * value).toFixed(isNearEnd ? 1 : 0)}%`;
  };

  class Stage extends HTMLElement {
    static observedAttributes = ["data-values"];

    constructor() {
      super();
      this.addEventListener("click", (event) => this.press(event.target.closest("button[data-do]")?.dataset.do));
    }

    connectedCallback() {
      this.begin();
    }

    // Gradio changes the elements of the last answer into those of the next, one by one, and the values come first.
    attributeChangedCallback() {
      queueMicrotask(() => this.begin());
    }

    begin() {
      if (!this.isConnected || this.source === this.dataset.values) return;
      this.source = this.dataset.values;
      this.data = JSON.parse(this.source);
      this.position = 0;
      this.pause();
      this.prepare();
      this.show();
    }

    disconnectedCallback() {
      this.pause();
    }

    find(selector) {
      return this.querySelector(selector);
    }

    write(name, text) {
      for (const element of this.querySelectorAll(`[data-text="${name}"]`)) {
        if (element.textContent !== text) element.textContent = text;
      }
    }

    // Draw a step. `words` has the captions that differ between the cards.
    draw(taken, words = {}) {
      const numbers = {
        ...taken,
        "input-r": taken.input[0], "input-z": taken.input[1], "input-n": taken.input[2],
        "past-r": taken.past[0], "past-z": taken.past[1], "past-n": taken.past[2],
      };
      for (const element of this.querySelectorAll("[data-number]")) {
        const text = format(numbers[element.dataset.number] ?? NaN, Number(element.dataset.digits ?? 2));
        element.textContent = "brackets" in element.dataset && text.startsWith("−") ? `(${text})` : text;
      }
      const widths = { keep: 22 * taken.keep, write: 22 * taken.write, past: 12 * taken.r };
      for (const path of this.querySelectorAll("[data-width]")) {
        const width = widths[path.dataset.width];
        path.style.strokeWidth = `${width}px`;
        // On the way out the copied part lies above the written one.
        const y = { top: 39 + width / 2, bottom: 61 - width / 2 }[path.dataset.lane];
        if (y !== undefined) path.style.transform = `translateY(${y}px)`;
      }
      for (const bar of this.querySelectorAll("[data-scale]")) {
        const scale = bar.dataset.scale === "closed" ? 1 - taken.r : numbers[bar.dataset.scale];
        bar.style.transform = `scaleY(${scale})`;
      }
      for (const lever of this.querySelectorAll("[data-turn]")) {
        lever.style.transform = `rotate(${-90 * taken.write}deg)`; // to the left it copies, downwards it writes
      }
      this.write("keeps", `keeps ${share(taken.keep)}`);
      this.write("writes", `writes ${share(taken.write)}`);
      this.write("lets", `lets ${share(taken.r)} through`);
      const numbersInWords =
        `Old state ${format(taken.h)}, reset gate ${format(taken.r)}, candidate ${format(taken.n)}, update gate ` +
        `${format(taken.z)}. The new state is ${format(taken.new)}: ${share(taken.keep)} of the old state is kept, and ` +
        `${share(taken.write)} of the candidate is written.`;
      this.find(".stage-drawing").setAttribute("aria-label", numbersInWords);
      for (const [name, text] of Object.entries(words)) {
        // Screen readers would fall behind a caption that changes with every step of a playing stage.
        if (name !== "caption" || !this.timer) this.write(name, text);
      }
    }

    // Mark one step of the road, and scroll the road, not the page, to it.
    mark(index) {
      const road = this.find(".road");
      this.marked?.removeAttribute("aria-current");
      this.marked = road.children[index];
      if (!this.marked) return;
      this.marked.setAttribute("aria-current", "step");
      const top = this.marked.offsetTop - road.offsetTop;
      if (top < road.scrollTop || top + this.marked.offsetHeight > road.scrollTop + road.clientHeight) {
        road.scrollTop = top - road.clientHeight / 3;
      }
    }

    press(action) {
      if (!action) return;
      if (action !== "play") this.pause();
      if (action === "first") this.go(0);
      if (action === "back") this.go(this.position - 1);
      if (action === "step") this.go(this.position === this.last ? 0 : this.position + 1);
      if (action === "play") this.timer ? this.pause() : this.play();
    }

    go(position) {
      this.position = Math.min(Math.max(position, 0), this.last);
      this.show();
    }

    play() {
      if (this.position === this.last) this.go(0);
      this.timer = setInterval(() => {
        if (!this.offsetParent || this.position === this.last) return this.pause(); // hidden, or at the end
        this.go(this.position + 1);
      }, Math.min(1000, Math.max(150, 40000 / this.last)));
      this.find(".stage-play").textContent = "Pause";
    }

    pause() {
      if (!this.timer) return;
      clearInterval(this.timer);
      this.timer = null;
      this.find(".stage-play").textContent = "Play";
      this.show(); // with its caption
    }
  }

  window.gruStage = { Stage, step, format, share };
})();
