// Writing maps of scenes, with progress: with the classes that the page shows, be they saved or not.

import { byId } from "./dom.js";
import { toServer } from "./legend.js";
import { canSave } from "./saving.js";
import { loadExport, startExport } from "./server.js";

const PAUSE = 300; // milliseconds between two looks at the progress

/** Export the maps of scenes, one after the other. The run's legend stays as it is. */
export async function exportMaps(store, actions, scenes) {
  if (store.state.exporting) return;
  const classes = toServer(store.state.history.present);
  const isSaved = !canSave(store.state);
  const what = scenes.length === 1 ? `the map of ${scenes[0].name}` : `${scenes.length} maps`;
  store.set({ exporting: true, status: `Writing ${what}…` });
  const bar = byId("progress");
  bar.value = 0;
  bar.hidden = false;
  const written = [];
  try {
    for (const [number, scene] of scenes.entries()) {
      const { id } = await startExport(scene.id, classes);
      const { path, problem } = await finished(id, (done) => (bar.value = (number + done) / scenes.length));
      if (problem) throw new Error(`${scene.name}: ${problem}`);
      written.push(path);
    }
    actions.say(`${said(written)}${isSaved ? "" : " with these classes, which the run does not have until you save"}`);
  } catch (error) {
    actions.say(`Not written: ${error.message}${written.length ? ` (${written.length} of ${scenes.length} are)` : ""}`);
  } finally {
    bar.hidden = true;
    store.set({ exporting: false });
  }
}

function said(paths) {
  return paths.length === 1 ? `Wrote ${paths[0]}` : `Wrote ${paths.length} maps, the last to ${paths.at(-1)}`;
}

async function finished(id, onProgress) {
  for (;;) {
    const state = await loadExport(id);
    onProgress(state.done);
    if (state.finished) return state;
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}
