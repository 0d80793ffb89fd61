// Writing the map of a scene, with progress. The server writes what is saved, so unsaved work is saved first.

import { byId } from "./dom.js";
import { isDirty, save } from "./saving.js";
import { loadExport, startExport } from "./server.js";

const PAUSE = 300; // milliseconds between two looks at the progress

/** Export the map of the scene on screen. */
export async function exportMap(store, actions) {
  const { scene, exporting } = store.state;
  if (exporting || (isDirty(store.state) && !(await save(store, actions)))) return;
  store.set({ exporting: true, status: `Writing the map of ${scene.name}…` });
  const bar = byId("progress");
  bar.value = 0;
  bar.hidden = false;
  try {
    const { id } = await startExport(scene.id);
    const { path, problem } = await finished(id, (done) => (bar.value = done));
    actions.say(problem ? `Not written: ${problem}` : `Wrote ${path}`);
  } catch (error) {
    actions.say(`Not written: ${error.message}`);
  } finally {
    bar.hidden = true;
    store.set({ exporting: false });
  }
}

async function finished(id, onProgress) {
  for (;;) {
    const state = await loadExport(id);
    onProgress(state.done);
    if (state.finished) return state;
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}
