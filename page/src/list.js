// The list of classes and their clusters: a tree in which several items can be selected.

import { swatch } from "./dom.js";
import { classItem, group, head, picture, section, tile, wrapped } from "./items.js";
import { classOf, isNamed, isSingle } from "./legend.js";
import { inOrder, parted } from "./sorting.js";
import { below } from "./steps.js";

export class ClassList {
  #root;
  #store;
  #actions;
  #onName;
  #expanded = new Set();
  #focused = null; // the key of the item that Tab goes to
  #anchor = null; // where a range begins
  #pictures = new Map();

  constructor(root, store, actions, onName) {
    [this.#root, this.#store, this.#actions, this.#onName] = [root, store, actions, onName];
    store.subscribe((state, changed) => {
      if (changed.has("clusters")) this.#pictures.clear();
      if (["history", "clusters", "sort"].some((key) => changed.has(key))) this.render();
      else if (changed.has("selection") || changed.has("emptyClass")) this.#showSelection();
      else if (changed.has("preview")) this.#showPreview(state);
    });
    root.addEventListener("click", (event) => this.#click(event));
    root.addEventListener("keydown", (event) => this.#key(event));
    root.addEventListener("focusin", ({ target }) => target.dataset.key && this.#rove(target));
  }

  /** Build the whole list anew, keeping the focus and the place. */
  render() {
    const { state } = this.#store;
    const classes = state.history.present;
    const hadFocus = this.#root.contains(document.activeElement);
    const before = this.#items().map(({ dataset }) => dataset.key);
    const [named, unnamed] = parted(classes, isNamed);
    const [singles, groups] = parted(unnamed, isSingle);
    const [absent, present] = parted(singles, (entry) => this.#isAbsent(entry.clusters[0]));
    const loose = state.clusters.map(({ cluster }) => cluster).filter((cluster) => !classOf(classes, cluster));
    const place = this.#root.scrollTop;
    this.#root.replaceChildren(
      ...section(
        "Classes",
        "rows",
        this.#sortedClasses(named).map((entry) => this.#class(entry, classes)),
      ),
      ...section(
        "Groups without a name",
        "rows",
        this.#sortedClasses(groups).map((entry) => this.#class(entry, classes)),
      ),
      ...section(
        "Unnamed clusters",
        "tiles",
        this.#sortedUnnamed(present).map((entry) => this.#single(entry, classes)),
      ),
      ...section(
        "In no class",
        "tiles",
        this.#sorted(loose).map((cluster) => wrapped(this.#tile(cluster, 1))),
      ),
      ...section(
        "Not in this scene",
        "tiles",
        absent.map((entry) => this.#single(entry, classes)),
      ),
    );
    this.#root.scrollTop = place;
    this.#showSelection();
    this.#restoreFocus(before, hadFocus);
  }

  /** Bring a cluster into view, opening its class. */
  reveal(cluster) {
    const owner = classOf(this.#store.state.history.present, cluster);
    if (owner && !this.#expanded.has(owner.id) && !isSingle(owner)) {
      this.#expanded.add(owner.id);
      this.render();
    }
    this.#show(`cluster:${cluster}`);
  }

  /** Bring a class into view; one that is a single cluster without a name is that cluster. */
  revealClass(entry) {
    this.#show(isSingle(entry) ? `cluster:${entry.clusters[0]}` : `class:${entry.id}`);
  }

  #show(key) {
    const item = this.#item(key);
    if (!item) return;
    this.#rove(item);
    this.#anchor = item.dataset.key;
    item.scrollIntoView({ block: "nearest" });
  }

  /** Put the keyboard into the list. */
  focus() {
    this.#root.querySelector('[tabindex="0"]')?.focus();
  }

  #class(entry, classes) {
    const open = this.#expanded.has(entry.id) && entry.clusters.length > 0;
    const item = classItem(classes.indexOf(entry), head(entry, this.#shareOf(entry), open));
    if (open)
      item.append(
        group(
          entry.name,
          "tiles",
          this.#sorted(entry.clusters).map((cluster) => wrapped(this.#tile(cluster, 2))),
        ),
      );
    return item;
  }

  #single(entry, classes) {
    const item = this.#tile(entry.clusters[0], 1);
    item.append(swatch(entry.color));
    return classItem(classes.indexOf(entry), item);
  }

  #tile(cluster, level) {
    return tile(
      cluster,
      { level, share: this.#store.state.shares.get(cluster), absent: this.#isAbsent(cluster) },
      this.#picture(cluster),
    );
  }

  #shareOf(entry) {
    const { shares } = this.#store.state;
    return entry.clusters.reduce((total, cluster) => total + (shares.get(cluster) ?? 0), 0);
  }

  // Pictures are kept from one rendering to the next, so that they do not flicker.
  #picture(cluster) {
    if (!this.#pictures.has(cluster)) {
      this.#pictures.set(cluster, picture(this.#store.state.clusters.find((entry) => entry.cluster === cluster)));
    }
    return this.#pictures.get(cluster);
  }

  #sorted(clusters) {
    const [absent, present] = parted(clusters, (cluster) => this.#isAbsent(cluster));
    return [...inOrder(present, this.#store.state), ...absent];
  }

  #sortedUnnamed(classes) {
    const order = this.#sorted(classes.map((entry) => entry.clusters[0]));
    return [...classes].sort((a, b) => order.indexOf(a.clusters[0]) - order.indexOf(b.clusters[0]));
  }

  #sortedClasses(classes) {
    const share = new Map(classes.map((entry) => [entry, this.#shareOf(entry)]));
    return [...classes].sort((a, b) => share.get(b) - share.get(a));
  }

  // Until the server has counted the scene's clusters, none is absent.
  #isAbsent(cluster) {
    const { clusters, shares } = this.#store.state;
    return clusters.length > 0 && !shares.has(cluster);
  }

  #showSelection() {
    const { selection, emptyClass } = this.#store.state;
    for (const item of this.#items()) {
      const clusters = this.#clustersOf(item);
      const inside = clusters.filter((cluster) => selection.has(cluster)).length;
      const whole = clusters.length > 0 ? inside === clusters.length : item.dataset.key === `class:${emptyClass}`;
      item.setAttribute("aria-selected", String(whole));
      const partly = inside > 0 && !whole;
      item.classList.toggle("partly", partly);
      const { label } = item.dataset; // of a class: what its mark shows, words say
      if (label) item.setAttribute("aria-label", partly ? `${label}, ${inside} of them selected` : label);
    }
  }

  #showPreview({ preview, history }) {
    for (const entry of history.present) {
      const isShown = preview?.id === entry.id;
      const item = isSingle(entry) ? this.#item(`cluster:${entry.clusters[0]}`) : this.#item(`class:${entry.id}`);
      const square = item?.querySelector(".swatch");
      if (square) square.style.backgroundColor = isShown ? preview.color : entry.color;
    }
  }

  #click(event) {
    const item = event.target.closest("[data-key]");
    if (!item) return;
    if (event.target.closest(".chevron") && item.hasAttribute("aria-expanded")) return this.#toggleOpen(item);
    this.#rove(item);
    if (event.shiftKey) return this.#selectRange(item);
    if (event.ctrlKey || event.metaKey || event.target.closest(".check")) return this.#toggle(item);
    this.#selectOnly(item);
  }

  #key(event) {
    const item = event.target.closest("[data-key]");
    if (!item || event.altKey) return;
    const control = event.ctrlKey || event.metaKey;
    const steps = {
      ArrowDown: () => below(item, this.#items(), 1),
      ArrowUp: () => below(item, this.#items(), -1),
      ArrowRight: () => this.#beside(item, 1),
      ArrowLeft: () => this.#beside(item, -1),
      Home: () => this.#items()[0],
      End: () => this.#items().at(-1),
    };
    if (event.key in steps) this.#go(steps[event.key](), event.shiftKey, control);
    else if (event.key === " ") this.#toggle(item);
    else if (event.key === "Enter" && !control) this.#name(item);
    else if (event.key === "Delete") this.#actions.drop();
    else if (event.key === "a" && control)
      this.#actions.select(this.#items().flatMap((each) => this.#clustersOf(each)));
    else return;
    event.preventDefault();
  }

  #name(item) {
    const { selection, emptyClass } = this.#store.state;
    if (selection.size === 0 && emptyClass === null) this.#selectOnly(item);
    this.#onName();
  }

  #go(item, extend, onlyMove) {
    if (!item) return;
    item.focus();
    item.scrollIntoView({ block: "nearest" });
    if (extend) return this.#selectRange(item);
    if (!onlyMove) this.#selectOnly(item);
  }

  #beside(item, direction) {
    const open = item.getAttribute("aria-expanded");
    if (open !== null && (open === "true") !== direction > 0) {
      this.#toggleOpen(item);
      return null;
    }
    const items = this.#items();
    return items[items.indexOf(item) + direction];
  }

