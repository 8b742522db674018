// The page of operations: what waits and how long, what went wrong, the rules that came of it, who takes them back, and who
// lets others in.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { axe, browser, demo, person, ROOT, weight } from "./stage.mjs";
import { ask, enter, get, invite, told } from "./steps.mjs";

const SCREENS = process.env.SCREENS;
const MOST_BYTES = 100_000;
const SAMPLE = join(ROOT, "deploy/samples/tall_with_dislocated_lenses.json");
const CLAIM = "OMIM:154700/HP:0001083";
const MADE_UP = { authenticator_data: "AAAA", client_data: "AAAA", signature: "AAAA" };
const REASON = "Too wide; <script>alert(1)</script> it asks about everybody ‮🙂";

let stage;
let chromium;
let ann; // physician and compliance
let olga; // operator alone
let operations;
const rules = []; // two, in force
let sessions;

/** What a command prints, also where it ends with an escalation. */
function said(...args) {
  try {
    return JSON.parse(stage.bodh(...args, "--state", stage.state, "--json"));
  } catch (ended) {
    if (ended.status !== 3) throw ended;
    return JSON.parse(ended.stdout);
  }
}

before(async () => {
  if (SCREENS) mkdirSync(SCREENS, { recursive: true });
  stage = await demo();
  chromium = await browser(stage.home);
  ann = await enter(stage, chromium, stage.link);
  olga = await enter(stage, chromium, invite(stage, "olga", "operator"));
  operations = `${stage.origin}/operations`;
  stage.bodh("human", "enroll", "ben", "--role", "physician", "--state", stage.state);
  sessions = [said("diagnose", SAMPLE), said("diagnose", SAMPLE)].map(({ session }) => session);
  for (const session of sessions) {
    rules.push(said("incident", "mark", session, CLAIM, "--reason", "the lens is in place", "--as", "ben").rule.id);
  }
});

after(async () => {
  await chromium?.close();
  await stage?.end();
});

const standing = (rule) => said("rules").rules.find(({ id }) => id === rule);
const form = (rule) => `[id="${rule}"] form`;

/** An entry is durable before the answer, and published a moment later. */
async function until(holds, what = holds.toString()) {
  for (let n = 0; n < 50; n += 1) {
    if (holds()) return;
    await new Promise((done) => setTimeout(done, 200));
  }
  assert.fail(what);
}

/** Opens the fold of a rule and gives a reason. */
async function open(page, rule, reason = REASON) {
  await page.goto(operations);
  await page.click(`[id="${rule}"] summary`);
  await page.fill(`${form(rule)} textarea`, reason);
}

/** Presses the button; the sentence that the form says when nothing came of it. */
async function refused(page, rule) {
  await page.click(`${form(rule)} button`);
  await page.waitForFunction((alert) => document.querySelector(alert).textContent, `${form(rule)} [role=alert]`);
  return page.innerText(`${form(rule)} [role=alert]`);
}

