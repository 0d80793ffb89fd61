import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { ServerError, saveLegend } from "../src/server.js";

const SESSION = { run: "city", clusters: 8, scenes: [{ name: "north" }] };
const tag = { content: "0ld" };
let [served, asked] = [{}, []];

globalThis.document = { querySelector: () => tag };
globalThis.fetch = async (path, { method, headers }) => {
  asked.push(`${method} ${path}`);
  if (path === "/") return new Response(`<meta name="terrasift-token" content="${served.token}" />`);
  if (path === "/api/session") return Response.json(served.session);
  if (headers["X-Terrasift-Token"] !== served.token) return Response.json({ problem: "load it anew" }, { status: 403 });
  if (headers["If-Match"] !== served.etag) return Response.json({ etag: served.etag }, { status: 412 });
  return Response.json({ etag: "next" });
};

beforeEach(() => {
  tag.content = "0a";
  asked = [];
});

const refused = (status) => (error) => error instanceof ServerError && error.status === status;

test("a server that was started anew gets the save with its own token", async () => {
  served = { token: "0b", etag: "seen", session: SESSION };
  assert.deepEqual(await saveLegend([], "seen", SESSION), { etag: "next" });
  assert.deepEqual(asked, ["PUT /api/legend", "GET /", "GET /api/session", "PUT /api/legend"]);
  await saveLegend([], "seen", SESSION);
  assert.equal(asked.length, 5, "the token stays");
});

test("the second try, too, replaces only the legend that was seen", async () => {
  served = { token: "0b", etag: "another's", session: SESSION };
  await assert.rejects(saveLegend([], "seen", SESSION), refused(412));
});

test("another run at the address is left alone", async () => {
  served = { token: "0b", etag: "seen", session: { ...SESSION, run: "town" } };
  await assert.rejects(saveLegend([], "seen", SESSION), /Another run/);
  assert.equal(tag.content, "0a");
  assert.equal(asked.filter((call) => call.startsWith("PUT")).length, 1);
});

test("a refusal that no token mends is said, and not tried again", async () => {
  served = { token: "0a", etag: "seen", session: SESSION };
  globalThis.fetch = ((answer) => async (path, options) =>
    options.method === "PUT" ? Response.json({ problem: "other sites may not ask" }, { status: 403 }) : answer(path, options)
  )(globalThis.fetch);
  await assert.rejects(saveLegend([], "seen", SESSION), /other sites may not ask/);
});
