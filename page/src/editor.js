// What is selected, and what can be done with it.

import { selectedClass } from "./actions.js";
import { byId, counted, element, percent } from "./dom.js";
import { classOf, classesOf, isNamed, isSingle, wholeClass } from "./legend.js";

/** Wire the editor; returns a function that puts the keyboard into the name. */
export function wireEditor(store, actions, { afterNaming, split }) {
  const [name, color] = [byId("name-input"), byId("color-input")];
  byId("editor").addEventListener("submit", (event) => {
    event.preventDefault();
    actions.name(name.value);
    afterNaming();
  });
  name.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    show(store.state);
    afterNaming();
    event.stopPropagation();
  });
  color.addEventListener("input", () => actions.preview(color.value));
  color.addEventListener("change", () => {
    actions.recolour(color.value.toUpperCase());
    showColor(selectedClass(store.state)); // which may have been refused
  });
  byId("split").addEventListener("click", split);
  byId("clear").addEventListener("click", () => actions.select([]));
  byId("highlight").addEventListener("click", () => store.set({ highlight: !store.state.highlight }));
  const focusName = () => {
    name.focus();
    name.select();
  };
  byId("merge").addEventListener("click", () => mergeAndName(actions, focusName));
  store.subscribe((state, changed) => {
    if (["selection", "emptyClass", "history"].some((key) => changed.has(key))) show(state);
    if (changed.has("shares")) showShare(state); // and not all of it: somebody may be typing a name
    if (changed.has("history")) suggest(state);
    if (changed.has("highlight")) byId("highlight").setAttribute("aria-pressed", String(state.highlight));
  });
  return focusName;
}

/** Merge the selection, and go on to its name. */
export function mergeAndName(actions, focusName) {
  if (actions.merge()) focusName();
}

function show(state) {
  const chosen = [...state.selection];
  const entry = selectedClass(state);
  const some = chosen.length > 0 || Boolean(entry);
  byId("chosen").textContent = describe(state, chosen, entry);
  showShare(state);
  const name = byId("name-input");
  name.disabled = !some;
  name.value = entry && isNamed(entry) ? entry.name : "";
  name.placeholder = some ? placeholder(chosen, entry) : "Click the map or the list, then name it";
  byId("name").disabled = !some;
  byId("clear").disabled = !some;
  showColor(entry);
  byId("merge").disabled = chosen.length < 2 || Boolean(wholeClass(state.history.present, chosen));
  byId("split").disabled = chosen.every((cluster) => isAlone(state, cluster));
}

function placeholder(chosen, entry) {
  if (entry && !isSingle(entry)) return `Name ${entry.name}: water, road…`;
  return chosen.length === 1 ? `Name cluster ${chosen[0]}` : `Name ${counted(chosen.length, "cluster")}`;
}

function showColor(entry) {
  byId("color-input").disabled = !entry;
  byId("color-input").value = (entry?.color ?? "#808080").toLowerCase();
}

function showShare({ selection, shares }) {
  const share = [...selection].reduce((total, cluster) => total + (shares.get(cluster) ?? 0), 0);
  byId("chosen-share").textContent = selection.size > 0 && shares.size > 0 ? percent(share) : "";
}

function isAlone({ history }, cluster) {
  const owner = classOf(history.present, cluster);
  return Boolean(owner) && isSingle(owner);
}

function describe({ history }, chosen, entry) {
  if (chosen.length === 0) return entry ? `${entry.name}, no clusters` : "Nothing selected";
  const subject = chosen.length === 1 ? `Cluster ${chosen[0]}` : counted(chosen.length, "cluster");
  if (!entry) {
    const classes = classesOf(history.present, chosen);
    return classes.every(isSingle) ? subject : `${subject} of ${counted(classes.length, "class", "classes")}`;
  }
  if (isSingle(entry)) return subject;
  return entry.clusters.length === chosen.length
    ? `${entry.name}, ${counted(chosen.length, "cluster")}`
    : `${subject} of ${entry.name}`;
}

function suggest({ history }) {
  const names = history.present.filter(isNamed).map(({ name }) => name);
  byId("names").replaceChildren(...names.map((name) => element("option", { value: name })));
}
