// A patient's sessions, found by the pseudonym, and who saw what of them: for a compliance officer, and in no address or log.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { axe, browser, demo, weight } from "./stage.mjs";
import { convene, enter, get, invite, rested, submit } from "./steps.mjs";

const SCREENS = process.env.SCREENS;
const PATIENT = "Zyxelm 2041 ä";
const NOTE = "A 63-year-old man with crushing chest pain that began one hour ago at rest. He is sweating. He smokes.";

let stage;
let chromium;
let cora; // compliance alone
let ann; // the demo's first person
let page;
const others = {};
const sessions = [];
const addresses = []; // every address and referrer of cora's browser

before(async () => {
  stage = await demo();
  chromium = await browser(stage.home);
  ann = await enter(stage, chromium, stage.link);
  cora = await enter(stage, chromium, invite(stage, "cora", "compliance"));
  for (const [name, role] of [["ben", "physician"], ["kim", "clinician"], ["olga", "operator"]]) {
    others[name] = await enter(stage, chromium, invite(stage, name, role));
  }
  for (let n = 0; n < 2; n += 1) {
    assert.equal(await convene(ann.page, stage.origin, { pseudonym: PATIENT, note: NOTE }), 303);
    await rested(ann.page);
    sessions.unshift(new URL(ann.page.url()).pathname.split("/")[2]);
  }
  // Ben reads one; kim tries to.
  await others.ben.page.goto(`${stage.origin}/sessions/${sessions[0]}`);
  assert.equal((await get(others.kim, `/sessions/${sessions[0]}`)).status, 403);
  page = cora.page;
  page.on("request", (request) => addresses.push(request.url(), request.headers().referer || ""));
});

after(async () => {
  await chromium?.close();
  await stage?.end();
});

async function search(pseudonym, on = page) {
  await on.goto(`${stage.origin}/record`);
  await on.fill("#pseudonym", pseudonym);
  await Promise.all([on.waitForEvent("load"), on.click("form[action='/record/patient'] button")]);
}

