// The page: state, map, list and editor wired together.

import { Actions } from "./actions.js";
import { byId, counted, element, percent } from "./dom.js";
import { mergeAndName, wireEditor } from "./editor.js";
import { exportMaps } from "./exporting.js";
import { groupsOf } from "./groups.js";
import { begin } from "./history.js";
import { wireKeyboard } from "./keyboard.js";
import { classOf, classesOf, fromServer, grouped, isNamed, isSingle } from "./legend.js";
import { ClassList } from "./list.js";
import { SceneMap } from "./map.js";
import { classPalette, clusterPalette, highlightPalette } from "./palette.js";
import { coordinates, describePoint, showPoint } from "./point.js";
import { canSave, downloadLegend, isDirty, save } from "./saving.js";
import { loadClusters, loadGroups, loadLegend, loadPoint, loadSession } from "./server.js";
import { Store } from "./store.js";
import { Teaching } from "./teach.js";

const LAYERS = ["image", "clusters", "classes", "confidence"];

const store = new Store({
  session: null,
  scene: null,
  clusters: [], // of the scene, largest first
  shares: new Map(), // of each cluster in the scene
  history: begin([]), // of lists of classes
  saved: [], // the classes that the server has
  joins: null, // how the server would join clusters; null until it has said so
  proposed: null, // the classes that the page has made of a legend without names: nobody's work
  etag: "",
  ignore: [], // colours that masks of the legend keep for what counts nowhere
  classifier: 1, // whose clusters these are
  selection: new Set(), // of clusters
  emptyClass: null, // the number of a selected class that holds no cluster
  preview: null, // {id, color} while a colour is being chosen
  highlight: true,
  layer: "classes",
  opacity: 0.6,
  swipe: 0,
  sort: "share",
  point: null,
  saving: false,
  isRefused: false, // whether the last save failed, though there is nothing wrong with the legend
  exporting: false,
  status: "",
});
const actions = new Actions(store);
const map = new SceneMap(byId("map"), { onPoint: ask, onMove: read, onTrouble: ({ message }) => actions.say(message) });
const list = new ClassList(byId("list"), store, actions, () => focusName());
const teaching = new Teaching({ map, say: (text) => actions.say(text), onChange: () => showMode() });
const focusName = wireEditor(store, actions, { afterNaming: () => list.focus(), split });

wireControls();
store.subscribe(show);
start().catch((error) => actions.say(error.message));

async function start() {
  const [session, { classes, etag, ignore, classifier }] = await Promise.all([loadSession(), loadLegend()]);
  const present = fromServer(classes);
  byId("run").textContent = session.run;
  byId("scene-select").replaceChildren(...session.scenes.map(({ id, name }) => element("option", { value: id }, name)));
  store.set({ session, history: begin(present), saved: present, etag, ignore, classifier });
  byId("export-all").hidden = session.scenes.length === 1;
  const opened = open(session.scenes[0]);
  await propose().catch((error) => actions.say(error.message));
  await opened;
  if (session.taught) await teach(true);
}

/** Offer groups of clusters that look alike; a legend in which nothing is named opens on them. */
async function propose() {
  const joins = await loadGroups();
  const { history, ignore, saved } = store.state;
  const slider = byId("groups");
  slider.max = joins.leaves.length;
  slider.value = history.present.every(isSingle) ? joins.suggested : history.present.length;
  byId("grouping").hidden = joins.leaves.length < 3;
  store.set({ joins });
  if (!saved.every(isSingle) || history.present !== saved) return showGroups();
  const classes = grouped(saved, groupsOf(joins, joins.suggested), ignore);
  store.set({ proposed: classes, history: begin(classes) });
  showGroups();
}

function showGroups() {
  byId("groups-value").textContent = byId("groups").value;
}

/** Split the selection off; where that undoes more than one cluster, ask first. */
function split() {
  const { history, selection } = store.state;
  const owners = classesOf(history.present, [...selection]).filter((entry) => !isSingle(entry));
  if (selection.size < 2 || owners.length === 0) return actions.split();
  const names = owners.map(({ name }) => `“${name}”`).join(" and ");
  byId("split-text").textContent = `${names}: ${counted(selection.size, "cluster")} become a class each.`;
  byId("split-dialog").showModal();
}

