// From a question to a signed review and the evidence that holds offline, down to the passkey.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { axe, browser, demo } from "./stage.mjs";
import { ask, decide, enter, get, inbox, invite, rested, submit, told } from "./steps.mjs";

let stage;
let chromium;
let ann; // decides
let cora; // compliance
let session; // decided by ann, convened by somebody else
let trace;

before(async () => {
  stage = await demo();
  chromium = await browser(stage.home);
  ann = await enter(stage, chromium, stage.link);
  cora = await enter(stage, chromium, invite(stage, "cora", "compliance"));
  const alone = (await inbox(ann.page, stage.origin)).flatMap((tier) => tier.rows).find((row) => row.asks.length === 1);
  await ann.page.goto(`${stage.origin}${alone.review}?show=1`);
  await decide(ann.page, { reason: "Seen, and it fits." });
  await rested(ann.page);
  session = new URL(ann.page.url()).pathname.split("/")[2];
  trace = `${stage.origin}/record/${session}`;
});

after(async () => {
  await chromium?.close();
  await stage?.end();
});

/** Fills in the review. */
async function found(page, verdict, entry = "", reason = "Read to the end.") {
  await page.goto(trace);
  await page.check(`input[name=verdict][value=${verdict}]`);
  await page.fill("#wrong-entry", entry);
  await page.fill("#review-reason", reason);
}

const tail = () => JSON.parse(stage.bodh("audit", "show", session, "--state", stage.state, "--json")).entries;

describe("a replay", () => {
  it("puts every question again and finds the same", async () => {
    const { page } = cora;
    await page.goto(trace);
    await page.click("text=Replay every opinion");
    await page.waitForURL(/\/replay$/);
    const said = await page.innerText("main");
    assert.match(said, /The same, bit for bit[\s\S]*\d+ opinions and \d+ rulings were compared/);
    assert.deepEqual(await axe(page), []);
    assert.ok(tail().some(({ entry }) => entry.action === "ask" && (entry.step || "").startsWith("replay-")));
  });

  it("is not asked for without the page's token", async () => {
    const answer = await submit(cora, `/record/${session}/replay`, { csrf: "" });
    assert.equal(answer.status, 403);
  });
});

describe("a review", () => {
  it("needs a finding, and an entry where a step went wrong", async () => {
    const { page } = cora;
    for (const [verdict, entry, words] of [
      ["fault", "", /Name the entry/], ["fault", "twelve", /Name the entry/], ["in_order", "12", /choose one of the two/],
      ["fault", "99999999", /cannot be signed/],
    ]) {
      await found(page, verdict, entry);
      await page.click("#decide button.primary");
      assert.match(await told(page, "decide"), words);
      assert.equal(await page.inputValue("#review-reason"), "Read to the end.", "what was typed is still there");
    }
  });

  it("is signed with the passkey and is on record", async () => {
    const { page } = cora;
    await found(page, "in_order", "", "Read to the end; <script>alert(1)</script> in order ‮🙂");
    await Promise.all([page.waitForEvent("load"), page.click("#decide button.primary")]);
    assert.match(await page.innerText(".marked"), /In order[\s\S]*cora/);
    const signed = tail().filter(({ entry }) => entry.kind === "decision" && entry.action === "review");
    assert.deepEqual(signed.map(({ entry }) => entry.cause), ["in_order"]);
    assert.ok(!JSON.stringify(tail()).includes("Read to the end"), "the words stay sealed");
  });

  it("names the step that went wrong", async () => {
    const { page } = cora;
    const wrong = tail().find(({ entry }) => entry.action === "decide").index;
    await found(page, "fault", String(wrong), "Asked twice.");
    await Promise.all([page.waitForEvent("load"), page.click("#decide button.primary")]);
    assert.match(await page.innerText(".marked >> nth=0"), new RegExp(`A step went wrong[\\s\\S]*Entry ${wrong}`));
  });

  it("is refused with a made-up handle and a made-up signature", async () => {
    const { page } = cora;
    await found(page, "in_order");
    const touched = { authenticator_data: "AAAA", client_data: "AAAA", signature: "AAAA" };
    const gone = await ask(page, `/record/${session}/review`, { handle: "0".repeat(32), ...touched });
    assert.equal(gone.status, 410);
    const begun = await ask(page, `/record/${session}/review/options`);
    assert.equal(begun.status, 200);
    const before = tail().length;
    const forged = await ask(page, `/record/${session}/review`, { handle: begun.handle, ...touched });
    assert.ok(forged.status >= 400 && forged.status < 500, JSON.stringify(forged));
    const told = tail().slice(before).map(({ entry }) => entry);
    assert.ok(told.some((entry) => entry.action === "review" && entry.kind === "outcome" && entry.verdict === "failed"));
    const again = await ask(page, `/record/${session}/review`, { handle: begun.handle, ...touched });
    assert.equal(again.status, 410, "a ceremony is over once it was answered");
  });
});

describe("the evidence", () => {
  it("is one file that holds offline, down to the passkeys", async () => {
    const { page } = cora;
    await page.goto(trace);
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("text=Take the evidence")]);
    assert.equal(download.suggestedFilename(), `bodh-evidence-${session}.html`);
    const file = join(stage.home, "evidence.html");
    await download.saveAs(file);
    const key = readFileSync(join(stage.state, "log/key"), "utf8").trim();
    const whole = JSON.parse(stage.bodh("audit", "verify", file, "--key", key, "--json"));
    assert.equal(whole.verified && whole.pinned, true);
    const signed = whole.signed.map((one) => [one.purpose, one.verdict, one.assurance, one.by.split("/").pop()]);
    assert.deepEqual(signed, [["decision", "approve", "webauthn", "ann"], ["review", "in_order", "webauthn", "cora"],
      ["review", "fault", "webauthn", "cora"]]);
    const text = readFileSync(file, "utf8");
    const changed = join(stage.home, "changed.html");
    writeFileSync(changed, text.replace("approved by", "declined by"));
    assert.throws(() => stage.bodh("audit", "verify", changed), /commitment/);
    // A page like any other: it opens from the disk, without script and without a server.
    const alone = await chromium.newContext({ offline: true });
    const read = await alone.newPage();
    const alerts = [];
    read.on("dialog", (dialog) => alerts.push(dialog.message()));
    await read.goto(`file://${file}`);
    assert.match(await read.innerText("main"), /This page alone proves nothing[\s\S]*Read to the end/);
    assert.deepEqual(await axe(read), []);
    assert.deepEqual(alerts, []);
    await alone.close();
  });

  it("is not for a clinician who did not convene the session", async () => {
    const cleo = await enter(stage, chromium, invite(stage, "cleo", "clinician"));
    for (const path of [`/record/${session}/evidence`, `/record/${session}`]) {
      assert.equal((await get(cleo, path)).status, 403, path);
    }
    assert.ok(tail().some(({ entry }) => entry.kind === "refusal" && entry.action === "export"));
    await cleo.context.close();
  });
});