  #toggleOpen(item) {
    const id = Number(item.dataset.key.split(":")[1]);
    if (!this.#expanded.delete(id)) this.#expanded.add(id);
    this.#rove(item);
    this.render();
  }

  #selectOnly(item) {
    this.#anchor = item.dataset.key;
    const clusters = this.#clustersOf(item);
    this.#actions.select(clusters, clusters.length === 0 ? Number(item.dataset.key.split(":")[1]) : null);
  }

  #toggle(item) {
    this.#anchor = item.dataset.key;
    this.#actions.toggle(this.#clustersOf(item));
  }

  #selectRange(item) {
    const items = this.#items();
    const ends = [items.findIndex(({ dataset }) => dataset.key === this.#anchor), items.indexOf(item)];
    const from = ends[0] < 0 ? ends[1] : ends[0];
    const range = items.slice(Math.min(from, ends[1]), Math.max(from, ends[1]) + 1);
    this.#actions.select(range.flatMap((each) => this.#clustersOf(each)));
  }

  #clustersOf({ dataset }) {
    const [kind, number] = dataset.key.split(":");
    if (kind === "cluster") return [Number(number)];
    return this.#store.state.history.present.find(({ id }) => id === Number(number))?.clusters ?? [];
  }

  #items() {
    return [...this.#root.querySelectorAll("[data-key]")];
  }

  #item(key) {
    return this.#root.querySelector(`[data-key="${key}"]`);
  }

  #rove(item) {
    for (const other of this.#root.querySelectorAll('[tabindex="0"]')) other.tabIndex = -1;
    item.tabIndex = 0;
    this.#focused = item.dataset.key;
  }

  // An item that is gone passes the focus to the next one that was below it.
  #restoreFocus(before, hadFocus) {
    const place = before.indexOf(this.#focused);
    const heirs = [this.#focused, ...before.slice(place + 1), ...before.slice(0, Math.max(place, 0)).reverse()];
    const item = heirs.map((key) => key && this.#item(key)).find(Boolean) ?? this.#items()[0];
    if (!item) return;
    this.#rove(item);
    if (hadFocus) item.focus({ preventScroll: true });
  }
}