/** Begin teaching, or end it. */
async function teach(active) {
  try {
    await teaching.toggle(store.state.scene, active);
  } catch (error) {
    actions.say(error.message);
  }
}

/** Which of the two panels is there, and what can be undone. */
function showMode() {
  const active = teaching.isActive;
  byId("teach").setAttribute("aria-pressed", String(active));
  byId("lesson").hidden = !active;
  byId("naming").hidden = active;
  document.body.classList.toggle("teaching", active);
  for (const id of ["save", "export"]) byId(id).hidden = active;
  byId("export-all").hidden = active || (store.state.session?.scenes.length ?? 1) === 1;
  byId("undo").disabled = active ? !teaching.canUndo : store.state.history.past.length === 0;
  byId("redo").disabled = active ? !teaching.canRedo : store.state.history.future.length === 0;
}

/** Show another scene. */
async function open(scene) {
  store.set({ scene, point: null, clusters: [], shares: new Map(), status: `${scene.name}: counting its clusters…` });
  map.show(scene, palette(store.state));
  teaching.open(scene).catch((error) => actions.say(error.message));
  const clusters = await loadClusters(scene.id);
  if (store.state.scene !== scene) return;
  store.set({ clusters, shares: new Map(clusters.map(({ cluster, share }) => [cluster, share])) });
  actions.say(`${scene.name}: ${scene.width} × ${scene.height} pixels, ${counted(clusters.length, "cluster")}.`);
}

function show(state, changed) {
  const any = (...keys) => keys.some((key) => changed.has(key));
  if (any("status")) [byId("status").textContent, byId("status").title] = [state.status, state.status];
  if (!state.scene) return;
  if (any("history", "selection", "highlight", "layer", "preview")) map.paint(palette(state));
  if (any("layer", "opacity", "swipe")) showLayer(state);
  if (any("history", "point")) showPoint(state, () => store.set({ point: null }));
  if (any("point")) map.mark(state.point && [state.point.column + 0.5, state.point.row + 0.5]);
  if (any("scene", "history", "saved", "saving", "isRefused", "exporting", "proposed")) showWork(state);
  if (any("history", "clusters")) showShare(state);
}

function palette({ history, session, selection, highlight, layer, preview }) {
  if (highlight && selection.size > 0) return highlightPalette(selection, session.clusters);
  if (layer === "clusters") return clusterPalette(session.clusters);
  const classes = history.present.map((entry) =>
    entry.id === preview?.id ? { ...entry, color: preview.color } : entry,
  );
  return classPalette(classes);
}

function showLayer(state) {
  map.arrange(state);
  const { layer, opacity, swipe } = state;
  document.querySelector(`input[name=layer][value=${layer}]`).checked = true;
  const bare = layer === "image";
  byId("opacity").disabled = bare;
  byId("opacity-value").textContent = `${Math.round(100 * opacity)} %`;
  byId("ramp").hidden = layer !== "confidence";
  byId("swipe").hidden = bare;
  byId("swipe-line").hidden = bare;
  byId("swipe-line").style.left = `${100 * swipe}%`;
}

function showWork(state) {
  const { history, session, saving, isRefused, exporting } = state;
  const dirty = isDirty(state);
  showMode();
  byId("save").disabled = !canSave(state) || saving;
  byId("save").textContent = canSave(state) ? "Save" : "Saved";
  for (const id of ["export", "export-all"]) byId(id).disabled = exporting;
  byId("download").hidden = !(dirty && isRefused);
  document.body.classList.toggle("dirty", dirty);
  document.title = `${dirty ? "• " : ""}${session.run} – terrasift`;
}

function showShare({ history, shares }) {
  const held = new Set(history.present.filter(isNamed).flatMap(({ clusters }) => clusters));
  if (shares.size === 0) return (byId("named-share").textContent = "");
  const named = [...shares].filter(([cluster]) => held.has(cluster));
  byId("named-share").textContent = `${percent(named.reduce((total, [, share]) => total + share, 0))} named`;
}

