// The whole way: from an enrolment link to a signed report, and a clinician's new session.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { browser, demo, person } from "./stage.mjs";
import { convene, decide, enrol, inbox, rested, signIn } from "./steps.mjs";

const REASON = "Seen at the bedside. 😀 <script>window.hacked = 1</script> '; DROP TABLE decisions;-- {{7*7}}";
const OWN = "Pulmonary embolism <i>?</i>";
const PSEUDONYM = "Oak <b>7</b> {{7*7}} 😀 '; DROP TABLE x;-- \u202Ecba\u202C\u200F";
const NOTE = `😀 A 63-year-old man with chest pain. <script>window.hacked = 1</script>
Robert'); DROP TABLE sessions;-- {{7*7}} \${7*7} <img src=x onerror="window.hacked = 1"> \u202Ereversed\u202C \u200F</p></main>
He has a cough &amp; hypertension. No fever. 👩‍⚕️ He is sweating.`;

let stage;
let chromium;
let ann;
let page;
let first; // the session that is decided to its end

before(async () => {
  stage = await demo();
  chromium = await browser(stage.home);
  ann = await person(chromium);
  page = ann.page;
});

after(async () => {
  await chromium?.close();
  await stage?.end();
});

const text = (selector = "main") => page.innerText(selector);
const hacked = () => page.evaluate(() => [window.hacked, document.querySelectorAll("main script, main img, main b b").length]);

