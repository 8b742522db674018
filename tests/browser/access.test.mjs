// Who gets in, what each may open, what a sign-in leaves behind, and what every answer tells the browser.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { browser, demo, person } from "./stage.mjs";
import { choose, convene, cookie, enter, get, inbox, invite, raw, rested, signIn, submit, tab, told } from "./steps.mjs";

const HEADERS = {
  "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  "strict-transport-security": "max-age=31536000",
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), microphone=()",
};

let stage;
let chromium;
let ann;
let cleo;
let question; // the path of an escalation
let session; // and of its session

before(async () => {
  stage = await demo();
  chromium = await browser(stage.home);
  ann = await enter(stage, chromium, stage.link);
  cleo = await enter(stage, chromium, invite(stage, "cleo", "clinician"));
  question = (await inbox(ann.page, stage.origin))[0].rows[0].review;
  session = (await get(ann, question)).text.match(/\/sessions\/[0-9a-f]{32}/)[0];
});

after(async () => {
  await chromium?.close();
  await stage?.end();
});

describe("an enrolment link", () => {
  it("works once", async () => {
    const link = invite(stage, "ben", "physician");
    const ben = await enter(stage, chromium, link);
    await ben.context.close();
    const eve = await person(chromium);
    await eve.page.goto(link);
    await eve.page.click("#enrol button");
    const said = await told(eve.page, "enrol");
    assert.match(said, /did not accept it: .*(used|enrolled|already)/i, said);
    await eve.context.close();
    assert.equal(stage.bodh("human", "list", "--state", stage.state).match(/^\s*ben\b/gm).length, 1);
  });

  it("that is broken, changed or cut off says so", async () => {
    const link = invite(stage, "dan", "physician");
    const eve = await person(chromium);
    for (const broken of [`${stage.origin}/enrol/abc`, link.slice(0, -9), link.replace(/\.[^.]+$/, "")]) {
      const answer = await eve.page.goto(broken);
      const said = await eve.page.innerText("main");
      if (answer.status() === 400) assert.match(said, /This link does not work\s+It is not whole\. Copy it again/);
      else {
        // Whether its signature holds is for the guardian to say.
        await eve.page.click("#enrol button");
        assert.match(await told(eve.page, "enrol"), /did not accept it/);
      }
    }
    // Another name or role under the operator's signature.
    const [, signed, signature] = link.match(/enrol\/([^.]+)\.(.+)$/);
    const forged = Buffer.from(Buffer.from(signed, "base64url").toString().replace('"physician"', '"operator"')).toString("base64url");
    await eve.page.goto(`${stage.origin}/enrol/${forged}.${signature}`);
    await eve.page.click("#enrol button");
    assert.match(await told(eve.page, "enrol"), /did not accept it/);
    await eve.context.close();
    assert.ok(!/^\s*dan\b/m.test(stage.bodh("human", "list", "--state", stage.state)), "nobody was enrolled");
  });

  it("needs a key that its owner unlocks", async () => {
    const dan = await person(chromium);
    await dan.cdp.send("WebAuthn.setUserVerified", { authenticatorId: dan.authenticatorId, isUserVerified: false });
    await dan.page.goto(invite(stage, "dan", "physician"));
    await dan.page.click("#enrol button");
    assert.match(await told(dan.page, "enrol"), /You can try again\./);
    await dan.cdp.send("WebAuthn.setUserVerified", { authenticatorId: dan.authenticatorId, isUserVerified: true });
    await dan.page.click("#enrol button");
    await dan.page.waitForURL(/\/sign-in$/);
    await signIn(dan.page);
    assert.equal(new URL(dan.page.url()).pathname, "/inbox");
    await dan.context.close();
  });
});