async function accessible(name) {
  assert.deepEqual(await axe(page), [], name);
  for (const width of [390, 640]) {
    await page.setViewportSize({ width, height: 844 });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} at ${width}`);
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  if (!SCREENS) return;
  mkdirSync(SCREENS, { recursive: true });
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: join(SCREENS, `${name}-${colorScheme}.png`), fullPage: true });
  }
  await page.emulateMedia({ colorScheme: "light" });
}

const table = (heading) => page.$$eval(`[aria-labelledby=${heading}] tbody tr`, (rows) =>
  rows.map((row) => [...row.children].map((cell) => cell.textContent.trim())));

describe("a compliance officer", () => {
  it("finds a patient's sessions with their state", async () => {
    await search(`  ${PATIENT} `);
    assert.match(page.url(), /\/record\/patient\/[0-9a-f]{32}$/);
    assert.match(await page.innerText("main"), new RegExp(`Sessions of one patient[\\s\\S]*${PATIENT}[\\s\\S]*2 sessions`));
    const rows = await table("found-h");
    assert.deepEqual(rows.map(([short]) => short), sessions.map((id) => id.slice(0, 12)), "the newest first");
    assert.ok(rows.every((row) => row[1] === "ann" && /waits for a physician|concluded/.test(row[7])), `${rows}`);
    await accessible("patient");
    assert.ok((await weight(page, page.url())) <= 100_000);
    // The address leads there again: nothing has to be sent twice.
    await page.reload();
    assert.equal((await table("found-h")).length, 2);
  });

  it("reads who saw what of all of them, allowed and refused, and as what", async () => {
    await page.click("text=Who saw what of this patient");
    await page.waitForURL(/\/access$/);
    assert.match(await page.innerText("main"), new RegExp(`Patient pseudonym ${PATIENT}[\\s\\S]*entries of this patient's 2 sessions`));
    const people = Object.fromEntries((await table("who-h")).map(([who, ...rest]) => [who, rest]));
    assert.ok(people.ann[0].includes("physician") && Number(people.ann[1]) >= 2, `${people.ann}`);
    assert.deepEqual([people.ben[0], people.ben[2]], ["physician", "0"]);
    assert.deepEqual(people.kim.slice(0, 3), ["clinician", "0", "1"]);
    const each = await table("each-h");
    const has = (who, what, verdict) => each.filter((row) => row[1] === who && row[3] === what && row[4] === verdict);
    assert.equal(has("ann", "session begun", "allowed").length, 2);
    assert.ok(has("ben", "report read", "allowed").length >= 1, JSON.stringify(each));
    assert.equal(has("kim", "report read", "refused")[0][2], "clinician");
    const [, , , , , , session, entry] = has("kim", "report read", "refused")[0];
    assert.equal(session, `${sessions[0].slice(0, 4)} ${sessions[0].slice(4, 8)}`);
    assert.ok(stage.log()[Number(entry)].kind === "refusal");
    await accessible("patient-access");
    assert.ok((await weight(page, page.url())) <= 100_000);
  });

  it("asks for a time, and keeps the question when a date is none", async () => {
    const at = page.url();
    await page.fill("#to", "2020-01-31");
    await page.click("text=Show");
    await page.waitForURL(/to=2020-01-31/);
    assert.match(await page.innerText("main"), /Nobody, in this time/);
    await page.click("text=All time");
    assert.equal(page.url(), at);
    const today = new Date().toISOString().slice(0, 10);
    await page.goto(`${at}?from=${today}&to=${today}`);
    assert.ok((await table("each-h")).length > 5);
    await page.goto(`${at}?from=yesterday`);
    assert.match(await page.innerText("[role=alert]"), /Give a date/);
  });

  it("prints the report without its forms", async () => {
    await page.goto(page.url().replace(/\?.*/, ""));
    await page.emulateMedia({ media: "print" });
    const shown = async (selector) => page.locator(selector).first().isVisible();
    assert.deepEqual([await shown("main form"), await shown("text=This patient’s sessions"), await shown("#each-h"), await shown("h1")], [false, false, true, true]);
    await page.emulateMedia({ media: "screen" });
  });

  it("is told the same of an unknown pseudonym, of other letters, and of part of one", async () => {
    const said = [];
    for (const other of ["Nobody 7", PATIENT.toLowerCase(), "Zyxelm", "' OR 1=1 --", "<b>x</b>"]) {
      await search(other);
      const text = await page.innerText("main");
      assert.ok(text.includes(other), "what was searched for is shown as it was typed");
      assert.match(text, /No session was begun with it/);
      assert.equal(await page.locator("main b b, main table").count(), 0);
      said.push(text.replace(other, ""));
    }
    assert.equal(new Set(said).size, 1);
    await accessible("patient-none");
  });

  it("is told what is wrong with a pseudonym, and nothing typed is lost", async () => {
    for (const [typed, says] of [["", /Give the pseudonym/], ["   ", /Give the pseudonym/], ["Ä".repeat(65), /at most 64 characters/]]) {
      await search(typed);
      assert.match(await page.innerText("[role=alert]"), says);
      assert.equal(await page.inputValue("#pseudonym"), typed);
      assert.ok(await page.evaluate(() => document.activeElement.matches(".summary")), "the error has the focus");
      assert.equal(await page.getAttribute("#pseudonym", "aria-invalid"), "true");
      assert.equal(new URL(page.url()).search, "");
    }
    await accessible("patient-error");
    const csrf = await page.inputValue("form[action='/record/patient'] [name=csrf]");
    for (const bad of ["a\nb", "a\u0007b", "a\u0000"]) {
      const answer = await submit(cora, "/record/patient", { csrf, pseudonym: bad });
      assert.equal(answer.status, 422);
      assert.match(answer.text, /control character/);
    }
    assert.equal((await submit(cora, "/record/patient", { csrf: "x", pseudonym: PATIENT })).status, 403);
    assert.equal((await submit(cora, "/record/patient", { pseudonym: PATIENT })).status, 403);
  });

  it("needs no script for it", async () => {
    const cookies = (await cora.context.cookies()).map(({ domain, path, ...cookie }) => ({ ...cookie, url: stage.origin }));
    const context = await chromium.newContext({ javaScriptEnabled: false });
    await context.addCookies(cookies);
    const plain = await context.newPage();
    await search(PATIENT, plain);
    await plain.click("text=Who saw what of this patient");
    await plain.waitForURL(/\/access$/);
    assert.match(await plain.innerText("main"), /By person[\s\S]*\d+ accesses/);
    await context.close();
  });

  it("is not found by the operator's own account on the command line", () => {
    assert.throws(() => stage.bodh("audit", "access", PATIENT, "--state", stage.state), /refuses this to you/);
  });
});

