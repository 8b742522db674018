// What must not work, and that it fails for the right reason, in words, with nothing done.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { browser, demo } from "./stage.mjs";
import { ask, choose, cookie, decide, enter, get, inbox, invite, raw, submit, tab, told } from "./steps.mjs";

const MADE_UP = { authenticator_data: "AAAA", client_data: "e30", signature: "MEUCIQ" };

let stage;
let chromium;
let ann;
let ben;
let page;
let open; // addresses of questions that nobody has decided yet, each of another session with that one question

before(async () => {
  stage = await demo();
  chromium = await browser(stage.home);
  ann = await enter(stage, chromium, stage.link);
  ben = await enter(stage, chromium, invite(stage, "ben", "physician"));
  page = ann.page;
  const rows = (await inbox(page, stage.origin)).flatMap((tier) => tier.rows);
  open = rows.filter((row) => row.asks.length === 1).map((row) => row.review);
  assert.ok(open.length >= 4, "questions to try on");
});

after(async () => {
  await chromium?.close();
  await stage?.end();
});

// A decision leads on by itself: what it leads to may still be loading.
const show = async (on, path) => {
  await on.waitForLoadState("networkidle");
  await on.goto(`${stage.origin}${path}?show=1`);
};
const isOpen = async (path) => (await get(ann, `${path}?show=1`)).text.includes('id="decide"');
const token = async (who) => (await get(who, "/sessions")).text.match(/name="csrf" value="([^"]+)"/)[1];

/** A page of the console with this status, a heading and a sentence that has all of `words`. */
function refused(answer, status, ...words) {
  assert.equal(answer.status, status, answer.text.slice(0, 300));
  assert.match(answer.text, /<h1>/, `no page: ${answer.text.slice(0, 300)}`);
  for (const word of words) assert.ok(answer.text.includes(word), `"${word}" is not in ${answer.text.slice(-1500)}`);
}

/** How often a question was decided, in the log. */
function decisions(path) {
  const id = path.split("/").pop();
  const session = sessionOf.get(path);
  const entries = stage.bodh("audit", "show", session, "--state", stage.state);
  return (entries.match(new RegExp(`decision +decide +\\S+ +${id}\\b.*`, "g")) || []).length;
}
const sessionOf = new Map();
async function know(path) {
  const { text } = await get(ann, `${path}?show=1`);
  sessionOf.set(path, text.match(/\/sessions\/([0-9a-f]{32})/)[1]);
}