describe("a sign-in", () => {
  it("is needed, and leads back to the page that was wanted", async () => {
    const dora = await enter(stage, chromium, invite(stage, "dora", "physician"));
    for (const kept of [undefined, "__Host-bodh=made-up", "__Host-bodh="]) {
      const headers = { accept: "text/html", ...(kept && { cookie: kept }) };
      for (const path of ["/", "/sessions", "/inbox", session, `${session}/report`, question]) {
        const answer = await raw(stage, path, { headers });
        assert.equal(answer.status, 303, path);
        assert.match(answer.headers.location, /^\/sign-in\?next=/);
        assert.equal(answer.text, "");
      }
      const script = await raw(stage, `${session}/events`, { headers: { ...headers, accept: "text/event-stream" } });
      assert.equal(script.status, 401);
    }
    await dora.context.clearCookies();
    await dora.page.goto(`${stage.origin}${question}?show=1`);
    assert.equal(new URL(dora.page.url()).pathname, "/sign-in");
    await signIn(dora.page);
    assert.equal(dora.page.url(), `${stage.origin}${question}?show=1`);
    await dora.context.clearCookies();
    const elsewhere = Buffer.from("//evil.example/x").toString("base64url");
    await dora.page.goto(`${stage.origin}/sign-in?next=${elsewhere}`);
    await signIn(dora.page);
    assert.equal(new URL(dora.page.url()).origin, stage.origin);
    await dora.context.close();
  });

  it("that has ended while a form was open says that nothing was sent, and how to go on", async () => {
    const answer = await raw(stage, "/sessions", { method: "POST", body: "csrf=x", headers: { accept: "text/html",
      origin: stage.origin, "content-type": "application/x-www-form-urlencoded" } });
    assert.equal(answer.status, 401);
    assert.match(answer.text, /You are signed out[\s\S]*Nothing was sent and nothing was decided\.[\s\S]*href="\/sign-in"/);
  });

  it("that ended leaves what a physician chose on the page, and says how to go on", async () => {
    const { page, context } = await enter(stage, chromium, invite(stage, "eli", "physician"));
    await page.goto(`${stage.origin}${question}?show=1`);
    await choose(page, { reason: "Kept." });
    await context.clearCookies();
    await page.click("#decide button.primary");
    const said = await told(page, "decide");
    assert.equal(await page.inputValue("#reason"), "Kept.");
    await context.close();
    assert.match(said, /signed out|[Ss]ign in again/);
  });

  it("that was renewed in another tab goes on in this one, or says how", async () => {
    const gus = await enter(stage, chromium, invite(stage, "gus", "physician"));
    await gus.page.goto(`${stage.origin}${question}?show=1`);
    await choose(gus.page);
    const other = await tab(gus);
    await other.goto(`${stage.origin}/sign-in`);
    await signIn(other);
    await gus.page.click("#decide button.primary");
    const went = gus.page.waitForURL(/\/sessions\//).then(() => "", () => "");
    const said = await Promise.race([went, told(gus.page, "decide").catch(() => "")]);
    await gus.context.close();
    assert.ok(said === "" || /[Ll]oad|[Oo]pen it again|[Ss]ign in/.test(said), said);
  });

  it("needs a passkey that is known here", async () => {
    const eve = await person(chromium);
    await eve.page.goto(`${stage.origin}/sign-in`);
    await eve.page.click("#sign-in button");
    assert.ok((await told(eve.page, "sign-in")).length > 20);
    const { isResidentCredential, privateKey, rpId } = (await ann.cdp.send("WebAuthn.getCredentials",
      { authenticatorId: ann.authenticatorId })).credentials[0];
    assert.ok(isResidentCredential && rpId === "localhost" && privateKey);
    // A key of eve's own in ann's name.
    const { privateKey: hers } = (await cleo.cdp.send("WebAuthn.getCredentials", { authenticatorId: cleo.authenticatorId })).credentials[0];
    await eve.cdp.send("WebAuthn.addCredential", { authenticatorId: eve.authenticatorId, credential: {
      credentialId: Buffer.from("eve").toString("base64"), isResidentCredential: true, rpId: "localhost", privateKey: hers,
      userHandle: Buffer.from("ann").toString("base64"), signCount: 1 } });
    await eve.page.click("#sign-in button");
    await eve.page.waitForFunction(() => /passkey is not known here/.test(document.querySelector("#sign-in [role=alert]").textContent));
    assert.equal((await eve.context.cookies()).length, 0);
    await eve.context.close();
  });

  it("is kept in a cookie that no script reads and no other site gets", async () => {
    const [one, ...more] = await ann.context.cookies();
    assert.equal(more.length, 0);
    const { name, secure, httpOnly, sameSite, path, domain, expires } = one;
    assert.deepEqual({ name, secure, httpOnly, sameSite, path, domain },
      { name: "__Host-bodh", secure: true, httpOnly: true, sameSite: "Strict", path: "/", domain: "localhost" });
    assert.ok(expires - Date.now() / 1000 <= 900, "a quarter of an hour at most");
    assert.equal(await ann.page.evaluate(() => document.cookie + Object.keys(localStorage) + Object.keys(sessionStorage)), "");
  });

  it("ends with the sign-out: the way back shows nothing", async () => {
    const fay = await enter(stage, chromium, invite(stage, "fay", "physician"));
    await fay.page.goto(stage.origin + session);
    const before = await cookie(fay);
    await fay.page.click("text=Sign out");
    await fay.page.waitForURL(/\/sign-in/);
    assert.equal((await fay.context.cookies()).length, 0);
    await fay.page.goBack();
    await fay.page.waitForURL(/\/sign-in/);
    assert.equal(await fay.page.innerText("h1"), "Sign in to Bodh");
    assert.equal(await fay.page.locator("#live").count(), 0);
    const again = await raw(stage, "/inbox", { headers: { accept: "text/html", cookie: before } });
    assert.equal(again.status, 303, "the old cookie is worth nothing");
    await fay.context.close();
  });
});

describe("a clinician who is no physician", () => {
  it("opens her own sessions", async () => {
    assert.equal(await convene(cleo.page, stage.origin, { pseudonym: "Elm 1", note: "A man of 40 years with cough and fever." }), 303);
    await rested(cleo.page);
    assert.equal(await cleo.page.innerText("h1"), "Elm 1");
    const nav = await cleo.page.$$eval("nav[aria-label=Main] a", (links) => links.map((link) => link.getAttribute("href")));
    assert.ok(nav.includes("/sessions") && !nav.includes("/inbox"), `${nav}`);
    for (const path of nav) assert.equal((await get(cleo, path)).status, 200, path);
  });

  it("opens neither another's session, nor its report, nor a question", async () => {
    for (const path of [session, `${session}?part=live`, `${session}/report`, question, `${question}?show=1`]) {
      const { status, text } = await get(cleo, path);
      assert.equal(status, 403, path);
      assert.match(text, /<h1>[\s\S]*Refused<\/h1>\s*<p>This is not for you, and the refusal is in the log\./, path);
      assert.ok(!/Cedar|Leading|HP:\d/.test(text), `${path} shows something of the case`);
    }
    assert.equal((await get(cleo, `${session}/events`)).status, 403);
  });

  it("reads why in words of people and not of programs", async () => {
    for (const path of [session, question]) {
      const [said] = (await get(cleo, path)).text.match(/<p>This is not for you[^<]*/);
      assert.ok(!/[a-z]_[a-z]|::|spiffe|grpc|cedar/i.test(said), said);
    }
  });

  it("sees of the inbox what her own sessions wait for, and no way to decide", async () => {
    const { status, text } = await get(cleo, "/inbox");
    assert.equal(status, 200);
    assert.ok(!/href="\/escalations\//.test(text), "a link to a question");
    assert.ok(!/asked by local/.test(text), "another's session");
  });

  it("opens no page of the record", async () => {
    for (const path of ["/record", session.replace("/sessions/", "/record/"), `${session.replace("/sessions/", "/record/")}/access`]) {
      const { status, text } = await get(cleo, path);
      assert.equal(status, 403, path);
      assert.match(text, /the refusal is in the log/, path);
    }
  });

  it("changes nothing there either", async () => {
    const csrf = (await get(cleo, "/sessions")).text.match(/name="csrf" value="([^"]+)"/)[1];
    assert.equal((await submit(cleo, `${session}/stop`, { csrf })).status, 403);
    const options = await submit(cleo, `${question}/options`, { record: "x" }, { "x-bodh-csrf": csrf, accept: "application/json" });
    assert.ok([403, 409].includes(options.status), options.text);
    assert.match((await get(ann, session)).text, /Waiting for a physician/);
  });
});

describe("every answer", () => {
  it("carries the headers, and no script, style or handler of its own", async () => {
    const known = { cookie: await cookie(ann), accept: "text/html" };
    const answers = {};
    for (const path of ["/sessions", "/inbox", session, `${session}?part=live`, `${session}/report`, question, `${question}?show=1`,
      "/nowhere", "/", "/assets/0/x.css", "/sessions/%ff", "/sign-out", `/sessions/${"0".repeat(32)}`]) {
      answers[path] = await raw(stage, path, { headers: known });
    }
    for (const path of ["/sign-in", new URL(stage.link).pathname, "/enrol/broken", "/inbox"]) {
      answers[`${path}, signed out`] = await raw(stage, path, { headers: { accept: "text/html" } });
    }
    answers["another's"] = await get(cleo, session);
    answers["cross-site"] = await raw(stage, "/sessions", { method: "POST", headers: known });
    answers.PUT = await raw(stage, "/sessions", { method: "PUT", headers: { ...known, origin: stage.origin } });
    for (const [path, { headers, text }] of Object.entries(answers)) {
      for (const [name, value] of Object.entries(HEADERS)) assert.equal(headers[name], value, `${name} of ${path}`);
      assert.equal(headers["cache-control"], "no-store", path);
      assert.ok(!headers.server && !headers["x-powered-by"], path);
      assert.ok(!/<script(?![^>]* src="\/assets\/)|<style|\sstyle="|\son[a-z]+="|javascript:/i.test(text), `inline in ${path}`);
    }
    const assets = [...answers[session].text.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map((match) => match[1]);
    assert.ok(assets.length >= 3);
    for (const path of assets) {
      const { status, headers } = await raw(stage, path);
      assert.equal(status, 200);
      assert.equal(headers["cache-control"], "public, max-age=31536000, immutable");
      for (const [name, value] of Object.entries(HEADERS)) assert.equal(headers[name], value, `${name} of ${path}`);
    }
  });

  it("was shown without one complaint of the browser", () => assert.deepEqual([...ann.complaints, ...cleo.complaints], []));
});
