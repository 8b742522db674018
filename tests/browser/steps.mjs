// What people do on the pages, in one line each; and requests that no page would make.
import { request } from "node:https";
import { person } from "./stage.mjs";

/** Enrols with `link` and signs in: a person at the page they begin on. */
export async function enter(stage, browser, link, options) {
  const who = await person(browser, options);
  await enrol(who.page, link);
  await signIn(who.page);
  return { ...who, stage };
}

/** From an enrolment link to the sign-in page. */
export async function enrol(page, link) {
  await page.goto(link);
  await page.click("#enrol button");
  await page.waitForURL(/\/sign-in$/);
}

/** From the sign-in page to wherever it leads. */
export async function signIn(page) {
  await page.click("#sign-in button");
  await page.waitForURL((url) => url.pathname !== "/sign-in");
}

/** An invitation by the operator: its link. */
export function invite(stage, name, ...roles) {
  const wanted = roles.flatMap((role) => ["--role", role]);
  return stage.bodh("human", "invite", name, ...wanted, "--state", stage.state).trim();
}

/** One more tab of the same person, in which the same passkey can be touched. */
export async function tab(who) {
  const page = await who.context.newPage();
  const cdp = await who.context.newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true,
      isUserVerified: true, automaticPresenceSimulation: true },
  });
  const { credentials } = await who.cdp.send("WebAuthn.getCredentials", { authenticatorId: who.authenticatorId });
  for (const credential of credentials) await cdp.send("WebAuthn.addCredential", { authenticatorId, credential });
  return page;
}

/** The inbox: its tiers, and in each the sessions with the address and the kind of every question. */
export async function inbox(page, origin) {
  await page.goto(`${origin}/inbox`);
  return page.$$eval("main section.tier", (tiers) => tiers.map((tier) => ({
    name: tier.querySelector("h2").textContent.trim(),
    rows: [...tier.querySelectorAll("li.ask")].map((row) => ({
      session: row.querySelector(".mono").textContent,
      review: row.querySelector("a.btn").getAttribute("href"),
      asks: [...row.querySelectorAll(".ask-what ul a")].map((a) => ({ kind: a.textContent, href: a.getAttribute("href") })),
    })),
  })));
}

/** Fills in the decision form of an escalation that is shown. */
export async function choose(page, { verdict = "approve", code = "agrees", reason = "Seen at the bedside." } = {}) {
  await page.check(`input[name=verdict][value=${verdict}]`);
  await page.selectOption("#code", code);
  await page.fill("#reason", reason);
}

/** Decides with the passkey and waits for the session's page. */
export async function decide(page, chosen) {
  await choose(page, chosen);
  await page.click("#decide button.primary");
  await page.waitForURL(/\/sessions\/[0-9a-f]{32}$/);
}

/** The sentence that a form says when something went wrong. */
export async function told(page, form) {
  const said = await page.waitForFunction((id) => document.querySelector(`#${id} [role=alert]`).textContent, form);
  return said.jsonValue();
}

/** Waits until the panel is not at work on the session that is shown; where it stands then. */
export async function rested(page) {
  await page.waitForFunction(() => {
    const state = document.querySelector("#live .banner h2");
    return state && state.textContent !== "At work";
  });
  return page.innerText("#live .banner h2");
}

/** Begins a session with the form on the sessions page; waits for the answer. */
export async function convene(page, origin, { pseudonym = "Oak 1", budget, note, sequential = false }) {
  await page.goto(`${origin}/sessions`);
  await page.fill("#pseudonym", pseudonym);
  if (budget !== undefined) await page.fill("#budget", budget);
  // Set and not typed: a megabyte is quickly there.
  await page.$eval("#case", (field, text) => (field.value = text), note);
  if (sequential) await page.check("input[name=sequential]");
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.request().method() === "POST"),
    page.click("#new button.primary"),
  ]);
  await page.waitForLoadState();
  return answer.status();
}

/** The person's cookie as a request's header. */
export async function cookie(who) {
  const [one] = (await who.context.cookies()).filter((known) => known.name === "__Host-bodh");
  return `${one.name}=${one.value}`;
}

/** A page as this person's browser would ask for it. */
export async function get(who, path) {
  return raw(who.stage, path, { headers: { accept: "text/html", cookie: await cookie(who) } });
}

/** A request as given, without a browser: status, headers and text of the answer. */
export function raw(stage, path, { method = "GET", headers = {}, body } = {}) {
  return new Promise((done, failed) => {
    const url = new URL(stage.origin);
    const options = { host: "127.0.0.1", port: url.port, servername: url.hostname, ca: stage.authority, method, path,
      agent: false, headers: { host: url.host, ...headers } };
    const sent = request(options, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (part) => (text += part));
      answer.on("end", () => done({ status: answer.statusCode, headers: answer.headers, text }));
    });
    sent.on("error", failed);
    sent.end(body);
  });
}

/** A form as our own page would send it, by somebody who is signed in. */
export async function submit(who, path, fields, headers = {}) {
  return raw(who.stage, path, {
    method: "POST",
    headers: { origin: who.stage.origin, accept: "text/html", cookie: await cookie(who),
      "content-type": "application/x-www-form-urlencoded", ...headers },
    body: new URLSearchParams(fields).toString(),
  });
}

/** The person's own page asks as the script of a form would: for a challenge, or with a signature. */
export function ask(page, path, body, form = "#decide") {
  return page.evaluate(async ([path, body, form]) => {
    form = document.querySelector(form);
    const headers = { "X-Bodh-Csrf": form.elements.csrf.value, Accept: "application/json" };
    if (!body) body = new URLSearchParams(new FormData(form));
    else {
      headers["Content-Type"] = "application/json";
      body = JSON.stringify(body);
    }
    const answer = await fetch(path, { method: "POST", headers, body });
    return { status: answer.status, ...(await answer.json().catch(() => ({}))) };
  }, [path, body, form]);
}
