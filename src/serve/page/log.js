// A log of any length: the lines are kept as texts, and only those that are seen are elements.

import { follow } from "./api.js";
import { el, setText, sizeWords } from "./dom.js";

const lineHeight = 18;
const tallest = 8_000_000; // pixels: browsers bound the height of an element
const mostLines = 2_000_000; // then the oldest are dropped
const widest = 4000; // characters of a line that are shown
const searchedAtOnce = 50_000;

export class LogView {
  constructor(id, size) {
    this.id = id;
    this.lines = [];
    this.partial = "";
    this.following = true;
    this.matches = [];
    this.searched = 0;
    this.match = -1;
    this.begin = 0;
    this.build(size);
    this.open(size > 8 << 20 ? `?tail=${8 << 20}` : "?from=0");
  }

  build(size) {
    this.search = el("input", {
      type: "search", placeholder: "Search", "aria-label": "Search the log", autocomplete: "off",
      spellcheck: "false", oninput: () => this.startSearch(), onkeydown: (event) => this.searchKey(event),
    });
    this.count = el("span", { class: "count", role: "status" });
    this.followBox = el("input", { type: "checkbox", onchange: () => this.setFollow(this.followBox.checked) });
    this.followBox.checked = true;
    this.whole = el("button", { onclick: () => this.reopen() }, "From the start");
    this.whole.hidden = size <= 8 << 20;
    this.info = el("span", { class: "info" });
    this.space = el("div", { class: "space" });
    this.window = el("pre", { class: "window" });
    this.pane = el("div", { class: "pane", tabindex: 0, role: "log", "aria-label": "Output", "aria-live": "off" }, this.space, this.window);
    this.pane.addEventListener("scroll", () => this.scrolled());
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(this.pane);
    this.element = el(
      "div", { class: "log" },
      el("div", { class: "tools" },
        this.search,
        el("button", { "aria-label": "Previous match", onclick: () => this.step(-1) }, "↑"),
        el("button", { "aria-label": "Next match", onclick: () => this.step(1) }, "↓"),
        this.count,
        el("label", { class: "follow" }, this.followBox, " Follow"),
        this.whole, this.info),
      this.pane);
  }

  open(query) {
    this.stream = new AbortController();
    follow(`/v1/tasks/${this.id}/log${query}`, this.stream.signal,
      (event, data) => this.take(event, data), () => {}).catch((error) => setText(this.info, error.message));
  }

  close() {
    this.stream.abort();
    this.sizes.disconnect();
  }

  reopen() {
    this.stream.abort();
    this.lines = [];
    this.partial = "";
    this.whole.hidden = true;
    this.startSearch();
    this.open("?from=0");
  }

  take(event, data) {
    if (event === "end") return false;
    if (data.skipped) this.add(`[${sizeWords(data.skipped)} of the log are no longer there]\n`);
    this.add(data.text);
    return true;
  }

  add(text) {
    const parts = (this.partial + text).split("\n");
    this.partial = parts.pop();
    for (const part of parts) this.lines.push(part);
    if (this.lines.length > mostLines) {
      this.lines.splice(0, this.lines.length - mostLines * 0.9);
      this.startSearch();
    }
    setText(this.info, `${this.length().toLocaleString("en")} lines`);
    this.wantDraw();
    this.goOnSearching();
  }

  length() {
    return this.lines.length + (this.partial ? 1 : 0);
  }

  line(index) {
    return index < this.lines.length ? this.lines[index] : this.partial;
  }

  wantDraw() {
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => {
      this.drawing = false;
      this.draw();
    });
  }

  /** Lines that fit, and the height of all, which is bounded. */
  measure() {
    const visible = Math.max(1, Math.floor(this.pane.clientHeight / lineHeight));
    const height = Math.min(this.length() * lineHeight, tallest);
    return { visible, height, room: Math.max(height - this.pane.clientHeight, 1) };
  }

  draw() {
    const { visible, height, room } = this.measure();
    this.space.style.height = `${height}px`;
    const last = Math.max(0, this.length() - visible);
    if (this.following) {
      this.pane.scrollTop = room + lineHeight;
      this.begin = last;
    } else {
      const exact = height < tallest;
      this.begin = Math.min(last, Math.floor(exact ? this.pane.scrollTop / lineHeight : (this.pane.scrollTop / room) * last));
    }
    const shown = [];
    const word = this.search.value.toLowerCase();
    for (let i = this.begin; i < Math.min(this.begin + visible + 1, this.length()); i += 1)
      shown.push(this.lineElement(i, word));
    this.window.replaceChildren(...shown);
    this.window.style.top = `${this.pane.scrollTop}px`;
  }

  lineElement(index, word) {
    const text = this.line(index).slice(0, widest);
    const out = el("div", { class: index === this.matches[this.match] ? "line current" : "line" });
    let at = 0;
    const lower = word ? text.toLowerCase() : "";
    for (let hit = word ? lower.indexOf(word) : -1; hit >= 0; hit = lower.indexOf(word, at)) {
      out.append(text.slice(at, hit), el("mark", {}, text.slice(hit, hit + word.length)));
      at = hit + word.length;
    }
    out.append(text.slice(at) || (at === 0 ? " " : ""));
    return out;
  }

  scrolled() {
    const { room } = this.measure();
    const atEnd = this.pane.scrollTop >= room - lineHeight;
    if (this.following && !atEnd) this.setFollow(false);
    else if (!this.following) this.wantDraw();
  }

  setFollow(on) {
    this.following = on;
    this.followBox.checked = on;
    this.wantDraw();
  }

  show(index) {
    this.setFollow(false);
    const { visible, height, room } = this.measure();
    const first = Math.max(0, index - Math.floor(visible / 2));
    const last = Math.max(1, this.length() - visible);
    this.space.style.height = `${height}px`;
    this.pane.scrollTop = height < tallest ? first * lineHeight : (first / last) * room;
    this.wantDraw();
  }

  startSearch() {
    this.matches = [];
    this.searched = 0;
    this.match = -1;
    this.goOnSearching();
    this.wantDraw();
  }

  /** A part of the lines at a time, so that the page stays quick. */
  goOnSearching() {
    const word = this.search.value.toLowerCase();
    if (!word) return setText(this.count, "");
    const end = Math.min(this.searched + searchedAtOnce, this.lines.length);
    for (; this.searched < end; this.searched += 1)
      if (this.lines[this.searched].toLowerCase().includes(word)) this.matches.push(this.searched);
    this.tellCount();
    if (this.match < 0 && this.matches.length > 0) this.step(1);
    if (this.searched < this.lines.length && !this.searching) {
      this.searching = true;
      setTimeout(() => {
        this.searching = false;
        this.goOnSearching();
      });
    }
  }

  tellCount() {
    setText(this.count, this.matches.length === 0 ? "none" : `${this.match + 1} of ${this.matches.length}`);
  }

  step(by) {
    if (this.matches.length === 0) return;
    this.match = (this.match + by + this.matches.length) % this.matches.length;
    this.tellCount();
    this.show(this.matches[this.match]);
  }

  searchKey(event) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    this.step(event.shiftKey ? -1 : 1);
  }
}