describe("what an operator sees", () => {
  it("is a picture of each figure over days, with its table", async () => {
    const { page } = olga;
    await page.goto(operations);
    for (const [id, words, heads] of [
      ["dwell-days", /the median wait was/, ["Day", "Raised", "Seen", "Median", "Nine in ten within"]],
      ["coverage-days", /alerts? within these days, \d+ were investigated/, ["Day", "Raised", "Investigated", "Share"]],
    ]) {
      assert.match(await page.textContent(`#figure-${id} svg desc`), words);
      assert.ok((await page.locator(`#figure-${id} svg .p-mark`).count()) >= 1, "a mark for today");
      assert.deepEqual(await page.$$eval(`#table-${id} thead th`, (all) => all.map((th) => th.textContent)), heads);
      assert.ok((await page.locator(`#table-${id} tbody tr`).count()) >= 1);
    }
  });

  it("is every incident, the newest first, with its session and its rule", async () => {
    const { page } = olga;
    const rows = await page.$$eval("[aria-labelledby=incidents-h] tbody tr", (all) => all.map((row) => ({
      text: row.textContent, links: [...row.querySelectorAll("a")].map((a) => a.getAttribute("href")),
    })));
    const marked = rows.filter(({ text }) => text.includes("A physician marked a claim as false"));
    assert.deepEqual(marked.map(({ links }) => links),
      rules.map((rule, n) => [`/record/${sessions[n]}`, `#${rule}`]).reverse());
    assert.ok(marked.every(({ text }) => text.includes("rule in force")));
    assert.equal((await get(olga, marked[0].links[0])).status, 200, "an operator may read the trace");
  });

  it("is whether probabilities mean what they say, on three sets, each with how it was measured", async () => {
    const { page } = olga;
    const shown = await page.$$eval("[aria-labelledby=calibration-h] .cols > div", (all) => all.map((one) => ({
      dots: one.querySelectorAll("svg .p-dot").length, rows: one.querySelectorAll("tbody tr").length, says: one.textContent,
    })));
    assert.equal(shown.length, 3);
    for (const { dots, rows, says } of shown) {
      assert.ok(dots >= 5 && dots === rows, `${dots} dots and ${rows} rows`);
      assert.match(says, /[\d,]+ cases, measured on 20\d\d-\d\d-\d\d\. bodh bench accuracy CASES/);
    }
  });

  it("is accessible, light, and without complaint", async () => {
    for (const { page, complaints } of [olga, ann]) {
      const bytes = await weight(page, operations);
      assert.ok(bytes > 2000 && bytes <= MOST_BYTES, `${bytes} bytes`);
      assert.deepEqual(await axe(page), []);
      assert.deepEqual(complaints, []);
    }
  });

  if (SCREENS) it("is pictured", async () => {
    for (const [name, { page }] of [["ann", ann], ["olga", olga]]) {
      for (const colorScheme of ["light", "dark"]) {
        for (const width of [1280, 390]) {
          await page.emulateMedia({ colorScheme });
          await page.setViewportSize({ width, height: 900 });
          await page.goto(operations);
          if (name === "ann") await page.click(`[id="${rules[0]}"] summary`);
          await page.screenshot({ path: join(SCREENS, `operations-${name}-${colorScheme}-${width}.png`), fullPage: true });
        }
      }
      await page.emulateMedia({ colorScheme: "light" });
      await page.setViewportSize({ width: 1280, height: 900 });
    }
  });
});

