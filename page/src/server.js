// The server's calls. What it refuses comes as a ServerError with the line to show.

/** What the server refused, or that it does not answer (status 0). */
export class ServerError extends Error {
  constructor(status, message, body = {}) {
    super(message);
    this.status = status;
    this.body = body;
  }
}

const token = () => document.querySelector('meta[name="terrasift-token"]');

export const loadSession = () => json("GET", "/api/session");
export const loadLegend = () => json("GET", "/api/legend");
export const loadClusters = async (scene) => (await json("GET", `${scenePath(scene)}/clusters`)).clusters;
export const loadPoint = (scene, x, y) => json("GET", `${scenePath(scene)}/point?x=${x}&y=${y}`);
export const loadGroups = () => json("GET", "/api/groups");
export const startExport = (scene, classes) => json("POST", "/api/exports", { scene, classes });
export const loadExport = (id) => json("GET", `/api/exports/${encodeURIComponent(id)}`);

/**
 * Write the legend if it is still the one with this tag; a ServerError 412 brings the one that is there now. A server
 * that was started anew has another token: the page takes it over if what is served is still this `session`.
 */
export async function saveLegend(classes, etag, session) {
  const write = () => json("PUT", "/api/legend", { classes }, { "If-Match": etag });
  try {
    return await write();
  } catch (error) {
    if (error.status !== 403) throw error;
    await renewToken(session, error);
    return write();
  }
}

export const loadLesson = () => json("GET", "/api/lesson");
export const saveLesson = (lesson, etag) => json("PUT", "/api/lesson", lesson, { "If-Match": etag });
export const useLesson = () => json("POST", "/api/lesson/use");
export const loadExpected = () => json("GET", "/api/lesson/expected");
export const prepareScene = (scene) => json("POST", `/api/lesson/scenes/${scene}`);
export const loadLessonState = (scene) => json("GET", `/api/lesson/scenes/${scene}`);
export const loadSuggestions = (scene, count) => json("GET", `/api/lesson/scenes/${scene}/suggestions?count=${count}`);

/** A tile of taught classes (Uint16Array). */
export async function loadTaughtTile(scene, version, level, row, column, signal) {
  const reply = await ask("GET", `/api/lesson/scenes/${scene}/tiles/${version}/${level}/${row}/${column}`, { signal });
  return littleEndian(await reply.arrayBuffer());
}

export const imageTilePath = (scene, level, row, column) => `${scenePath(scene)}/image/${level}/${row}/${column}.png`;

/** A tile of cluster indices (Uint16Array) or of confidences (Uint8Array), `what` being "labels" or "confidence". */
export async function loadTile(what, scene, level, row, column, signal) {
  const reply = await ask("GET", `${scenePath(scene)}/${what}/${level}/${row}/${column}`, { signal });
  const buffer = await reply.arrayBuffer();
  return what === "labels" ? littleEndian(buffer) : new Uint8Array(buffer);
}

async function renewToken(session, refusal) {
  const page = await (await ask("GET", "/", { cache: "no-store" })).text();
  const fresh = page.match(/<meta name="terrasift-token" content="([0-9a-f]+)"/)?.[1];
  if (!fresh || fresh === token().content) throw refusal;
  if (JSON.stringify(await loadSession()) !== JSON.stringify(session))
    throw new ServerError(403, "Another run, or other scenes, are at this address now.");
  token().content = fresh;
}

function scenePath(scene) {
  return `/api/scenes/${encodeURIComponent(scene)}`;
}

async function json(method, path, content, headers = {}) {
  const changes = method === "GET" ? {} : { "X-Terrasift-Token": token().content, "Content-Type": "application/json" };
  const body = content === undefined ? undefined : JSON.stringify(content);
  return (await ask(method, path, { headers: { ...headers, ...changes }, body, cache: "no-store" })).json();
}

async function ask(method, path, options) {
  const reply = await fetch(path, { method, ...options }).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new ServerError(0, "The server does not answer. Is terrasift view still running?");
  });
  if (reply.ok) return reply;
  const body = await reply.json().catch(() => ({}));
  throw new ServerError(reply.status, body.problem ?? `The server refused this (${reply.status}).`, body);
}

function littleEndian(buffer) {
  const values = new Uint16Array(buffer);
  if (new Uint8Array(new Uint16Array([1]).buffer)[0] === 1) return values;
  return values.map((value) => ((value & 255) << 8) | (value >> 8));
}
