// Far over the budget two different physicians approve the same record; and whoever convened the session hears of decisions.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { axe, browser, demo, weight } from "./stage.mjs";
import { choose, convene, decide, enter, get, invite, rested, submit } from "./steps.mjs";

const NOTE = "A 17-year-old boy is tall, with long arms, dislocated lenses, a heart murmur, scoliosis and flat feet. No rash.";

let stage;
let chromium;
let ann; // convenes
let bea; // asks for a dear test
let cy; // the first to approve
let dan; // the second
let at; // the session's page
let far; // the question that takes two

const text = (page, selector = "main") => page.innerText(selector);
const decision = (who) => text(who.page, "#decision");

/** The address of an open question of this kind on the session's page. */
async function question(page, kind) {
  await page.goto(at);
  const row = page.locator(".asks li", { hasText: kind }).filter({ hasNotText: /approved|denied|lapsed|asked for/ }).last();
  return row.locator("a").getAttribute("href");
}

before(async () => {
  stage = await demo();
  chromium = await browser(stage.home);
  ann = await enter(stage, chromium, stage.link);
  bea = await enter(stage, chromium, invite(stage, "bea", "physician"));
  cy = await enter(stage, chromium, invite(stage, "cy", "physician"));
  dan = await enter(stage, chromium, invite(stage, "dan", "physician"));
  assert.equal(await convene(ann.page, stage.origin, { pseudonym: "Fir 2", budget: "1", note: NOTE, sequential: true }), 303);
  at = ann.page.url();
  assert.equal(await rested(ann.page), "Waiting for a physician");
});

after(async () => {
  await chromium?.close();
  await stage?.end();
});

describe("a test far over the budget", () => {
  it("is asked for by a physician, who cannot approve it herself", async () => {
    const href = await question(bea.page, "Over the budget");
    await bea.page.goto(`${stage.origin}${href}?show=1`);
    await bea.page.check("input[value=ask]");
    await bea.page.selectOption("#asked", "biopsy_brain");
    await decide(bea.page, { verdict: "ask", code: "suboptimal_context", reason: "Nothing else would tell." });
    assert.equal(await rested(bea.page), "Waiting for a physician");
    far = await question(bea.page, "Far over the budget");
    await bea.page.goto(`${stage.origin}${far}?show=1`);
    await choose(bea.page);
    await bea.page.click("#decide button.primary");
    await bea.page.waitForFunction(() => document.querySelector("#decide [role=alert]").textContent);
    await bea.page.goto(at);
    assert.match(await text(bea.page, ".money"), /\$0\.00 so far/);
  });

  it("says before the signature that it takes two, and after the first that it was one of two", async () => {
    await cy.page.goto(`${stage.origin}${far}?show=1`);
    assert.match(await decision(cy), /two different people have approved exactly this record\. An approval now is the first of two/);
    assert.deepEqual(await axe(cy.page), []);
    await decide(cy.page, { reason: "It would settle it." });
    assert.equal(await rested(cy.page), "Waiting for a physician");
    await cy.page.goto(at);
    assert.match(await text(cy.page, ".money"), /\$0\.00 so far/);
    await cy.page.goto(`${stage.origin}${far}?show=1`);
    assert.match(await decision(cy), /^One of two[\s\S]*another physician/);
    assert.equal(await cy.page.locator("#decide").count(), 0);
    await cy.page.goto(`${stage.origin}/inbox`);
    assert.match(await text(cy.page), /one of two approved/);
    assert.deepEqual(await axe(cy.page), []);
  });

  it("refuses the same person again, in the log by the policy's name", async () => {
    const csrf = await cy.page.inputValue("header [name=csrf]");
    await dan.page.goto(`${stage.origin}${far}?show=1`);
    const fields = { record: await dan.page.inputValue("#decide [name=record]"), verdict: "approve", code: "agrees", reason: "again" };
    const headers = { "x-bodh-csrf": csrf, accept: "application/json" };
    const asked = await submit(cy, `${far}/options`, fields, headers);
    assert.equal(asked.status, 200, "the page would have to be forged to get here");
    const touched = await cy.page.evaluate(async ({ asked, far, csrf }) => {
      const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
      const plain = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
        .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
      const made = await navigator.credentials.get({ publicKey: { challenge: bytes(asked.challenge), rpId: asked.rp_id,
        userVerification: "required", allowCredentials: asked.credentials.map((id) => ({ type: "public-key", id: bytes(id) })) } });
      const { authenticatorData, clientDataJSON, signature } = made.response;
      const body = JSON.stringify({ handle: asked.handle, authenticator_data: plain(authenticatorData),
        client_data: plain(clientDataJSON), signature: plain(signature) });
      const answer = await fetch(`${far}/decide`, { method: "POST", body,
        headers: { "X-Bodh-Csrf": csrf, Accept: "application/json", "Content-Type": "application/json" } });
      return { status: answer.status, said: await answer.text() };
    }, { asked: JSON.parse(asked.text), far, csrf });
    assert.equal(touched.status, 403, touched.said);
    await dan.page.goto(`${stage.origin}${far}?show=1`);
    assert.match(await decision(dan), /cy has approved: an approval now is the second/);
  });

  it("is ordered once another physician has approved the same record, and the other limit is lifted", async () => {
    await decide(dan.page, { reason: "Agreed." });
    const dear = await question(dan.page, "An expensive test");
    await dan.page.goto(`${stage.origin}${dear}?show=1`);
    await decide(dan.page, { reason: "Agreed as well." });
    await rested(dan.page);
    await dan.page.goto(at);
    assert.match(await text(dan.page, ".money"), /\$3,?000\.00 so far/);
    assert.match(await dan.page.locator(".orders tr", { hasText: /biopsy/i }).first().innerText(), /asked for by bea[\s\S]*done/);
  });
});

describe("whoever convened the session", () => {
  it("sees who decided what and when, on the pages they begin on, until they open it", async () => {
    const { page } = ann;
    for (const path of ["/sessions", "/inbox"]) {
      await page.goto(stage.origin + path);
      const news = await text(page, ".news");
      assert.match(news, /Far over the budget\s+approved\s+by dan, \d+ \w+ \d{4}, \d\d:\d\d UTC/);
      assert.match(news, /Over the budget\s+something else asked for\s+by bea/);
      assert.deepEqual(await axe(page), [], path);
      const bytes = await weight(page, stage.origin + path);
      assert.ok(bytes <= 100_000, `${path}: ${bytes} bytes`);
    }
    await page.click(".news a");
    await page.waitForURL(at);
    for (const path of ["/sessions", "/inbox"]) {
      await page.goto(stage.origin + path);
      assert.equal(await page.locator(".news").count(), 0, path);
    }
  });

  it("is told of nobody else's sessions", async () => {
    const kim = await enter(stage, chromium, invite(stage, "kim", "clinician"));
    assert.equal(await kim.page.locator(".news").count(), 0);
    assert.equal((await get(kim, new URL(at).pathname)).status, 403);
  });

  it("was refused nothing by the pages' own rules", () => {
    for (const who of [ann, bea, cy, dan]) assert.deepEqual(who.complaints, []);
  });
});