describe("nobody else", () => {
  it("is offered the search, or finds anything with it", async () => {
    await search(PATIENT);
    const hers = new URL(page.url()).pathname;
    for (const [name, who] of Object.entries(others)) {
      const record = await get(who, "/record");
      assert.equal(record.status, name === "olga" ? 200 : 403);
      assert.ok(!record.text.includes('id="pseudonym"'), name);
      const csrf = (await get(who, "/operations")).text.match(/name="csrf" value="([^"]+)"/)[1];
      const before = stage.log().length;
      for (const pseudonym of [PATIENT, "", "Ä".repeat(65)]) {
        const answer = await submit(who, "/record/patient", { csrf, pseudonym });
        assert.equal(answer.status, 403, name);
        assert.match(answer.text, /the refusal is in the log/);
      }
      // Durable before the answer, and published a moment later.
      const found = () => stage.log().slice(before).filter((entry) => entry.action === "find_patient");
      for (let n = 0; n < 50 && found().length < 3; n += 1) await new Promise((done) => setTimeout(done, 100));
      const told = found();
      assert.equal(told.length, 3, name);
      assert.ok(told.every((entry) => entry.kind === "refusal" && entry.actors[0].endsWith(`/${name}`) && !entry.commitments));
      // Nor what cora found: that is hers alone.
      for (const path of [hers, `${hers}/access`]) assert.equal((await get(who, path)).status, 404, name);
    }
    assert.equal((await get(cora, hers)).status, 200);
    assert.equal((await get(cora, `/record/patient/${"0".repeat(32)}`)).status, 404);
  });
});

describe("the list of sessions", () => {
  it("is read in pieces, keeps the question from page to page, and says what was looked at", async () => {
    await page.goto(`${stage.origin}/record`);
    const all = (await page.$$("[aria-labelledby=found-h] tbody tr")).length;
    assert.equal(await page.innerText("#found-h"), `${all} sessions`);
    await page.fill("#person", "ANN");
    await page.click("text=Search");
    await page.waitForURL(/person=ANN/);
    const anns = (await table("found-h")).map(([short]) => short);
    assert.ok(sessions.every((id) => anns.includes(id.slice(0, 12))) && anns.length < all, `${anns}`);
    // From below where the newer of ann's two began there is the older one, and not the newer.
    const began = stage.log().findIndex((entry) => entry.session === sessions[0]);
    await page.goto(`${stage.origin}/record?person=ann&before=${began}`);
    const older = (await table("found-h")).map(([short]) => short);
    assert.ok(!older.includes(sessions[0].slice(0, 12)) && older.includes(sessions[1].slice(0, 12)), `${older}`);
    assert.match(await page.innerText("#found-h"), /sessions? among \d+ before that/);
    assert.equal(await page.getAttribute("text=Newest", "href"), "/record?person=ann");
    await page.goto(`${stage.origin}/record?from=2126-01-01T00:00`);
    assert.match(await page.innerText("main"), /0 sessions[\s\S]*No session matches all of this/);
    await page.goto(`${stage.origin}/record?to=2020-01-01T00:00&before=x`);
    assert.match(await page.innerText("main"), /No session matches all of this/);
  });
});

describe("the pseudonym", () => {
  it("is in no address, no entry, no file of the state folder, and nothing that a service said", async () => {
    const spelt = [PATIENT, "Zyxelm", encodeURIComponent(PATIENT), encodeURIComponent(PATIENT).replaceAll("%20", "+")];
    const clean = (place, text) => {
      for (const word of spelt) assert.ok(!text.includes(word), `${word} in ${place}`);
    };
    assert.ok(addresses.length > 40, `${addresses.length}`);
    clean("an address", addresses.join("\n"));
    clean("the log", JSON.stringify(stage.log()));
    clean("the services' words", stage.said());
    const walk = (folder) => readdirSync(folder).forEach((name) => {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) walk(path);
      else if (statSync(path).isFile()) clean(path, readFileSync(path).toString("latin1"));
    });
    walk(stage.state);
    const searches = stage.log().filter((entry) => entry.action === "find_patient" && entry.kind === "attempt");
    assert.ok(searches.length > 8);
    const marks = searches.map((entry) => entry.commitments.search);
    assert.equal(new Set(marks).size, marks.length, "no two searches look alike, be they for the same patient");
  });

  it("was searched for without one complaint of the browser", () => assert.deepEqual(cora.complaints, []));
});