describe("a request that no page of ours made", () => {
  it("is refused with an empty token, a wrong one and another person's", async () => {
    const fields = { pseudonym: "Oak", budget: "1", case: "chest pain" };
    for (const csrf of [{ csrf: "" }, { csrf: "wrong" }, { csrf: await token(ben) }]) {
      refused(await submit(ann, "/sessions", { ...fields, ...csrf }), 403, "did not come from a page of this console", "Nothing was done.");
      refused(await submit(ann, `${open[0]}/own`, { own: "x", ...csrf }), 403, "did not come from a page of this console");
      refused(await submit(ann, "/sign-out", csrf), 403, "did not come from a page of this console");
    }
    assert.equal((await get(ann, "/inbox")).status, 200, "still signed in");
    assert.ok(!(await get(ann, "/sessions")).text.includes('class="chip'), "no session was begun");
    assert.ok(!(await get(ann, `${open[0]}`)).text.includes("You noted first"), "nothing was noted");
  });

  it("is refused without the token", async () => {
    for (const path of ["/sessions", `${open[0]}/own`, "/sign-out"]) {
      refused(await submit(ann, path, { own: "x", pseudonym: "Oak" }), 403, "did not come from a page of this console");
    }
    const headers = { origin: stage.origin, cookie: await cookie(ann), "content-type": "application/json", accept: "application/json" };
    const answer = await raw(stage, `${open[0]}/decide`, { method: "POST", headers, body: JSON.stringify({ handle: "AAAA", ...MADE_UP }) });
    assert.equal(answer.status, 403);
    assert.match(JSON.parse(answer.text).error, /did not come from a page/);
  });

  it("is refused from another origin, with the token and the cookie too", async () => {
    const fields = { csrf: await token(ann), pseudonym: "Oak", budget: "1", case: "chest pain" };
    for (const headers of [{ origin: "https://evil.example" }, { origin: "null" }, { origin: "http://localhost" },
      { "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" }, { host: "evil.example" }]) {
      refused(await submit(ann, "/sessions", fields, headers), 403, "did not come from a page of this console");
    }
    refused(await raw(stage, "/sign-in", { headers: { host: "evil.example" } }), 403);
    const without = { method: "POST", headers: { cookie: await cookie(ann), "content-type": "application/x-www-form-urlencoded" } };
    refused(await raw(stage, "/sessions", { ...without, body: new URLSearchParams(fields).toString() }), 403);
  });

  it("is refused when another site's page sends a form", async () => {
    const evil = await ann.context.newPage();
    await evil.setContent(`<form method="post" action="${stage.origin}/sign-out"><input name="csrf" value="x"><button>go</button></form>`);
    await evil.click("button");
    await evil.waitForSelector("h1");
    assert.match(await evil.innerText("main"), /The request did not come from a page of this console\. Nothing was done\./);
    await evil.close();
    assert.equal((await get(ann, "/inbox")).status, 200);
  });

  it("is refused with PUT, DELETE and the like", async () => {
    const headers = { cookie: await cookie(ann), origin: stage.origin, accept: "text/html" };
    for (const method of ["PUT", "DELETE", "PATCH", "OPTIONS"]) refused(await raw(stage, "/sessions", { method, headers }), 403);
  });

  it("is answered with a page, where a form's address is typed in", async () => {
    for (const path of ["/sign-out", "/enrol", `${open[0]}/own`, `${open[0]}/decide`]) {
      const answer = await get(ann, path);
      refused(answer, answer.status === 404 ? 404 : 405);
    }
  });

  it("is answered with a page that says that there is none", async () => {
    refused(await get(ann, "/nowhere"), 404, "There is no such page");
    refused(await get(ann, "/escalations/0000-1"), 404, "There is no such question");
    refused(await get(ann, `/sessions/${"0".repeat(32)}`), 404, "session");
  });

  it("is answered with a page, where an address is damaged", async () => {
    for (const path of ["/sessions/%ff", `${open[0]}?show=1&show=1`]) {
      const answer = await get(ann, path);
      refused(answer, answer.status === 404 ? 404 : 400);
      assert.ok(!/deserialize|UTF-8/.test(answer.text), answer.text);
    }
  });
});