describe("a review rule", () => {
  it("has no form for who may not reverse it, and a request for it is refused and on record", async () => {
    const { page } = olga;
    await page.goto(operations);
    assert.equal(await page.locator(form(rules[0])).count(), 0);
    // The form of another page's making, with her own token and her own passkey.
    await page.evaluate(([rule, csrf]) => {
      const made = document.createElement("form");
      made.id = "made";
      made.innerHTML = `<input name="csrf" value="${csrf}"><input name="reason" value="mine">`;
      document.querySelector("main").append(made);
    }, [rules[0], await page.inputValue("[name=csrf] >> nth=0")]);
    const at = `/operations/rules/${rules[0]}`;
    const asked = await ask(page, `${at}/options`, undefined, "#made");
    assert.equal(asked.status, 200, "signing is hers, and policy judges what she signed");
    const answer = await ask(page, `${at}/reverse`, { handle: asked.handle, ...MADE_UP }, "#made");
    assert.equal(answer.status, 403);
    assert.match(answer.error, /not for you/);
    assert.equal(standing(rules[0]).reversed, false);
  });

  it("is not reversed without a reason or without a touch, and what was typed stays", async () => {
    const { page, cdp, authenticatorId } = ann;
    await open(page, rules[0], "   ");
    assert.match(await refused(page, rules[0]), /reason is empty/);
    await open(page, rules[0]);
    await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
    assert.match(await refused(page, rules[0]), /Nothing was sent/);
    await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
    assert.equal(await page.inputValue(`${form(rules[0])} textarea`), REASON);
    assert.equal(standing(rules[0]).reversed, false);
  });

  it("is not reversed by a made-up signature, or by a statement about another rule", async () => {
    const { page } = ann;
    await open(page, rules[0]);
    const at = (rule) => `/operations/rules/${rule}`;
    const begin = () => ask(page, `${at(rules[0])}/options`, undefined, form(rules[0]));
    const forged = await ask(page, `${at(rules[0])}/reverse`, { handle: (await begin()).handle, ...MADE_UP }, form(rules[0]));
    assert.equal(forged.status, 403);
    assert.match(forged.error, /signed statement was refused/i);
    const moved = await begin();
    const other = await ask(page, `${at(rules[1])}/reverse`, { handle: moved.handle, ...MADE_UP }, form(rules[0]));
    assert.equal(other.status, 403);
    assert.match(other.error, /about something else/);
    const again = await ask(page, `${at(rules[0])}/reverse`, { handle: moved.handle, ...MADE_UP }, form(rules[0]));
    assert.equal(again.status, 410, "a ceremony is over once it was answered");
    assert.ok(rules.every((rule) => !standing(rule).reversed));
  });

  it("is reversed with the passkey, over exactly the text that is shown, and stays in the list with who and why", async () => {
    const { page } = ann;
    await open(page, rules[0]);
    let statement = "";
    let sent;
    await page.route("**/reverse", async (route) => {
      statement = await page.textContent(`${form(rules[0])} .statement pre`);
      sent = route.request().postDataJSON();
      await route.continue();
    });
    await Promise.all([page.waitForEvent("load"), page.click(`${form(rules[0])} button`)]);
    await page.unroute("**/reverse");
    const signed = JSON.parse(statement);
    assert.deepEqual([signed.rule, signed.reason], [rules[0], REASON]);
    assert.match(signed.signer, /\/human\/ann$/);
    assert.match(await page.innerText(`[id="${rules[0]}"]`), /reversed[\s\S]*Reversed by ann on .*: Too wide; <script>/);
    assert.equal(await page.locator(form(rules[0])).count(), 0);
    assert.deepEqual([standing(rules[0]).reversed, standing(rules[0]).reversal.reason], [true, REASON]);
    assert.deepEqual(ann.complaints, []);
    // The same touch again.
    const replayed = await ask(page, `/operations/rules/${rules[0]}/reverse`, sent, form(rules[1]));
    assert.equal(replayed.status, 410);
    assert.match(replayed.error, /given before/);
  });

  it("that is reversed already says so", async () => {
    const { page } = ann;
    await open(page, rules[1]);
    // From another tab, meanwhile.
    stage.bodh("rules", "reverse", rules[1], "--reason", "meanwhile", "--state", stage.state, "--as", "ben");
    assert.match(await refused(page, rules[1]), /reversed already/);
    assert.equal(standing(rules[1]).reversal.reason, "meanwhile");
  });

  it("left every refusal in the log", async () => {
    const failed = (e, cause) => e.kind === "outcome" && e.action === "reverse_rule" && e.verdict === "failed" && e.cause === cause;
    await until(() => stage.log().filter((e) => e.kind === "rule" && e.action === "reverse_rule").length === 2);
    await until(() => stage.log().some((e) => e.kind === "refusal" && e.action === "reverse_rule" && e.actors[0].endsWith("/olga")));
    await until(() => stage.log().some((e) => failed(e, "signature")), "the made-up signature");
    await until(() => stage.log().some((e) => failed(e, "stale")), "reversed already");
    for (const cause of ["another_statement", "touch_over"]) {
      await until(() => stage.log().some((e) => e.kind === "refusal" && e.cause === cause), cause);
    }
    const told = JSON.stringify(stage.log());
    assert.ok(!told.includes("Too wide") && !told.includes("meanwhile"), "the words stay sealed");
  });
});

