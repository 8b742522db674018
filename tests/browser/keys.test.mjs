// A person's keys: one more, one that is lost, all that are lost; and what whoever has a lost one can still do: nothing.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { axe, browser, demo, person, weight } from "./stage.mjs";
import { enrol, enter, get, inbox, invite, raw, signIn, submit } from "./steps.mjs";

const SCREENS = process.env.SCREENS;
const MOST_BYTES = 100_000;
const SECOND = { protocol: "ctap2", transport: "usb", hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
  automaticPresenceSimulation: true };

let stage;
let chromium;
let ann; // physician
let olga; // operator, with a passkey
let keys;
let operations;

before(async () => {
  if (SCREENS) mkdirSync(SCREENS, { recursive: true });
  stage = await demo();
  chromium = await browser(stage.home);
  ann = await enter(stage, chromium, stage.link);
  olga = await enter(stage, chromium, invite(stage, "olga", "operator"));
  keys = `${stage.origin}/keys`;
  operations = `${stage.origin}/operations`;
});

after(async () => {
  await chromium?.close();
  await stage?.end();
});

const rows = (page) => page.locator("#held-h ~ .scroll tbody tr");
const of = (action) => stage.log().filter((entry) => JSON.stringify(entry).includes(`"${action}"`));

/** Adds a key on another device: the one that is there does not answer while the new one is made. */
async function add(who) {
  await who.page.goto(keys);
  const { authenticatorId: second } = await who.cdp.send("WebAuthn.addVirtualAuthenticator", { options: SECOND });
  const presence = (id, enabled) =>
    who.cdp.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId: id, enabled });
  await presence(who.authenticatorId, false);
  // Once the new one has signed, the person puts it down and touches the one that was there.
  await who.page.route("**/keys/add/own", async (route) => {
    await presence(second, false);
    await presence(who.authenticatorId, true);
    await route.continue();
  });
  const answered = (method, path) => who.page.waitForResponse((answer) =>
    answer.request().method() === method && new URL(answer.url()).pathname === path);
  const [asked] = await Promise.all([
    answered("POST", "/keys/add/own").then((answer) => answer.json()),
    answered("GET", "/keys"),
    who.page.click("#add-key button.primary"),
  ]);
  const { statement } = asked;
  await who.page.waitForLoadState();
  await who.page.unroute("**/keys/add/own");
  await presence(second, true);
  return { second, statement };
}

describe("one more key", () => {
  it("is made on another device, and signed for with one that was there", async () => {
    await ann.page.goto(keys);
    assert.equal(await rows(ann.page).count(), 1);
    assert.match(await ann.page.innerText("main"), /your only one: add another first/);
    const { second, statement } = await add(ann);
    ann.second = second;
    assert.match(statement, /"add": "04[0-9a-f]+"[\s\S]*"id": "spiffe:.*\/human\/ann"/);
    assert.equal(await rows(ann.page).count(), 2);
    assert.equal(await ann.page.locator("main form[data-touch]").count(), 2, "either can be removed now");
  });

  it("signs in, alone", async () => {
    const other = await person(chromium);
    const { authenticatorId } = await other.cdp.send("WebAuthn.addVirtualAuthenticator", { options: SECOND });
    const { credentials } = await ann.cdp.send("WebAuthn.getCredentials", { authenticatorId: ann.second });
    assert.equal(credentials.length, 1);
    await other.cdp.send("WebAuthn.addCredential", { authenticatorId, credential: credentials[0] });
    await other.page.goto(`${stage.origin}/sign-in`);
    await signIn(other.page);
    ann.thief = { ...other, stage };
    assert.equal((await get(ann.thief, "/keys")).status, 200);
    // And watches a session, live.
    const [{ rows: [{ review }] }] = await inbox(other.page, stage.origin);
    const path = (await get(ann.thief, review)).text.match(/\/sessions\/[0-9a-f]{32}/)[0];
    const opened = other.page.waitForResponse((answer) => answer.url().endsWith(`${path}/events`));
    ann.thief.watching = other.page.evaluate(async (events) => {
      const reader = (await fetch(events)).body.getReader();
      let said = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return said;
        said += new TextDecoder().decode(value);
      }
    }, `${path}/events`);
    assert.equal((await opened).status(), 200);
  });

  it("is on record, before it held and that it holds", async () => {
    const entries = of("keys").filter((entry) => JSON.stringify(entry).includes("/human/ann"));
    assert.equal(entries.length, 1);
    assert.ok(of("change_keys").length >= 2);
  });

  it("is no accessibility failure, weighs little, and needs no script to be read", async () => {
    assert.deepEqual(await axe(ann.page), []);
    assert.ok((await weight(ann.page, keys)) <= MOST_BYTES);
    const read = await get(ann, "/keys");
    assert.match(read.text, /Keys that are yours[\s\S]*Passkey/);
    if (SCREENS) await ann.page.screenshot({ path: join(SCREENS, "keys.png"), fullPage: true });
    assert.deepEqual(ann.complaints, []);
  });
});