describe("a physician", () => {
  it("enrols with the link, which says for whom it is", async () => {
    await page.goto(stage.link);
    assert.equal(await text("h1"), "Welcome, ann");
    const said = await text();
    for (const part of ["clinician", "compliance", "physician", "local", "UTC"]) assert.match(said, new RegExp(part));
    await enrol(page, stage.link);
  });

  it("signs in and comes to the inbox", async () => {
    await signIn(page);
    assert.equal(new URL(page.url()).pathname, "/inbox");
    assert.match(await text("header.top"), /ann[\s\S]*physician[\s\S]*signed in until \d\d:\d\d UTC[\s\S]*Sign out/);
  });

  it("finds every session once, the most urgent first", async () => {
    const tiers = await inbox(page, stage.origin);
    assert.deepEqual(tiers.map((tier) => tier.name), ["Urgent", "To decide", "Rare alone"]);
    const rows = tiers.flatMap((tier) => tier.rows);
    assert.ok(rows.length >= 8, `${rows.length} sessions`);
    assert.equal(new Set(rows.map((row) => row.session)).size, rows.length);
    const asks = rows.flatMap((row) => row.asks.map((ask) => ask.href));
    assert.equal(new Set(asks).size, asks.length);
    for (const row of rows) assert.ok(row.asks.some((ask) => ask.href === row.review), row.session);
    assert.match(await text(".head"), new RegExp(`${rows.length} sessions wait`));
    const alone = tiers.find((tier) => tier.name === "Rare alone").rows;
    assert.ok(alone.every((row) => row.asks.every((ask) => ask.kind === "A rare diagnosis")));
    first = rows.toSorted((a, b) => b.asks.length - a.asks.length)[0];
    assert.ok(first.asks.length >= 2, "one session has several questions");
  });

  it("sees a question first without the panel's differential", async () => {
    await page.goto(stage.origin + first.review);
    assert.equal(await text("#decision"), "Your decision\n\nOpens when the panel's differential is shown.");
    assert.equal(await page.locator("#decide, .option").count(), 0);
    const blind = await text();
    // Nothing of it anywhere on the page: neither its diagnoses nor their probabilities.
    const shown = await ann.context.newPage();
    await shown.goto(`${stage.origin}${first.review}?show=1`);
    const labels = await shown.locator(".option h3, .more .name").allInnerTexts();
    await shown.close();
    assert.ok(labels.length >= 3, `${labels.length} diagnoses`);
    for (const label of labels) assert.ok(!blind.includes(label.split("\n")[0].trim()), `the blind page says "${label}"`);
    assert.match(blind, /Findings and input/);
  });

  it("notes a diagnosis of her own, which is shown beside the panel's", async () => {
    await page.goto(stage.origin + first.review);
    await page.fill("#own", OWN);
    await page.click(".mine button");
    await page.waitForURL(/show=1$/);
    assert.equal((await text(".callout.is-info")).trim(), `You noted first: ${OWN}`);
    assert.ok((await page.locator(".option").count()) >= 2, "the proposal and its alternatives");
  });

  it("reads names there and no codes, each once", async () => {
    for (const list of [".missing", "[aria-labelledby=missing-h] ul", "ol.leads"]) {
      for (const names of await page.$$eval(list, (all) => all.map((one) => [...one.querySelectorAll("li")].map((li) => li.textContent.trim())))) {
        assert.deepEqual(names.filter((name) => /^[A-Z]+:\S+$/.test(name)), [], `codes alone in ${list}`);
        assert.equal(new Set(names).size, names.length, `twice in ${list}: ${names}`);
      }
    }
  });

  it("approves with the passkey, having seen the exact text that she signs", async () => {
    let statement = "";
    await page.route("**/decide", async (route) => {
      statement = await text("#decide .statement pre");
      await route.continue();
    });
    await decide(page, { reason: REASON });
    await page.unroute("**/decide");
    const signed = JSON.parse(statement);
    assert.equal(signed.verdict, "approve");
    assert.equal(signed.escalation, first.review.split("/").pop());
    assert.equal(signed.reason, `agrees: ${REASON}\nNoted before the differential was shown: ${OWN}`);
    assert.match(signed.signer, /\/human\/ann$/);
  });

  it("decides every other question of the session, until it is concluded and signed", async () => {
    const at = page.url();
    let state = await rested(page);
    for (let n = 1; state === "Waiting for a physician" && n < 12; n += 1) {
      await page.goto(at);
      await page.click(".banner a.btn");
      await page.waitForURL(/\/escalations\//);
      if ((await page.locator("#decide").count()) === 0) await page.click("text=Show without noting one");
      await decide(page, { reason: `Question ${n}.` });
      state = await rested(page);
    }
    assert.equal(state, "Concluded and signed");
    first.path = new URL(at).pathname;
  });

  it("reads in the report that she signed it", async () => {
    await page.goto(stage.origin + first.path);
    await page.click("text=Read the report");
    await page.waitForURL(/report$/);
    assert.match(await text(".stamp"), /^\s*SIGNED/);
    const signatures = await page.locator("p.signature").allInnerTexts();
    assert.ok(signatures.length >= first.asks.length, "one signature per question");
    for (const signature of signatures) assert.match(signature, /ann.*approved/s);
    assert.match(await text(), /A physician's signature covers this conclusion\.[\s\S]*Root[\s\S]*[0-9a-f]{64}/);
  });

  it("reads there nothing twice", async () => {
    for (const said of await page.locator("p.turns").allInnerTexts()) assert.ok(!/Would change.*Would change/.test(said), said);
  });

  it("reads there when each signature was made", async () => {
    for (const signature of await page.locator("p.signature").allInnerTexts()) assert.match(signature, /\d{4}.*UTC/s);
  });

  it("finds on the decided page the verdict, the reason and what the signature means", async () => {
    await page.goto(stage.origin + first.review);
    const said = await text("#decision");
    assert.match(said, /^Decided[\s\S]*approved[\s\S]*ann[\s\S]*UTC/);
    assert.ok((await text("#decision blockquote")).includes(REASON), "the reason as it was typed");
    assert.ok((await text("#decision blockquote")).includes(OWN), "and what was noted first");
    assert.match(said, /Reason given: Agrees with the evidence/);
    assert.match(said, /I have reviewed exactly the record shown, and this decision on it is mine\./);
    assert.deepEqual(await hacked(), [undefined, 0]);
    assert.equal(await page.locator("#decide").count(), 0);
  });

  it("declines a conclusion, and nothing is released", async () => {
    const tiers = await inbox(page, stage.origin);
    const { review } = tiers.find((tier) => tier.name === "Rare alone").rows[0];
    await page.goto(`${stage.origin}${review}?show=1`);
    await decide(page, { verdict: "deny", code: "disagrees_with_evidence", reason: "Not this." });
    assert.equal(await rested(page), "Withdrawn");
    await page.goto(`${page.url()}/report`);
    assert.match(await text(".stamp"), /NOT RELEASED\s+A physician declined the conclusion\./);
  });

  it("amends a conclusion, and the report carries what she wrote", async () => {
    const tiers = await inbox(page, stage.origin);
    const { review } = tiers.find((tier) => tier.name === "Rare alone").rows[0];
    await page.goto(`${stage.origin}${review}?show=1`);
    await decide(page, { verdict: "amend", code: "suboptimal_context", reason: "Only after a genetic test. <u>" });
    assert.equal(await rested(page), "Concluded and signed");
    await page.goto(`${page.url()}/report`);
    assert.equal((await text(".paper .callout.is-warning")).trim(), "A physician's reservation: Only after a genetic test. <u>");
  });
});

describe("a clinician", () => {
  it("begins a session with a pasted note, which is shown as it is", async () => {
    assert.equal(await convene(page, stage.origin, { pseudonym: PSEUDONYM, note: NOTE }), 303);
    await page.waitForURL(/\/sessions\/[0-9a-f]{32}$/);
    await rested(page);
    await page.waitForFunction(() => document.querySelector(".note"));
    const shown = await page.$eval("#live", (live) => {
      const note = live.querySelector(".note").cloneNode(true);
      note.querySelectorAll("sup").forEach((mark) => mark.remove());
      return { note: note.textContent, pseudonym: live.querySelector("h1").textContent };
    });
    assert.equal(shown.note, NOTE);
    assert.equal(shown.pseudonym, PSEUDONYM.trim());
    assert.deepEqual(await hacked(), [undefined, 0]);
  });

  it("reads the patient's age and sex as the note has them", async () => assert.match(await text("#live"), /63 years, male/));

  it("finds the session in her list, with its state and its budget", async () => {
    const at = new URL(page.url()).pathname;
    await page.goto(`${stage.origin}/sessions`);
    const row = await text(`tr:has(a[href="${at}"])`);
    await page.goBack();
    assert.match(row, /waits for a physician/);
    assert.match(row, /\$2,500\.00/);
  });

  it("sees where in the note each finding was read", async () => {
    const hits = await page.$$eval(".note a.hit", (all) => all.map((hit) => ({
      words: hit.firstChild.textContent.toLowerCase(),
      absent: hit.classList.contains("absent"),
      row: document.querySelector(hit.getAttribute("href"))?.textContent || "",
    })));
    const words = (absent) => hits.filter((hit) => hit.absent === absent).map((hit) => hit.words);
    for (const finding of ["chest pain", "cough", "hypertension"]) assert.ok(words(false).includes(finding), `${finding} in ${words(false)}`);
    assert.deepEqual(words(true), ["fever"]);
    for (const hit of hits) assert.match(hit.row, /read in the note/, hit.words);
  });

  it("sees the page reach its end by itself, and keeps her place on it", async () => {
    // Sixty rounds take the panel a fraction of a second: what is seen at first is noted as soon as it is there.
    const tab = await ann.context.newPage();
    await tab.addInitScript(() => document.addEventListener("DOMContentLoaded", () => {
      window.first = document.querySelector(".banner h2")?.textContent;
      document.querySelector("#stop summary")?.click();
      document.querySelector("#stop summary")?.focus();
    }));
    assert.equal(await convene(tab, stage.origin, { pseudonym: "Oak 2", note: NOTE, sequential: true }), 303);
    await tab.waitForFunction(() => document.querySelector("#live-state")?.textContent === "at rest");
    await tab.waitForFunction(() => document.querySelector(".banner h2").textContent === "Waiting for a physician");
    assert.equal(await tab.evaluate(() => window.first), "At work", "what the page said when it was loaded");
    assert.match(await tab.textContent("#live-said"), /Waiting for a physician/);
    assert.ok((await tab.locator(".orders tr").count()) > 10, "tests");
    assert.ok(await tab.evaluate(() => document.querySelector("#stop").open), "the fold that she opened");
    assert.equal(await tab.evaluate(() => document.activeElement.textContent), "Stop this session");
    await page.goto(tab.url());
    await tab.close();
  });

  it("stops a session", async () => {
    await page.click("#stop summary");
    await page.click("#stop button");
    await page.waitForFunction(() => document.querySelector(".banner h2").textContent === "Withdrawn");
    assert.match(await text(".banner"), /A person stopped it\./);
    assert.equal(await page.locator("#stop").count(), 0);
    // And one that is at work.
    assert.equal(await convene(page, stage.origin, { pseudonym: "Oak 3", note: NOTE, sequential: true }), 303);
    await page.click("#stop summary");
    await page.click("#stop button");
    await page.waitForFunction(() => document.querySelector(".banner h2").textContent === "Withdrawn");
  });

  it("is told at each field what is wrong, and keeps what was typed", async () => {
    assert.equal(await convene(page, stage.origin, { pseudonym: "", budget: "", note: "" }), 422);
    assert.match(await text(".summary"), /look at 3 fields/);
    for (const field of ["pseudonym", "budget", "case"]) {
      assert.ok((await text(`#${field}-error`)).length > 10, field);
      assert.equal(await page.getAttribute(`#${field}`, "aria-invalid"), "true");
      assert.match(await page.getAttribute(`#${field}`, "aria-describedby"), new RegExp(`${field}-error`));
      assert.equal(await page.locator(`.summary a[href="#${field}"]`).count(), 1);
    }
    const typed = { pseudonym: "Ä<".repeat(40), budget: "1e9 \"<", note: "chest pain </textarea><b>\n\n {{7*7}}", sequential: true };
    assert.equal(await convene(page, stage.origin, typed), 422);
    assert.match(await text("#pseudonym-error"), /at most 64 characters/);
    assert.match(await text("#budget-error"), /such as 2500/);
    assert.equal(await page.locator("#case-error").count(), 0);
    assert.equal(await page.inputValue("#pseudonym"), typed.pseudonym);
    assert.equal(await page.inputValue("#budget"), typed.budget);
    assert.equal(await page.inputValue("#case"), typed.note);
    assert.ok(await page.isChecked("input[name=sequential]"));
    assert.equal(await convene(page, stage.origin, { note: "{\"id\": 3" }), 422);
    assert.ok((await text("#case-error")).length > 10, "JSON that is cut off");
  });

  it("keeps a note's first lines when they are empty", async () => {
    assert.equal(await convene(page, stage.origin, { pseudonym: "", note: "\n\nchest pain" }), 422);
    assert.equal(await page.inputValue("#case"), "\n\nchest pain");
  });

  it("is told that a case is too long, and keeps it", async () => {
    const note = "Chest pain since an hour, ä 😀\n".repeat(34_000);
    assert.equal(await convene(page, stage.origin, { note }), 422);
    assert.match(await text("#case-error"), /longer than 1 MiB/);
    assert.ok((await page.inputValue("#case")) === note, "kept");
  });

  it("is told in words that a request is far too long", async () => {
    const status = await convene(page, stage.origin, { note: `${"😀".repeat(1000)}\n`.repeat(360) });
    assert.ok(status === 413 || status === 422, String(status));
    assert.match(await text("body"), /(longer|larger) than \d+ Mi?B|too (large|long)/i);
    assert.equal(await page.locator("main h1").count(), 1, "on a page of the console");
  });
});

describe("the record", () => {
  it("verifies", () => assert.match(stage.bodh("audit", "verify", `${stage.state}/log`), /consistent/));

  it("has every decision, and that it was ann's", () => {
    const session = first.path.split("/").pop();
    const entries = stage.bodh("audit", "show", session, "--state", stage.state);
    for (const { href } of first.asks) {
      const id = href.split("/").pop();
      const decisions = entries.match(new RegExp(`decision +decide +approve +${id} +for human/ann`, "g")) || [];
      assert.equal(decisions.length, 1, `${id} in ${entries}`);
    }
    assert.ok(!entries.includes("bedside"), "what she wrote is sealed and not in the log");
  });

  it("was made without one complaint of the browser", () => assert.deepEqual(ann.complaints, []));
});
