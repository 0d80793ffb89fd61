// What a user can do to the legend and to the selection. Each changes the store and says what it did.

import { counted } from "./dom.js";
import { groupsOf } from "./groups.js";
import * as history from "./history.js";
import * as legend from "./legend.js";

export class Actions {
  #store;

  constructor(store) {
    this.#store = store;
  }

  say(status) {
    this.#store.set({ status });
  }

  /** Go on to another legend. */
  change(classes, what) {
    const now = this.#store.state.history;
    if (classes === now.present) return false;
    this.#store.set({ history: history.advance(now, classes, what), preview: null, status: `${what}.` });
    return true;
  }

  /** Select these clusters, or an empty class by its number. */
  select(clusters, emptyClass = null) {
    this.#store.set({ selection: new Set(clusters), emptyClass });
  }

  /** Add clusters to the selection, or take them out if all of them are in it. */
  toggle(clusters) {
    const { selection } = this.#store.state;
    const inside = clusters.length > 0 && clusters.every((cluster) => selection.has(cluster));
    const others = [...selection].filter((cluster) => !clusters.includes(cluster));
    this.select(inside ? others : [...others, ...clusters]);
  }

  name(text) {
    const { classes, chosen, entry, ignore } = this.#now();
    const title = text.trim().replace(/\s+/g, " ");
    if (!title) return this.say("A class needs a name.");
    const existing = classes.find((entry) => entry.name === title);
    if (entry?.clusters.length === 0) {
      if (existing) return this.say(`There is a class “${title}” already.`);
      return this.change(legend.renamed(classes, entry.id, title, ignore), `Renamed the class “${title}”`);
    }
    const done = existing ? `joined “${title}”` : `${chosen.length === 1 ? "is" : "are"} now “${title}”`;
    if (!this.change(legend.named(classes, chosen, title, ignore), `${this.#subject(chosen)} ${done}`))
      this.say("That is its name already.");
  }

  /** Returns whether it did. */
  merge() {
    const { classes, chosen, shares, ignore } = this.#now();
    if (chosen.length < 2) return this.say("Select two clusters or more to merge them.");
    const next = legend.merged(classes, chosen, (cluster) => shares.get(cluster) ?? 0, ignore);
    const name = legend.classOf(next, chosen[0]).name;
    return (
      this.change(next, `Merged ${counted(chosen.length, "cluster")} into “${name}”`) ||
      this.say("They are one class already.")
    );
  }

  /** Join clusters without a name into other groups, from the server's joins. What the page itself proposes is no step. */
  group(count) {
    const { joins, history: now, proposed, ignore } = this.#store.state;
    const classes = legend.grouped(now.present, groupsOf(joins, count), ignore);
    const what = `Merged to ${counted(count, "group")}`;
    if (now.present === proposed) {
      return this.#store.set({ proposed: classes, history: { ...now, present: classes }, preview: null, status: `${what}.` });
    }
    const isSliding = now.past.at(-1)?.what.startsWith("Merged to") && now.future.length === 0;
    this.#store.set({ history: isSliding ? history.undo(now) : now });
    this.change(classes, what);
  }

  split() {
    const { classes, chosen, ignore } = this.#now();
    if (chosen.length === 0) return this.say("Select the clusters to split off.");
    if (!this.change(legend.split(classes, chosen, ignore), `Split off ${counted(chosen.length, "cluster")}`)) {
      this.say("It is a class of its own already.");
    }
  }

  recolour(color) {
    const { classes, entry, ignore } = this.#now();
    this.preview(null);
    if (!entry) return;
    const other = classes.find(
      ({ id, color: taken }) => id !== entry.id && taken.toUpperCase() === color.toUpperCase(),
    );
    if (other) return this.say(`“${other.name}” has the colour ${color} already.`);
    if (ignore.includes(color.toUpperCase())) {
      return this.say(`${color} is the colour of what counts nowhere in the masks: choose another.`);
    }
    this.change(legend.recoloured(classes, entry.id, color), `Recoloured “${entry.name}”`);
  }

  /** Draw the selected class in a colour that is not chosen yet. */
  preview(color) {
    const { entry } = this.#now();
    this.#store.set({ preview: color && entry ? { id: entry.id, color } : null });
  }

  /** Drop the selected class if it is empty. */
  drop() {
    const { classes, entry } = this.#now();
    if (!entry) return this.say("Select a class that holds no cluster to drop it.");
    const done = this.change(legend.dropped(classes, entry.id), `Dropped the class “${entry.name}”`);
    if (!done) this.say("Only a class that holds no cluster can be dropped.");
  }

  undo() {
    const now = this.#store.state.history;
    if (now.past.length === 0) return this.say("There is nothing to undo.");
    this.#store.set({ history: history.undo(now), preview: null, status: `Undone: ${lowered(now.past.at(-1).what)}.` });
  }

  redo() {
    const now = this.#store.state.history;
    if (now.future.length === 0) return this.say("There is nothing to redo.");
    this.#store.set({ history: history.redo(now), preview: null, status: `Redone: ${lowered(now.future[0].what)}.` });
  }

  #now() {
    const {
      history: { present: classes },
      selection,
      shares,
      ignore,
    } = this.#store.state;
    return { classes, chosen: [...selection], shares, ignore, entry: selectedClass(this.#store.state) };
  }

  #subject(chosen) {
    return chosen.length === 1 ? `Cluster ${chosen[0]}` : counted(chosen.length, "cluster");
  }
}

/** The one class that the selection lies in, or undefined. */
export function selectedClass({ history: { present: classes }, selection, emptyClass }) {
  if (emptyClass !== null) return classes.find(({ id, clusters }) => id === emptyClass && clusters.length === 0);
  const owners = legend.classesOf(classes, [...selection]);
  return owners.length === 1 ? owners[0] : undefined;
}

function lowered(text) {
  return text[0].toLowerCase() + text.slice(1);
}
