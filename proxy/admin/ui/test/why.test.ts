import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClientEndpoints, Endpoint } from "../src/dash/endpoints.ts";
import { breakerWord, facts, pickedWord } from "../src/dash/why.ts";

const client: ClientEndpoints = { client: "/#/x", state: "bound", status: "open", balancer: "aperture", requeueBudget: null, size: 5, available: 4, aperture: 2, endpoints: null };
const endpoint: Endpoint = {
  address: "10.0.0.1:80", weight: 1, metadata: null, status: "open", load: 0, ewmaMs: 0, pending: 0, breaker: { state: "closed", policy: "none", failures: 0, openForMs: 0, retryInMs: 0 },
  connections: null, inAperture: true, weightClass: { weight: 1, size: 5, available: 4, share: 1 }, pickable: true, why: "",
};
const said = (e: Partial<Endpoint>, c: Partial<ClientEndpoints> = {}): Record<string, string> => Object.fromEntries(facts({ ...endpoint, ...e }, { ...client, ...c }));

test("an endpoint that is picked has few facts", () => {
  assert.equal(pickedWord(endpoint), "yes");
  assert.deepEqual(said({}), { picked: "can be", balancer: "aperture", aperture: "inside: 2 of 5 endpoints", "breaker policy": "none" });
  assert.deepEqual(said({}, { aperture: 0, balancer: "p2c" }), { picked: "can be", balancer: "p2c", "breaker policy": "none" });
});

test("outside the aperture, or the rotation, is not the same as broken", () => {
  const e = { pickable: false, inAperture: false };
  assert.equal(pickedWord({ ...endpoint, ...e }), "outside");
  assert.equal(said(e).aperture, "outside: 2 of 5 endpoints");
  assert.equal(said(e, { aperture: 0 }).aperture, "outside the rotation");
  assert.equal(pickedWord({ ...endpoint, pickable: false }), "no");
});

test("weights say who gets what", () => {
  const none = said({ pickable: false, inAperture: false, weight: 0, weightClass: null });
  assert.equal(none["weight class"], "none: weight 0 gets no traffic");
  assert.equal(none.aperture, undefined, "it is in no aperture");
  assert.equal(said({ weightClass: { weight: 2, size: 1, available: 1, share: 0.25 } })["weight class"], "25.0% of the traffic for 1 endpoint of weight 2, 1 of them available");
});

test("fail-fast says why there is no connection, and when it is tried again", () => {
  const failFast = { error: "connection refused", failedProbes: 1, downForMs: 900, retryInMs: 0 };
  assert.equal(breakerWord({ ...endpoint, failFast }), "no connection, tried now");
  const f = said({ failFast });
  assert.deepEqual([f["fail-fast"], f["no connection for"], f["connects again in"]], ["connection refused", "900 ms, 1 probe failed since", "now"]);
});
