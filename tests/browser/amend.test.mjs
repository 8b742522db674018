// A clinician corrects findings, enters a result and adds what they learned; the panel reasons again.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { axe, browser, demo } from "./stage.mjs";
import { convene, enter, get, invite, rested, submit } from "./steps.mjs";

const NOTE = "A 34-year-old woman has a productive cough, chest pain and a high fever. She has tachycardia. No rash.";
const PAYLOAD = `Chest X-ray: consolidation. <script>window.hacked = 1</script> <img src=x onerror="window.hacked = 1">
Robert'); DROP TABLE sessions;-- {{7*7}} \${7*7} </p></main> 😀 👩‍⚕️ \u202Ereversed\u202C \u200Fعربي \u2066x\u2069
She also has night sweats &amp; hemoptysis. Denies headache.`;

let stage;
let chromium;
let ann;
let page;
let at; // the session's page

const text = (selector = "main") => page.innerText(selector);
const hacked = () => page.evaluate(() => [window.hacked, document.querySelectorAll("main script, main img").length]);
const row = (label) => page.locator(".findings tbody tr", { hasText: label });
const leading = () => text(".banner p:last-child");
const rounds = () => page.inputValue("#learned [name=rounds]");

/** Sends a form and waits until the panel rests again. */
async function send(click) {
  const before = Number(await rounds());
  await click();
  await page.waitForFunction((before) => Number(document.getElementById("live")?.dataset.version) > before, before);
  await rested(page);
  // As it stands at rest, with its words.
  await page.goto(at);
}

async function fits() {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 0, `${wide} px too wide`);
}

before(async () => {
  stage = await demo();
  chromium = await browser(stage.home);
  ann = await enter(stage, chromium, stage.link);
  page = ann.page;
  assert.equal(await convene(page, stage.origin, { pseudonym: "Ash 3", note: NOTE }), 303);
  at = page.url();
  await rested(page);
  await page.goto(at);
});

after(async () => {
  await chromium?.close();
  await stage?.end();
});

