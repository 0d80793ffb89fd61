// Saving the legend so that two windows never lose work: what is there is only replaced by somebody who has seen it.

import { byId, element, swatch } from "./dom.js";
import { advance } from "./history.js";
import { differences, fromServer, isSame, toServer, toYaml } from "./legend.js";
import { saveLegend } from "./server.js";

/** Whether there is anything to save. */
export function canSave({ history, saved }) {
  return !isSame(history.present, saved);
}

/** Whether work would be lost: what the page itself has proposed is none. */
export function isDirty(state) {
  return canSave(state) && state.history.present !== state.proposed;
}

/** Save; resolves to whether the server now has what the page shows. */
export async function save(store, actions) {
  const { history, etag, saving, session } = store.state;
  if (saving) return false;
  if (!canSave(store.state)) {
    actions.say("Everything is saved.");
    return true;
  }
  store.set({ saving: true, status: "Saving…" });
  const mine = history.present;
  try {
    const reply = await saveLegend(toServer(mine), etag, session);
    store.set({ saved: mine, etag: reply.etag, isRefused: false, status: "Saved." });
    return true;
  } catch (error) {
    if (error.status === 412 && error.body.legend.classifier === store.state.classifier) {
      return settle(store, actions, error.body);
    }
    const why = error.status === 412 ? "the legend now holds another classifier's clusters" : error.message;
    const isRefused = error.status !== 422; // which the command line would refuse too
    const mend = isRefused ? " Download the legend, so that nothing is lost." : "";
    store.set({ isRefused, status: `Not saved: ${why.replace(/[^.?!]$/, "$&.")}${mend}` });
    return false;
  } finally {
    store.set({ saving: false });
  }
}

/** Hand the legend over as the file that the command line takes, for when the server does not. */
export function downloadLegend(store, actions) {
  const { history, session } = store.state;
  const address = URL.createObjectURL(new Blob([toYaml(history.present, store.state)], { type: "application/yaml" }));
  element("a", { href: address, download: "legend.yaml" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
  actions.say(`Downloaded. The run takes it: terrasift legend ${session.folder} --from legend.yaml`);
}

// Ask which legend holds. The other one stays a step of undo away.
async function settle(store, actions, { legend, etag }) {
  const theirs = fromServer(legend.classes);
  const { ignore } = legend;
  if (isSame(store.state.history.present, theirs)) {
    store.set({ saved: theirs, etag, ignore, isRefused: false, status: "Saved already, by another window." });
    return true;
  }
  const choice = await ask(store.state.history.present, theirs);
  const { history } = store.state;
  if (choice === "mine") {
    const seen = advance(history, theirs, "Took what was saved elsewhere");
    store.set({ history: advance(seen, history.present, "Kept mine"), saved: theirs, etag, ignore, saving: false });
    return save(store, actions);
  }
  if (choice === "theirs") {
    const taken = advance(history, theirs, "Took what was saved elsewhere");
    store.set({
      history: taken,
      saved: theirs,
      etag,
      ignore,
      isRefused: false,
      status: "Took what was saved elsewhere. Undo brings yours back.",
    });
    return false;
  }
  actions.say("Not saved: the legend was saved elsewhere.");
  return false;
}

function ask(mine, theirs) {
  const dialog = byId("conflict");
  byId("differences").replaceChildren(
    ...differences(mine, theirs).map((entry) =>
      element("tr", {}, element("td", {}, entry.clusters.join(", ") || "none"), side(entry.mine), side(entry.theirs)),
    ),
  );
  return new Promise((resolve) => {
    const choose = (choice) => () => {
      dialog.close();
      resolve(choice);
    };
    byId("keep-mine").onclick = choose("mine");
    byId("take-theirs").onclick = choose("theirs");
    byId("decide-later").onclick = choose("later");
    dialog.oncancel = () => resolve("later");
    dialog.showModal();
  });
}

function side(entry) {
  return entry ? element("td", {}, swatch(entry.color), entry.name) : element("td", { class: "none" }, "no class");
}
