// The page: state, map, list and editor wired together.

import { Actions } from "./actions.js";
import { byId, counted, element, percent } from "./dom.js";
import { mergeAndName, wireEditor } from "./editor.js";
import { exportMap } from "./exporting.js";
import { begin } from "./history.js";
import { wireKeyboard } from "./keyboard.js";
import { fromServer, isUnnamed } from "./legend.js";
import { ClassList } from "./list.js";
import { SceneMap } from "./map.js";
import { classPalette, clusterPalette, highlightPalette } from "./palette.js";
import { coordinates, describePoint, showPoint } from "./point.js";
import { downloadLegend, isDirty, save } from "./saving.js";
import { loadClusters, loadLegend, loadPoint, loadSession } from "./server.js";
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
  etag: "",
  ignore: [], // colours that masks of the legend keep for what counts nowhere
  classifier: 1, // whose clusters these are
  selection: new Set(), // of clusters
  emptyClass: null, // the number of a selected class that holds no cluster
  preview: null, // {id, color} while a colour is being chosen
  highlight: true,
  layer: "classes",
  opacity: 0.75,
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
const focusName = wireEditor(store, actions, { afterNaming: () => list.focus() });

wireControls();
store.subscribe(show);
start().catch((error) => actions.say(error.message));

async function start() {
  const [session, { classes, etag, ignore, classifier }] = await Promise.all([loadSession(), loadLegend()]);
  const present = fromServer(classes);
  byId("run").textContent = session.run;
  byId("scene-select").replaceChildren(...session.scenes.map(({ id, name }) => element("option", { value: id }, name)));
  store.set({ session, history: begin(present), saved: present, etag, ignore, classifier });
  await open(session.scenes[0]);
  if (session.taught) await teach(true);
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
  if (any("scene", "history", "saved", "saving", "isRefused", "exporting")) showWork(state);
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
  byId("save").disabled = !dirty || saving;
  byId("save").textContent = dirty ? "Save" : "Saved";
  byId("export").disabled = exporting;
  byId("download").hidden = !(dirty && isRefused);
  document.body.classList.toggle("dirty", dirty);
  document.title = `${dirty ? "• " : ""}${session.run} – terrasift`;
}

function showShare({ history, shares }) {
  const unnamed = new Set(history.present.filter(isUnnamed).flatMap(({ clusters }) => clusters));
  const held = new Set(history.present.flatMap(({ clusters }) => clusters));
  if (shares.size === 0) return (byId("named-share").textContent = "");
  const named = [...shares].filter(([cluster]) => held.has(cluster) && !unnamed.has(cluster));
  byId("named-share").textContent = `${percent(named.reduce((total, [, share]) => total + share, 0))} named`;
}

/** Ask what lies at a place of the scene, and select its cluster. */
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
    actions.select([point.cluster]);
    list.reveal(point.cluster);
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
  const clicks = {
    undo: () => (teaching.isActive ? teaching.undo() : actions.undo()),
    redo: () => (teaching.isActive ? teaching.redo() : actions.redo()),
    teach: () => teach(),
    save: () => save(store, actions),
    export: () => exportMap(store, actions),
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
    s: () => teaching.isActive || actions.split(),
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
