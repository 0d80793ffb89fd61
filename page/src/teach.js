// Teach mode: choose a class, click, and see the map follow.

import { byId, counted, element, icon, percent, swatch } from "./dom.js";
import { advance, begin, redo, undo } from "./history.js";
import { counts, withClass, withLabel, withoutClass, withoutNearest } from "./labels.js";
import { classPalette } from "./palette.js";
import * as server from "./server.js";

const SUGGESTED = 6;
const REACH = 14; // of the eraser, pixels of the screen
const PAUSE = 400; // milliseconds without a click
const PATIENCE = 250; // milliseconds between two looks at how far a scene is

/** Labels, what has been learned from them, and the panel that shows both. */
export class Teaching {
  #map;
  #say;
  #onChange;
  #scene;
  #history = begin({ classes: [], labels: [] });
  #etag = "";
  #chosen = null; // the name of a class
  #isErasing = false;
  #isActive = false;
  #suggestions = [];
  #next = 0;
  #state = { version: 0, ready: false, done: 0 };
  #expected = null;
  #saving = null; // the promise of the save under way
  #loading = null; // the promise of the labels that the run has
  #advising; // a timer

  constructor({ map, say, onChange }) {
    [this.#map, this.#say, this.#onChange] = [map, say, onChange];
    byId("teach-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#addClass(byId("teach-name").value).catch((error) => this.#say(error.message));
    });
    byId("teach-erase").addEventListener("click", () => this.erase());
    byId("teach-next").addEventListener("click", () => this.showNext());
    byId("teach-use").addEventListener("click", () => this.#use());
    byId("teach-download").addEventListener("click", () => this.#download());
  }

  get isActive() {
    return this.#isActive;
  }

  get canUndo() {
    return this.#history.past.length > 0;
  }

  get canRedo() {
    return this.#history.future.length > 0;
  }

  /** Begin, or end; `scene` is the one in view. */
  async toggle(scene, active = !this.#isActive) {
    this.#isActive = active;
    this.#onChange();
    if (!active) return this.#map.teach(null);
    await this.#loadOnce();
    await this.open(scene);
  }

  /** Another scene is in view. */
  async open(scene) {
    this.#scene = scene;
    [this.#suggestions, this.#next, this.#state] = [[], 0, { version: 0, ready: false, done: 0 }];
    if (!this.#isActive) return;
    this.#show();
    await server.prepareScene(scene.id);
    await this.#follow(scene);
  }

  /** A pixel of the scene was clicked; `resolution` is how many pixels of the scene one of the screen shows. */
  click(x, y, resolution) {
    const { id, width, height } = this.#scene;
    const place = { scene: id, row: Math.floor(y), column: Math.floor(x) };
    if (x < 0 || y < 0 || x >= width || y >= height) return this.#say("That is outside the scene.");
    const lesson = this.#history.present;
    if (this.#isErasing) {
      const next = withoutNearest(lesson, place, REACH * resolution);
      return next === lesson ? this.#say("There is no label here.") : this.#change(next, "Erased a label");
    }
    if (!this.#chosen) return this.#say("Add a class first, or choose one.");
    this.#suggestions = this.#suggestions.filter(({ row, column }) => Math.hypot(row - y, column - x) > REACH * resolution);
    return this.#change(withLabel(lesson, { ...place, name: this.#chosen }), `Labelled ${this.#chosen}`);
  }

  /** Choose a class by its place in the list, from 0. */
  choose(index) {
    const entry = this.#history.present.classes[index];
    if (!entry) return;
    [this.#chosen, this.#isErasing] = [entry.name, false];
    this.#say(`Click places that are ${entry.name}.`);
    this.#show();
  }

  erase() {
    this.#isErasing = !this.#isErasing;
    this.#say(this.#isErasing ? "Click labels to erase them." : "Not erasing any more.");
    this.#show();
  }

  undo() {
    if (!this.canUndo) return this.#say("There is nothing to undo.");
    return this.#go(undo(this.#history), "Undone.");
  }

  redo() {
    if (!this.canRedo) return this.#say("There is nothing to redo.");
    return this.#go(redo(this.#history), "Redone.");
  }

  /** Go to the next place that is suggested. */
  showNext() {
    if (this.#suggestions.length === 0) return this.#say("There are no suggestions yet.");
    const { row, column } = this.#suggestions[this.#next % this.#suggestions.length];
    this.#next += 1;
    this.#map.centre(column + 0.5, row + 0.5);
    this.#say("What is this? Choose a class, and click it or press Space.");
  }

  #loadOnce() {
    this.#loading ??= this.#load().catch((error) => {
      this.#loading = null;
      throw error;
    });
    return this.#loading;
  }

  async #load() {
    const { classes, labels, etag } = await server.loadLesson();
    this.#history = begin({ classes, labels });
    [this.#etag, this.#chosen] = [etag, classes[0]?.name ?? null];
  }

  async #addClass(name) {
    await this.#loadOnce(); // whoever types fast would have it replaced by what comes
    const next = withClass(this.#history.present, name);
    if (next === this.#history.present) return this.#say(name.trim() ? "There is such a class already." : "A class needs a name.");
    this.#chosen = next.classes.at(-1).name;
    this.#isErasing = false;
    byId("teach-name").value = "";
    return this.#change(next, `Added the class ${this.#chosen}`);
  }

  #change(next, what) {
    return this.#go(advance(this.#history, next, what), `${what}.`);
  }

  async #go(history, status) {
    this.#history = history;
    const { classes } = history.present;
    if (!classes.some(({ name }) => name === this.#chosen)) this.#chosen = classes[0]?.name ?? null;
    this.#say(status);
    this.#show();
    this.#onChange();
    await this.#save();
  }

  /** Save until the server has what is shown; one request at a time. */
  async #save() {
    if (this.#saving) return this.#saving;
    this.#saving = this.#saveAll().finally(() => (this.#saving = null));
    return this.#saving;
  }

  async #saveAll() {
    let sent;
    do {
      sent = this.#history.present;
      try {
        this.#etag = (await server.saveLesson(sent, this.#etag)).etag;
      } catch (error) {
        if (error.status !== 412) return this.#say(`Not saved: ${error.message}`);
        await this.#load();
        sent = this.#history.present;
        this.#say("The labels were changed elsewhere: these are they.");
      }
      await this.#refresh(this.#scene);
    } while (sent !== this.#history.present); // somebody has clicked meanwhile
    return undefined;
  }

  /** Show what has been learned; what to expect and where to click next follow when nobody clicks for a moment. */
  async #refresh(scene) {
    this.#state = await server.loadLessonState(scene.id);
    this.#show();
    if (!this.#state.ready) return;
    clearTimeout(this.#advising);
    this.#advising = setTimeout(() => this.#advise(scene).catch((error) => this.#say(error.message)), PAUSE);
  }

  /** Wait until a scene is ready, and show it then. */
  async #follow(scene) {
    while (this.#scene === scene && this.#isActive) {
      this.#state = await server.loadLessonState(scene.id);
      this.#show();
      if (this.#state.ready) return this.#refresh(scene);
      if (this.#state.problem) return this.#say(this.#state.problem);
      await new Promise((resolve) => setTimeout(resolve, PATIENCE));
    }
    return undefined;
  }

  async #advise(scene) {
    const { places } = await server.loadSuggestions(scene.id, SUGGESTED);
    this.#expected = await server.loadExpected();
    if (this.#scene !== scene) return;
    [this.#suggestions, this.#next] = [places, 0];
    this.#show();
  }

  async #use() {
    try {
      await this.#save();
      await server.useLesson();
      this.#say("The run maps these classes from now on: terrasift predict. The legend before: terrasift teach RUN --undo.");
    } catch (error) {
      this.#say(error.message);
    }
  }

  #download() {
    element("a", { href: "/api/lesson/labels.geojson", download: "labels.geojson" }).click();
    this.#say("Downloaded the labels: terrasift teach RUN labels.geojson takes them, too.");
  }

  #show() {
    if (!this.#isActive) return;
    const { classes, labels } = this.#history.present;
    const painted = classes.map(({ color }, index) => ({ color, clusters: [index] }));
    this.#map.teach({
      version: this.#state.version,
      palette: classPalette(painted),
      labels: labels.filter(({ scene }) => scene === this.#scene.id).map((label) => ({ ...label, color: colorOf(classes, label) })),
      suggestions: this.#suggestions,
    });
    const found = counts(this.#history.present);
    byId("teach-classes").replaceChildren(...classes.map((entry, index) => this.#row(entry, index, found.get(entry.name))));
    byId("teach-erase").setAttribute("aria-pressed", String(this.#isErasing));
    byId("teach-use").disabled = this.#state.version === 0;
    byId("teach-next").disabled = this.#suggestions.length === 0;
    byId("teach-progress").hidden = this.#state.ready || Boolean(this.#state.problem);
    byId("teach-progress").value = this.#state.done ?? 0;
    byId("teach-expected").textContent = this.#words();
  }

  #row(entry, index, count) {
    const choose = element(
      "button",
      { type: "button", class: "teach-class", "aria-pressed": String(entry.name === this.#chosen && !this.#isErasing), "data-testid": `teach-class-${index}` },
      swatch(entry.color),
      element("span", { class: "teach-title" }, entry.name),
      element("span", { class: "teach-count" }, counted(count, "label")),
      index < 9 ? element("kbd", {}, String(index + 1)) : "",
    );
    choose.addEventListener("click", () => this.choose(index));
    const drop = element("button", { type: "button", class: "quiet icon-only", "aria-label": `Drop ${entry.name} and its labels`, title: "Drop" }, icon("close"));
    drop.addEventListener("click", () => this.#change(withoutClass(this.#history.present, entry.name), `Dropped ${entry.name}`));
    return element("li", {}, choose, drop);
  }

  #words() {
    if (!this.#state.ready) return this.#state.problem ?? "Looking at the scene: labels are kept already, the map follows.";
    const { labels } = this.#history.present;
    if (labels.length === 0) return "Click a few places of each class. Pulsing rings show where to begin.";
    const { accuracy, interval } = this.#expected ?? {};
    if (accuracy === null || accuracy === undefined) return `${counted(labels.length, "label")}: too few to say how good the map is.`;
    return `${counted(labels.length, "label")}: expect ${percent(accuracy)} right, class by class (${percent(interval[0])} to ${percent(interval[1])}).`;
  }
}

function colorOf(classes, { name }) {
  return classes.find((entry) => entry.name === name)?.color ?? "#808080";
}