describe("a key that is lost", () => {
  it("is removed with another, and whoever has it is out at once", async () => {
    await ann.page.goto(keys);
    const second = rows(ann.page).nth(1);
    await second.locator("summary").click();
    // The lost one is not at hand.
    await ann.cdp.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId: ann.second });
    await second.locator("button.primary").click();
    // Whoever was signed in before is out, ann too: she signs in again.
    await ann.page.waitForURL(/\/sign-in\?next=/);
    await signIn(ann.page);
    assert.equal(new URL(ann.page.url()).pathname, "/keys");
    assert.equal(await rows(ann.page).count(), 1);
    const out = await get(ann.thief, "/inbox");
    assert.equal(out.status, 303);
    assert.match(out.headers.location, /^\/sign-in/);
    const late = new Promise((done) => setTimeout(() => done("still watching"), 5_000));
    assert.match(await Promise.race([ann.thief.watching, late]), /event: ended/, "what was watched live has ended");
  });

  it("does not sign in again", async () => {
    await ann.thief.page.goto(`${stage.origin}/sign-in`);
    await ann.thief.page.click("#sign-in button");
    await ann.thief.page.waitForFunction(() => document.querySelector("#sign-in [role=alert]").textContent);
    assert.match(await ann.thief.page.innerText("#sign-in [role=alert]"), /not known here/);
  });

  it("is the last one: it stays", async () => {
    assert.equal(await ann.page.locator("main form[data-touch]").count(), 0);
    const csrf = await ann.page.inputValue("header [name=csrf]");
    const headers = { "x-bodh-csrf": csrf, accept: "application/json" };
    const asked = await submit(ann, `/keys/${"0".repeat(64)}/remove/options`, {}, headers);
    assert.equal(asked.status, 200, "the console prepares it");
    const unread = await submit(ann, "/keys/nonsense/remove/options", {}, headers);
    assert.equal(unread.status, 400);
  });

  it("is removed and added by nobody without the token, or from another site", async () => {
    for (const path of ["/keys/add/options", `/keys/${"0".repeat(64)}/remove/options`]) {
      assert.equal((await submit(ann, path, {}, { accept: "application/json" })).status, 403, path);
      const elsewhere = await submit(ann, path, {}, { origin: "https://evil.example" });
      assert.equal(elsewhere.status, 403, path);
      assert.equal((await raw(stage, path, { method: "POST", headers: { origin: stage.origin } })).status, 401, path);
    }
  });
});

describe("keys that are all lost", () => {
  let link;

  it("are replaced on an operator's signed link", async () => {
    await olga.page.goto(operations);
    const row = olga.page.locator("#people-h").locator("xpath=../..").locator("tbody tr", { hasText: "/human/ann" });
    await row.locator("summary", { hasText: "Lost keys" }).click();
    await row.locator("form[data-touch] button.primary").click();
    await row.locator(".link:not([hidden])").waitFor();
    link = await row.locator(".link input").inputValue();
    assert.match(link, /\/enrol\/\S+\.\S+$/);
    assert.deepEqual(await axe(olga.page), []);
  });

  it("are named on its page, which says what ends", async () => {
    const fresh = await person(chromium);
    await fresh.page.goto(link);
    assert.match(await fresh.page.innerText("main"), /A new key for ann[\s\S]*all keys that you had/);
    assert.deepEqual(await axe(fresh.page), []);
    if (SCREENS) await fresh.page.screenshot({ path: join(SCREENS, "recover.png"), fullPage: true });
    await enrol(fresh.page, link);
    await signIn(fresh.page);
    ann.fresh = { ...fresh, stage };
  });

  it("open nothing any more", async () => {
    const out = await get(ann, "/inbox");
    assert.equal(out.status, 303);
    await ann.page.goto(`${stage.origin}/sign-in`);
    await ann.page.click("#sign-in button");
    await ann.page.waitForFunction(() => document.querySelector("#sign-in [role=alert]").textContent);
    assert.equal((await get(ann.fresh, "/inbox")).status, 200);
  });

  it("are not replaced twice by one link", async () => {
    const again = await person(chromium);
    await again.page.goto(link);
    assert.match(await again.page.innerText("main"), /This link does not work[\s\S]*It was used/);
  });

  it("are not replaced by a clinician, nor by oneself", async () => {
    const csrf = await ann.fresh.page.inputValue("header [name=csrf]");
    const id = "spiffe://bodh.internal/human/olga";
    const headers = (csrf) => ({ "x-bodh-csrf": csrf, accept: "application/json" });
    const refused = await submit(ann.fresh, "/operations/recover/options", { id }, headers(csrf));
    assert.equal(refused.status, 403);
    const own = await olga.page.inputValue("header [name=csrf]");
    const self = await submit(olga, "/operations/recover/options", { id }, headers(own));
    assert.equal(self.status, 400);
    assert.match(self.text, /Another operator does this for you/);
  });
});