/** Ask what lies at a place of the scene, and select its cluster, or where classes are shown its class. */
async function ask(x, y, resolution) {
  const { scene } = store.state;
  if (scene && teaching.isActive) return teaching.click(x, y, resolution);
  if (!scene || x < 0 || y < 0 || x >= scene.width || y >= scene.height) {
    return store.set({ point: null, status: "That is outside the scene." });
  }
  try {
    const point = await loadPoint(scene.id, x, y);
    if (store.state.scene !== scene) return;
    store.set({ point, status: describePoint(point, store.state.history.present) });
    if (point.cluster === null) return;
    const owner = store.state.layer === "classes" && classOf(store.state.history.present, point.cluster);
    actions.select(owner ? owner.clusters : [point.cluster]);
    if (owner) list.revealClass(owner);
    else list.reveal(point.cluster);
  } catch (error) {
    actions.say(error.message);
  }
}

/** Say where the pointer is, [x, y] in pixels of the scene or null, and how large a pixel is drawn. */
function read(point, resolution) {
  const { scene } = store.state;
  const scale = resolution ? `${Math.round(100 / resolution)} %` : "";
  const inside = scene && point && point[0] >= 0 && point[1] >= 0 && point[0] < scene.width && point[1] < scene.height;
  const place = inside
    ? [coordinates(scene, point), `column ${Math.floor(point[0])}, row ${Math.floor(point[1])}`]
    : [];
  byId("readout").textContent = [...place, scale].filter(Boolean).join("   ");
}

/** A layer by its place; while teaching, a class. */
function digit(index) {
  if (teaching.isActive) teaching.choose(index);
  else if (LAYERS[index]) store.set({ layer: LAYERS[index] });
}

function wireControls() {
  byId("scene-select").addEventListener("change", ({ target }) => {
    open(store.state.session.scenes[target.selectedIndex]).catch((error) => actions.say(error.message));
  });
  for (const input of document.querySelectorAll("input[name=layer]")) {
    input.addEventListener("change", () => store.set({ layer: input.value }));
  }
  byId("opacity").addEventListener("input", ({ target }) => store.set({ opacity: target.value / 100 }));
  byId("swipe").addEventListener("input", ({ target }) => store.set({ swipe: target.value / 1000 }));
  byId("sort").addEventListener("change", ({ target }) => store.set({ sort: target.value }));
  byId("groups").addEventListener("input", ({ target }) => {
    showGroups();
    actions.group(Number(target.value));
  });
  byId("split-yes").addEventListener("click", () => actions.split());
  const clicks = {
    undo: () => (teaching.isActive ? teaching.undo() : actions.undo()),
    redo: () => (teaching.isActive ? teaching.redo() : actions.redo()),
    teach: () => teach(),
    save: () => save(store, actions),
    export: () => exportMaps(store, actions, [store.state.scene]),
    "export-all": () => exportMaps(store, actions, store.state.session.scenes),
    download: () => downloadLegend(store, actions),
    help: () => byId("help-dialog").showModal(),
    fit: () => map.fit(),
  };
  for (const [id, action] of Object.entries(clicks)) byId(id).addEventListener("click", action);
  const keys = {
    "Ctrl+z": clicks.undo,
    "Ctrl+Shift+z": clicks.redo,
    "Ctrl+y": clicks.redo,
    "Ctrl+s": clicks.save,
    t: clicks.teach,
    e: () => teaching.isActive && teaching.erase(),
    n: () => teaching.isActive && teaching.showNext(),
    m: () => teaching.isActive || mergeAndName(actions, focusName),
    s: () => teaching.isActive || split(),
    h: () => teaching.isActive || store.set({ highlight: !store.state.highlight }),
    Escape: () => {
      actions.select([]);
      store.set({ point: null });
    },
    Enter: () => store.state.selection.size > 0 && focusName(),
    0: clicks.fit,
    "?": clicks.help,
    ...Object.fromEntries(Array.from({ length: 9 }, (_, index) => [index + 1, () => digit(index)])),
  };
  wireKeyboard(keys, byId("single-keys"));
  addEventListener("beforeunload", (event) => {
    if (isDirty(store.state)) event.preventDefault();
  });
  showLayer(store.state);
}