describe("an invitation", () => {
  const begin = (page) => page.click("[aria-labelledby=people-h] > .pad summary");

  /** Fills in the form of a page that is loaded anew. */
  async function fill(page, name, ...roles) {
    await page.goto(operations);
    await begin(page);
    await page.fill("#invite-name", name);
    for (const role of roles) await page.check(`#invite [value=${role}]`);
  }

  /** Presses the button; the sentence that the form says when nothing came of it. */
  async function said(page) {
    await page.click("#invite button.primary");
    await page.waitForFunction(() => document.querySelector("#invite [role=alert]").textContent);
    return page.innerText("#invite [role=alert]");
  }

  it("has no form for who is no operator, and a request for one is refused and on record", async () => {
    const { page } = ann;
    await page.goto(operations);
    assert.equal(await page.locator("#invite").count(), 0);
    for (const at of ["/operations/invite/options", "/operations/invite"]) {
      const asked = await ask(page, at, at.endsWith("options") ? undefined : { handle: "AAAA", ...MADE_UP }, "form[action='/sign-out']");
      assert.equal(asked.status, 403, at);
      assert.match(asked.error, /Only an operator/);
    }
    await until(() => stage.log().some((e) => e.kind === "refusal" && e.cause === "not_an_operator"));
  });

  it("needs a name that is nobody's, a role, and a touch", async () => {
    const { page, cdp, authenticatorId } = olga;
    await fill(page, "dora");
    assert.match(await said(page), /Choose what they may do/);
    await fill(page, "ann", "physician");
    assert.match(await said(page), /somebody's name already/);
    await fill(page, "dora", "physician");
    await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
    assert.match(await said(page), /Nothing was sent/);
    await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
    assert.deepEqual([await page.inputValue("#invite-name"), await page.isChecked("#invite [value=physician]")], ["dora", true]);
    assert.ok(await page.isHidden("#invite .link"));
  });

  it("is not made by a made-up signature, by another act's, or twice with one touch", async () => {
    const { page } = olga;
    await fill(page, "dora", "physician");
    const at = "/operations/invite";
    const forged = { handle: (await ask(page, `${at}/options`, undefined, "#invite")).handle, ...MADE_UP };
    const answer = await ask(page, at, forged, "#invite");
    assert.deepEqual([answer.status, answer.link], [403, undefined]);
    assert.match(answer.error, /did not sign this invitation/);
    assert.equal((await ask(page, at, forged, "#invite")).status, 410);
    // The form of an invitation has no reason: it is put in, to get something else to sign.
    await page.$eval("#invite", (form) => form.insertAdjacentHTML("beforeend", '<input name="reason" value="mine">'));
    const other = await ask(page, `/operations/rules/${rules[0]}/options`, undefined, "#invite");
    assert.equal(other.status, 200);
    const moved = await ask(page, at, { handle: other.handle, ...MADE_UP }, "#invite");
    assert.equal(moved.status, 403);
    assert.match(moved.error, /about something else/);
    await until(() => stage.log().some((e) => e.kind === "refusal" && e.cause === "invitation_signature"));
  });

  it("is signed with the operator's passkey, and its link, shown once, enrols whom it names", async () => {
    const { page } = olga;
    await fill(page, "dora", "clinician", "physician");
    await page.click("#invite button.primary");
    await page.waitForSelector("#invite .link:not([hidden])");
    const link = await page.inputValue("#link-0");
    const signed = JSON.parse(await page.textContent("#invite .statement pre"));
    assert.deepEqual([signed.name, signed.roles], ["dora", ["clinician", "physician"]]);
    assert.match(signed.invited_by, /\/human\/olga$/);
    assert.deepEqual(await axe(page), []);
    if (SCREENS) await page.screenshot({ path: join(SCREENS, "operations-invited.png"), fullPage: true });
    await page.goto(operations);
    await begin(page);
    assert.ok((await page.isHidden("#invite .link")) && (await page.inputValue("#link-0")) === "", "this once");
    const dora = await enter(stage, chromium, link);
    await dora.page.goto(operations);
    assert.match(await dora.page.innerText("[aria-labelledby=people-h]"), /dora[\s\S]*clinician, physician\s+passkey/);
    const let_in = (e) => e.action === "accept_invitation" && e.kind === "decision" && e.resource.endsWith("/dora");
    await until(() => stage.log().some((e) => let_in(e) && e.actors[0].endsWith("/olga")), "on record, and on whose word");
    assert.deepEqual(olga.complaints, []);
    await dora.context.close();
    // A link that was used, and one that was changed.
    const eve = await person(chromium);
    await eve.page.goto(link);
    await eve.page.click("#enrol button");
    assert.match(await told(eve.page, "enrol"), /did not accept it/);
    await eve.context.close();
  });
});