describe("a decision", () => {
  it("needs a ceremony that has begun: a made-up handle is gone", async () => {
    await show(page, open[0]);
    const answer = await ask(page, `${open[0]}/decide`, { handle: "AAAA", ...MADE_UP });
    assert.equal(answer.status, 410);
    assert.match(answer.error, /ran out|Try again/);
  });

  it("needs a passkey: a made-up signature is refused, and the question stays open", async () => {
    await show(page, open[0]);
    await choose(page);
    const { handle } = await ask(page, `${open[0]}/options`);
    const answer = await ask(page, `${open[0]}/decide`, { handle, ...MADE_UP });
    assert.ok([400, 403].includes(answer.status), JSON.stringify(answer));
    assert.ok(answer.error.length > 20, answer.error);
    assert.ok(await isOpen(open[0]));
    assert.equal((await ask(page, `${open[0]}/decide`, { handle, ...MADE_UP })).status, 410, "the handle is used up");
  });

  it("needs a verdict, a code and words", async () => {
    await show(page, open[0]);
    await page.$eval("#decide", (form) => (form.noValidate = true));
    const say = async () => {
      await page.click("#decide button.primary");
      return told(page, "decide");
    };
    assert.match(await say(), /Choose what you decide\./);
    await page.check("input[value=deny]");
    assert.match(await say(), /Choose a reason\./);
    await page.selectOption("#code", "preferences");
    await page.fill("#reason", "  ");
    assert.match(await say(), /in your own words/);
    await page.$eval("#reason", (field) => (field.value = "ä".repeat(2001)));
    assert.match(await say(), /at most 4,000 bytes/);
    assert.equal((await page.inputValue("#reason")).length, 2001, "what was typed is still there");
    assert.ok(await page.isChecked("input[value=deny]"));
  });

  it("is of one record: its signature decides no other, is used once, and is ann's alone", async () => {
    const [one, other] = open;
    await show(page, one);
    let taken;
    await page.route("**/decide", (route) => {
      taken = route.request().postDataJSON();
      return route.abort();
    });
    await choose(page);
    await page.click("#decide button.primary");
    assert.match(await told(page, "decide"), /Load this page again to see whether it was taken/);
    await page.unroute("**/decide");
    assert.ok(taken.signature.length > 20, "a real signature");
    const { handle, ...proof } = taken;
    await show(page, other);
    await choose(page);
    const { handle: another } = await ask(page, `${other}/options`);
    const swapped = await ask(page, `${other}/decide`, { handle: another, ...proof });
    assert.equal(swapped.status, 403, JSON.stringify(swapped));
    assert.match(swapped.error, /signature|signed/);
    assert.ok(await isOpen(other));
    // Sent by ben, to the right address: it is not his ceremony. That used it up.
    await show(ben.page, one);
    assert.equal((await ask(ben.page, `${one}/decide`, { handle, ...proof })).status, 403);
    await show(page, one);
    assert.equal((await ask(page, `${one}/decide`, { handle, ...proof })).status, 410);
    assert.ok(await isOpen(one));
  });

  it("is taken once: the same sent again is gone", async () => {
    const [one] = open;
    await know(one);
    await show(page, one);
    let sent;
    page.on("request", (request) => request.url().endsWith("/decide") && (sent = request.postDataJSON()));
    await decide(page);
    const headers = { "x-bodh-csrf": await token(ann), "content-type": "application/json", accept: "application/json",
      origin: stage.origin, cookie: await cookie(ann) };
    const again = await raw(stage, `${one}/decide`, { method: "POST", headers, body: JSON.stringify(sent) });
    assert.equal(again.status, 410, again.text);
    assert.equal(decisions(one), 1);
    open.shift();
  });

  it("made in one tab is not made again in another", async () => {
    const path = open.shift();
    await know(path);
    const other = await tab(ann);
    await show(page, path);
    await show(other, path);
    await decide(page, { verdict: "approve" });
    await choose(other, { verdict: "deny", code: "not_feasible", reason: "Kept words." });
    await other.click("#decide button.primary");
    assert.match(await told(other, "decide"), /This escalation is decided already\. Nothing was done\./);
    assert.equal(await other.inputValue("#reason"), "Kept words.");
    await other.reload();
    assert.match(await other.innerText("#decision"), /^Decided[\s\S]*approved/);
    await other.close();
    assert.equal(decisions(path), 1);
  });

  it("of two physicians at once is one", async () => {
    const path = open.shift();
    await know(path);
    await Promise.all([ann, ben].map(async (who) => {
      await show(who.page, path);
      await choose(who.page, { reason: "At once." });
    }));
    const answers = await Promise.all([ann, ben].map(async (who) => {
      const answer = who.page.waitForResponse((response) => response.url().endsWith("/decide"));
      await who.page.click("#decide button.primary");
      return (await answer).status();
    }));
    assert.deepEqual(answers.toSorted(), [200, 409]);
    assert.equal(decisions(path), 1);
    const winner = ["ann", "ben"][answers.indexOf(200)];
    assert.match((await get(ann, path)).text, new RegExp(`<p><b>${winner}</b>`));
  });

  it("is not made by a key that nobody unlocked", async () => {
    const path = open.shift();
    await show(page, path);
    await choose(page);
    const { cdp, authenticatorId } = ann;
    await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
    await page.click("#decide button.primary");
    const said = await told(page, "decide");
    await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
    assert.match(said, /You can try again\./);
    assert.ok(await isOpen(path));
    assert.equal(await page.inputValue("#reason"), "Seen at the bedside.");
    await decide(page);
  });

  it("is not ann's on a session that she asked for", async () => {
    const fields = { csrf: await token(ann), pseudonym: "Oak", budget: "50", case: "A man of 63 years with chest pain and cough." };
    const { status, headers } = await submit(ann, "/sessions", fields);
    assert.equal(status, 303);
    await page.goto(stage.origin + headers.location);
    await page.waitForFunction(() => document.querySelector(".banner h2").textContent === "Waiting for a physician");
    assert.equal(await page.locator(".banner a.btn").count(), 0);
    const rows = (await inbox(page, stage.origin)).flatMap((tier) => tier.rows);
    const own = rows.find((row) => row.session.replace(" ", "") === headers.location.slice(10, 18));
    assert.match(await page.innerText("li.ask.own"), /You asked for this: another physician decides\./);
    assert.ok(!(await get(ann, `${own.review}?show=1`)).text.includes('id="decide"'), "the form is offered to her, who may not use it");
  });

  it("is shown to whoever asked for it where the inbox offers that: View leads to no refusal", async () => {
    await inbox(page, stage.origin);
    const view = await page.getAttribute("li.ask.own a.btn", "href");
    assert.equal((await get(ann, view)).status, 200);
  });
});