describe("who convened a session", () => {
  it("corrects a finding, and the panel reasons again", async () => {
    const before = await leading();
    const fever = row("fever").first();
    const number = (await fever.getAttribute("id")).replace("finding-", "");
    await fever.locator("summary").click();
    await send(() => fever.locator('button[value$="=excluded"]').click());
    const now = page.locator(`#finding-${number}`);
    assert.match(await now.innerText(), /absent[\s\S]*corrected by ann/);
    assert.notEqual(await leading(), before);
    const added = await text("#added-1");
    assert.match(added, /ann[\s\S]*\d{4}.*UTC[\s\S]*absent \(before: present\)/);
  });

  it("takes a finding out, and puts it back where it was taken out", async () => {
    const heart = row("achycardia").first();
    await heart.locator("summary").click();
    await send(() => heart.locator('button[value$="=not_said"]').click());
    assert.equal(await row("achycardia").count(), 0);
    await page.click("#added-2 .fix summary");
    await send(() => page.click('#added-2 .fix button[value$="=present"]'));
    assert.equal(await row("achycardia").count(), 1);
    assert.equal(await page.locator("#added-2 .fix").count(), 0);
  });

  it("enters the result of a proposed test, in words that stay words", async () => {
    const form = page.locator(".orders .entry").first();
    const name = (await form.locator("textarea").getAttribute("aria-label")).replace("Result of ", "");
    await form.locator("summary").click();
    await form.locator("textarea").fill(PAYLOAD);
    await send(() => form.locator("button").click());
    assert.deepEqual(await hacked(), [undefined, 0]);
    const added = await page.locator("#added-4").innerText();
    assert.ok(added.includes(`on ${name}`), added);
    assert.ok(added.includes("<script>window.hacked = 1</script>") && added.includes("{{7*7}} ${7*7}"), added);
    assert.ok(added.includes("DROP TABLE sessions;--") && added.includes("😀 👩‍⚕️"), added);
    const words = await page.locator("#added-4 .note").evaluate((note) => {
      const copy = note.cloneNode(true);
      copy.querySelectorAll("sup").forEach((sup) => sup.remove());
      return copy.textContent;
    });
    assert.equal(words, PAYLOAD, "every letter, and no other");
    const order = page.locator(".orders tr", { hasText: name }).first();
    assert.match(await order.innerText(), /result entered/);
    assert.match(await text(".money"), /\$0\.00 so far/);
  });

  it("finds each finding of the added words marked in them, and each row leading there", async () => {
    const marks = await page.$$eval("#added-4 .hit", (all) => all.map((hit) => [hit.id, hit.getAttribute("href")]));
    assert.ok(marks.length >= 2, `${marks.length} marks`);
    for (const [id, href] of marks) {
      const finding = page.locator(href);
      assert.match(await finding.innerText(), /added by ann/);
      assert.equal(await finding.locator(`a[href="#${id}"]`).count(), 1);
    }
  });

  it("adds what was learned; what was corrected stays corrected", async () => {
    await page.fill("#learned-text", "She has a high fever now. She denies travel. She has splenomegaly.");
    await send(() => page.click("#learned button"));
    assert.match(await row("fever").first().innerText(), /absent[\s\S]*corrected by ann/);
    assert.match(await row("plenomegaly").first().innerText(), /added by ann/);
  });

  it("sees the same on the report, which can be corrected too and fits on a phone", async () => {
    await page.goto(`${at}/report`);
    assert.match(await text(), /Added[\s\S]*absent \(before: present\)/);
    assert.ok((await page.locator(".findings .fix").count()) > 2);
    assert.equal(await page.locator("#learned").count(), 1);
    assert.deepEqual(await hacked(), [undefined, 0]);
    for (const path of [at, `${at}/report`]) {
      await page.goto(path);
      assert.deepEqual(await axe(page), [], path);
      await page.setViewportSize({ width: 390, height: 800 });
      await page.evaluate(() => document.querySelectorAll("details").forEach((fold) => (fold.open = true)));
      await fits();
      const small = await page.$$eval(".fix button, .fix summary, #learned button", (all) =>
        all.map((one) => one.getBoundingClientRect()).filter((box) => box.height > 0 && box.height < 24).length);
      assert.equal(small, 0, "targets of at least 24 px");
      await page.setViewportSize({ width: 1280, height: 900 });
    }
    await page.goto(at);
  });

  it("does it with the keyboard alone", async () => {
    await page.locator(".findings summary").first().focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await send(() => page.keyboard.press("Enter"));
    assert.match(await page.locator(".findings tbody tr").first().innerText(), /present[\s\S]*corrected by ann/);
  });

  it("loses nothing of what was typed when it is refused", async () => {
    const csrf = await page.inputValue("#learned [name=csrf]");
    const path = `${new URL(at).pathname}/amend`;
    const fields = { csrf, rounds: await rounds(), text: "fever" };
    for (const [what, changed, status, said] of [
      ["too long", { text: `${"x".repeat(4096)} 😀` }, 400, "at most 4 KiB"],
      ["a control character", { text: "fever \u0007" }, 400, "control characters"],
      ["nothing", { text: " \r\n " }, 400, "says something"],
      ["an unknown test", { about: "never_heard_of" }, 400, "No such test"],
      ["an unknown finding", { correct: "HP:9999999=present" }, 400, "No such finding"],
      ["half a correction", { correct: "HP:0001945=maybe" }, 400, "present, absent"],
      ["an older page", { rounds: "1" }, 409, "reasoned again"],
      ["no rounds", { rounds: "x" }, 400, "damaged"],
      ["another's token", { csrf: "AAAA" }, 403, "did not come from a page"],
    ]) {
      const answer = await submit(ann, path, { ...fields, ...changed });
      assert.equal(answer.status, status, `${what}: ${answer.text}`);
      assert.ok(answer.text.includes(said), `${what}: ${answer.text}`);
      const typed = changed.text ?? fields.text;
      if (typed.trim()) assert.ok(answer.text.includes(typed.slice(0, 40)), `${what}: what was typed is gone`);
    }
    const elsewhere = await submit(ann, path, fields, { origin: "https://evil.example" });
    assert.equal(elsewhere.status, 403);
    await page.goto(at);
    assert.equal(await rounds(), fields.rounds, "nothing was done");
  });

  it("needs no script: the form alone leads back to the session", async () => {
    const fields = { csrf: await page.inputValue("#learned [name=csrf]"), rounds: await rounds(), text: "No chills.\r\nNo jaundice." };
    const answer = await submit(ann, `${new URL(at).pathname}/amend`, fields);
    assert.deepEqual([answer.status, answer.headers.location], [303, new URL(at).pathname]);
    await page.goto(at);
    await rested(page);
    await page.goto(at);
    assert.match(await row("jaundice").or(row("Jaundice")).first().innerText(), /absent[\s\S]*added by ann/);
  });

  it("was refused nothing by the page's own rules", () => assert.deepEqual(ann.complaints, []));
});

describe("others", () => {
  it("who care for other patients see and add nothing", async () => {
    const bob = await enter(stage, chromium, invite(stage, "bob", "clinician"));
    const path = new URL(at).pathname;
    assert.equal((await get(bob, path)).status, 403);
    await bob.page.goto(`${stage.origin}/sessions`);
    const csrf = await bob.page.inputValue("header [name=csrf]");
    const answer = await submit(bob, `${path}/amend`, { csrf, rounds: await rounds(), text: "fever" });
    assert.equal(answer.status, 403, answer.text);
    assert.match(answer.text, /the refusal is in the log/);
  });

  it("who read for compliance see who added what when, and neither the words nor a form", async () => {
    const cleo = await enter(stage, chromium, invite(stage, "cleo", "compliance"));
    for (const path of ["", "/report"]) {
      await cleo.page.goto(at + path);
      const said = await cleo.page.innerText("main");
      assert.match(said, /absent \(before: present\)/);
      assert.match(said, /With words, which are shown to those who care for the patient/);
      assert.ok(!said.includes("DROP TABLE") && !said.includes("night sweats &"), said);
      assert.equal(await cleo.page.locator(".fix, #learned").count(), 0);
    }
    await cleo.page.goto(`${stage.origin}/record/${new URL(at).pathname.split("/").pop()}`);
    assert.match(await cleo.page.innerText("main"), /amend/);
  });
});
