// A physician asks for something else instead of deciding; whoever convened the session answers, and the panel goes on.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { axe, browser, demo, weight } from "./stage.mjs";
import { choose, convene, decide, enter, inbox, invite, rested, submit } from "./steps.mjs";

const NOTE = "A 34-year-old woman has a productive cough, chest pain and a high fever. She has tachycardia. No rash.";
const WORDS = `What did the X-ray of 2019 show? <script>window.hacked = 1</script> 😀`;

let stage;
let chromium;
let ann; // the demo's first person: clinician and physician
let bea; // the physician who asks
let at; // the session's page

const text = (page, selector = "main") => page.innerText(selector);

/** Ann's session that waits for a physician: the first of these notes that does. */
async function waiting() {
  for (const note of [NOTE, "A 17-year-old boy is tall, with long arms, dislocated lenses and a heart murmur."]) {
    await convene(ann.page, stage.origin, { pseudonym: "Ash 7", note });
    at = ann.page.url();
    if ((await rested(ann.page)) === "Waiting for a physician") return;
  }
  assert.fail("no session waits");
}

async function question() {
  await bea.page.goto(at);
  const href = await bea.page.locator(".asks a").last().getAttribute("href");
  await bea.page.goto(`${stage.origin}${href}?show=1`);
  return href;
}

before(async () => {
  stage = await demo();
  chromium = await browser(stage.home);
  ann = await enter(stage, chromium, stage.link);
  bea = await enter(stage, chromium, invite(stage, "bea", "physician"));
  await waiting();
});

after(async () => {
  await chromium?.close();
  await stage?.end();
});

describe("a physician", () => {
  it("chooses from the packs' tests and questions only where she asks for something else", async () => {
    await question();
    const { page } = bea;
    assert.equal(await page.isVisible("#asked"), false);
    await choose(page, { verdict: "ask", code: "suboptimal_context", reason: WORDS });
    assert.equal(await page.isVisible("#asked"), true);
    const groups = await page.$$eval("#asked optgroup", (all) => all.map((one) => [one.label, one.children.length]));
    assert.deepEqual(groups.map(([label]) => label), ["Would tell most next", "Questions", "Tests"]);
    assert.ok(groups.every(([, count]) => count > 0) && groups[2][1] > 100, `${groups}`);
    assert.deepEqual(await axe(page), []);
    const bytes = await weight(page, page.url());
    assert.ok(bytes <= 100_000, `${bytes} bytes`);
  });

  it("is refused what the packs do not know, and what she did not choose", async () => {
    const href = await question();
    const { page } = bea;
    const fields = { record: await page.inputValue("#decide [name=record]"), verdict: "ask",
      code: "suboptimal_context", reason: "r" };
    const csrf = await page.inputValue("#decide [name=csrf]");
    for (const asked of ["Chest CT", "../x", "x".repeat(200)]) {
      const answer = await submit(bea, `${href}/options`, { ...fields, asked }, { "x-bodh-csrf": csrf, accept: "application/json" });
      assert.equal(answer.status, 400, answer.text);
    }
    // A test that there is not is refused by the orchestrator, after the touch: nothing is decided.
    await choose(page, { verdict: "ask", code: "suboptimal_context", reason: "r" });
    await page.$eval("#asked", (list) => {
      list.add(new Option("Nothing", "never_heard_of"));
      list.value = "never_heard_of";
    });
    await page.click("#decide button.primary");
    await page.waitForFunction(() => /no such test/i.test(document.querySelector("#decide [role=alert]").textContent));
    await page.reload();
    assert.equal(await page.locator("#decide").count(), 1, "the question is still open");
  });

  it("asks with her passkey over exactly the record shown, and nothing is approved", async () => {
    const href = await question();
    const { page } = bea;
    await choose(page, { verdict: "ask", code: "suboptimal_context", reason: WORDS });
    await page.click("#decide button.primary");
    await page.waitForURL(/\/sessions\/[0-9a-f]{32}$/);
    assert.equal(await rested(page), "Waiting for an answer");
    await page.goto(`${stage.origin}${href}`);
    assert.match(await text(page, "#decision"), /Decided[\s\S]*something else asked for[\s\S]*bea/);
    await page.goto(`${at}/report`);
    assert.match(await text(page), /NOT RELEASED/);
    const session = new URL(at).pathname.split("/").pop().slice(0, 16);
    const waiting = (await inbox(page, stage.origin)).flatMap((tier) => tier.rows).flatMap((row) => row.asks);
    assert.ok(!waiting.some((asked) => asked.href.includes(session)), "no question of it waits");
  });
});

describe("who convened the session", () => {
  it("reads who asks for what, in words that stay words, and answers", async () => {
    const { page } = ann;
    await page.goto(at);
    const asked = await text(page, ".asked");
    assert.ok(asked.includes("bea asks for: an answer.") && asked.includes(WORDS), asked);
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    assert.deepEqual(await axe(page), []);
    await page.fill("#learned-text", "She has a high fever and a productive cough. She has splenomegaly.");
    await page.click("#learned button");
    await page.waitForFunction(() => !/asks for/.test(document.querySelector(".asked")?.textContent ?? "asks for"));
    await rested(page);
    await page.goto(at);
    assert.match(await text(page, ".asked"), /bea asked for/);
  });

  it("is asked for a test by its name, which is a proposal until they enter what it showed", async () => {
    if (!(await text(ann.page)).includes("Waiting for a physician")) await waiting();
    await question();
    await bea.page.check("input[value=ask]");
    await bea.page.selectOption("#asked", "hx_fever");
    await decide(bea.page, { verdict: "ask", code: "suboptimal_context", reason: "Since when?" });
    assert.equal(await rested(bea.page), "Waiting for an answer");
    const { page } = ann;
    await page.goto(at);
    assert.match(await text(page, ".banner"), /bea asked for: History of fevers/);
    const order = page.locator(".orders tr", { hasText: "History of fevers" }).first();
    assert.match(await order.innerText(), /asked for by bea[\s\S]*proposed/);
    assert.match(await text(page, ".money"), /\$0\.00 so far/);
    assert.equal(await page.locator('#learned-about option[value="hx_fever"]').count(), 1);
  });

  it("finds the verdict on record", async () => {
    const cleo = await enter(stage, chromium, invite(stage, "cleo", "compliance"));
    await cleo.page.goto(`${stage.origin}/record/${new URL(at).pathname.split("/").pop()}`);
    const said = await text(cleo.page);
    assert.ok(said.includes("ask") && !said.includes("Since when?"), "the verdict and not the words");
  });

  it("was refused nothing by the pages' own rules", () => {
    for (const who of [ann, bea]) assert.deepEqual(who.complaints, []);
  });
});
