// Every page: accessible in both colour schemes, whole on a small screen, light, and of use by keyboard and without script.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { axe, browser, demo, person, weight } from "./stage.mjs";
import { convene, decide, enter, get, inbox, invite, rested } from "./steps.mjs";

const SCREENS = process.env.SCREENS;
const MOST_BYTES = 100_000;
const NOTE = `A 63-year-old man with crushing chest pain that began one hour ago at rest. He is sweating.
He has hypertension and diabetes mellitus and smokes. No fever. No cough.`;
// Name, whose, and where it is: found out when there is a panel.
const PAGES = [
  ["sign-in", "guest"], ["enrol", "guest"], ["sessions", "ann"], ["session", "ann"], ["session with rounds", "ann"],
  ["inbox", "ann"], ["escalation blind", "ann"], ["escalation", "ann"], ["escalation decided", "ann"], ["report", "ann"],
  ["report not released", "ann"], ["not found", "ann"], ["refusal", "cleo"],
  ["record", "ann"], ["trace", "ann"], ["access", "ann"], ["verify", "ann"], ["operations", "ann"],
  ["keys", "ann"], ["recover", "guest"],
];
const DARK = ["escalation", "session"];

let stage;
let chromium;
const people = {};
const at = {};

before(async () => {
  if (SCREENS) mkdirSync(SCREENS, { recursive: true });
  stage = await demo();
  chromium = await browser(stage.home);
  const ann = await enter(stage, chromium, stage.link);
  const cleo = await enter(stage, chromium, invite(stage, "cleo", "clinician"));
  Object.assign(people, { ann, cleo, guest: await person(chromium) });
  const { page } = ann;
  const tiers = await inbox(page, stage.origin);
  const most = (rows) => rows.toSorted((a, b) => b.asks.length - a.asks.length)[0];
  const session = async (path) => (await get(ann, path)).text.match(/\/sessions\/[0-9a-f]{32}/)[0];
  at.escalation = `${most(tiers[0].rows).review}?show=1`;
  at["escalation blind"] = most(tiers[0].rows).review;
  at["report not released"] = `${await session(at.escalation)}/report`;
  const test = tiers.flatMap((tier) => tier.rows).find((row) => row.asks[0].kind === "An expensive test");
  at["session with rounds"] = await session(test.review);
  const alone = tiers.find((tier) => tier.name === "Rare alone").rows[0];
  at["escalation decided"] = alone.review;
  await page.goto(`${stage.origin}${alone.review}?show=1`);
  await decide(page, { verdict: "amend", reason: "After a genetic test, and only then: it would be decisive." });
  await rested(page);
  at.report = `${new URL(page.url()).pathname}/report`;
  await convene(page, stage.origin, { pseudonym: "Oak 7", note: NOTE });
  await rested(page);
  Object.assign(at, { session: new URL(page.url()).pathname, sessions: "/sessions", inbox: "/inbox", "not found": "/nowhere",
    "sign-in": "/sign-in", enrol: new URL(invite(stage, "ben", "physician")).pathname });
  at.refusal = at.session;
  // Convened by somebody else: with the form of a review.
  const id = at.report.split("/")[2];
  Object.assign(at, { record: "/record", trace: `/record/${id}`, access: `/record/${id}/access`, verify: "/verify", operations: "/operations",
    keys: "/keys", recover: new URL(stage.bodh("human", "recover", "ann", "--state", stage.state).trim()).pathname });
});

after(async () => {
  await chromium?.close();
  await stage?.end();
});

/** What sticks out of the window to the right, and is in nothing that scrolls by itself. */
const overflow = (page) => page.evaluate(() => {
  const name = (element) => `${element.tagName.toLowerCase()}.${element.getAttribute("class") || ""} "${element.textContent.trim().slice(0, 40)}"`;
  const own = (element) => {
    for (let above = element; above; above = above.parentElement) {
      const style = getComputedStyle(above);
      if (above !== document.body && above !== document.documentElement && style.overflowX !== "visible") return true;
      if (style.position === "absolute" && above.matches(".vh, .sprite, .skip, .watermark")) return true;
    }
    return false;
  };
  const wide = [...document.body.querySelectorAll("*")].filter((element) => !element.closest("svg svg, symbol")
    && element.getBoundingClientRect().right > innerWidth + 1 && !own(element));
  const page = document.documentElement.scrollWidth > innerWidth ? ["the page scrolls sideways"] : [];
  return page.concat(wide.slice(0, 3).map(name));
});

/** The element that has the focus, as one sees it. */
const focused = (page) => page.evaluate(() => {
  const element = document.activeElement;
  const shown = element.closest(".pick") || element;
  const outlined = [element, shown].some((one) => {
    const style = getComputedStyle(one);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  });
  const box = shown.getBoundingClientRect();
  const inside = box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  const middle = document.elementFromPoint(box.left + box.width / 2, Math.min(Math.max(box.top + Math.min(box.height, innerHeight) / 2, 1), innerHeight - 1));
  const all = [...document.querySelectorAll("*")];
  return { tag: element.tagName.toLowerCase(), id: element.id, name: element.getAttribute("name"), href: element.getAttribute("href"),
    text: (element.textContent || "").trim().slice(0, 50), place: all.indexOf(element), outlined, inside,
    covered: Boolean(middle) && !shown.contains(middle) && !middle.contains(shown) };
});

/** Presses Tab until `found`; every stop on the way is seen, and comes after the one before it. */
async function tabTo(page, found, most = 80) {
  let place = -1;
  for (let n = 0; n < most; n += 1) {
    await page.keyboard.press("Tab");
    const stop = await focused(page);
    const what = `${stop.tag} ${stop.id} ${stop.name || ""} "${stop.text}"`;
    assert.ok(stop.outlined, `no outline: ${what}`);
    assert.ok(stop.inside, `out of sight: ${what}`);
    assert.ok(!stop.covered, `covered: ${what}`);
    assert.ok(stop.place > place, `out of order: ${what}`);
    place = stop.place;
    if (found(stop)) return stop;
  }
  return assert.fail("the keyboard does not lead there");
}

for (const [name, whose] of PAGES) {
  describe(name, () => {
    let page;
    it("is accessible in light and dark", async () => {
      ({ page } = people[whose]);
      await page.setViewportSize({ width: 1280, height: 900 });
      await page.goto(stage.origin + at[name]);
      assert.deepEqual(await axe(page), []);
      assert.equal(await page.locator("h1").count(), 1, "one heading of the page");
      assert.match(await page.title(), /\S.* · Bodh$/);
    });

    it("fits a small screen, and twice the size", async () => {
      for (const width of [390, 640]) {
        await page.setViewportSize({ width, height: 844 });
        await page.goto(stage.origin + at[name]);
        assert.deepEqual(await overflow(page), [], `at ${width}`);
        await page.evaluate(() => document.querySelectorAll("details").forEach((fold) => (fold.open = true)));
        assert.deepEqual(await overflow(page), [], `at ${width}, every fold open`);
      }
      await page.setViewportSize({ width: 1280, height: 900 });
    });

    it("is light, and the browser has no complaint", async () => {
      const bytes = await weight(page, stage.origin + at[name]);
      assert.ok(bytes > 2000 && bytes <= MOST_BYTES, `${bytes} bytes`);
      assert.deepEqual(people[whose].complaints, []);
    });

    it("has no link that leads nowhere", async () => {
      const paths = await page.$$eval("a[href^='/']", (links) => [...new Set(links.map((link) => link.getAttribute("href")))]);
      const own = people[whose].stage ? paths.filter((path) => !path.startsWith("/escalations/")) : [];
      for (const path of own) {
        const { status } = await get(people[whose], path);
        assert.ok([200, 303].includes(status), `${path}: ${status}`);
      }
      const marks = await page.$$eval("a[href^='#']", (links) => links.map((link) => link.getAttribute("href")).filter((mark) => !document.querySelector(mark)));
      assert.deepEqual(marks, [], "links within the page");
    });

    if (SCREENS) it("is pictured", async () => {
      for (const colorScheme of DARK.includes(name) ? ["light", "dark"] : ["light"]) {
        await page.emulateMedia({ colorScheme });
        await page.goto(stage.origin + at[name]);
        const file = `${name.replaceAll(" ", "-")}${colorScheme === "dark" ? "-dark" : ""}.png`;
        await page.screenshot({ path: join(SCREENS, file), fullPage: true });
      }
      await page.emulateMedia({ colorScheme: "light" });
    });
  });
}

describe("with the keyboard alone", () => {
  it("a physician goes from the inbox to a signed decision", async () => {
    const { page } = people.ann;
    const path = at["escalation blind"];
    await page.goto(`${stage.origin}/inbox`);
    assert.equal((await tabTo(page, () => true)).href, "#main", "the first stop skips to the content");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    await page.goto(`${stage.origin}/inbox`);
    await tabTo(page, (stop) => stop.href === path);
    await page.keyboard.press("Enter");
    await page.waitForURL(stage.origin + path);
    await tabTo(page, (stop) => stop.id === "own");
    await page.keyboard.type("Angina");
    await page.keyboard.press("Enter");
    await page.waitForURL(/show=1$/);
    await tabTo(page, (stop) => stop.name === "verdict");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    assert.ok(await page.isChecked("input[value=approve]"));
    const order = [];
    for (const wanted of ["code", "reason"]) {
      await page.keyboard.press("Tab");
      const stop = await focused(page);
      order.push(stop.id);
      assert.ok(stop.outlined && stop.inside && !stop.covered, wanted);
      await page.keyboard.type(wanted === "code" ? "Agrees" : "By keyboard.");
    }
    assert.deepEqual(order, ["code", "reason"]);
    await page.keyboard.press("Tab");
    assert.equal((await focused(page)).text, "Sign with passkey");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/sessions\//);
    assert.match((await get(people.ann, path)).text, /By keyboard\./);
  });

  it("a clinician begins a session, and after an error is led to the field", async () => {
    const { page } = people.cleo;
    await page.goto(`${stage.origin}/sessions`);
    await tabTo(page, (stop) => stop.id === "case");
    await page.keyboard.type("A man of 40 years with cough and fever.");
    await tabTo(page, (stop) => stop.text === "Convene the panel");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".summary");
    assert.deepEqual(await axe(page), []);
    assert.ok(await page.evaluate(() => document.activeElement.matches(".summary")), "the errors have the focus");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    const { id, href } = await focused(page);
    assert.ok(id === "pseudonym" || id === "budget", `from the error to ${id || href}`);
  });
});

describe("without script", () => {
  it("everything after the sign-in can be read", async () => {
    const cookies = (await people.ann.context.cookies()).map(({ domain, path, ...cookie }) => ({ ...cookie, url: stage.origin }));
    const context = await chromium.newContext({ javaScriptEnabled: false });
    await context.addCookies(cookies);
    const page = await context.newPage();
    const expected = {
      inbox: [/sessions wait/, /A rare diagnosis/, /Review/],
      sessions: [/My sessions/, /waits for a physician/, /Convene the panel/],
      session: [/Oak 7/, /Waiting for a physician/, /crushing chest pain/, /What it could be/, /\d+\.\d %/, /Findings/, /Tests and cost/],
      "escalation blind": [/Findings and input/],
      "escalation decided": [/Decided/, /amended/, /it would be decisive/],
      report: [/SIGNED/, /it would be decisive/, /Checkpoint/],
    };
    for (const [name, parts] of Object.entries(expected)) {
      await page.goto(stage.origin + at[name]);
      const said = await page.innerText("main");
      for (const part of parts) assert.match(said, part, name);
    }
    const { review } = (await inbox(people.ann.page, stage.origin))[0].rows[0];
    await page.goto(`${stage.origin}${review}?show=1`);
    assert.match(await page.innerText("main"), /Proposal[\s\S]*Alternative 1[\s\S]*A signature needs scripts\./);
    await page.goto(`${stage.origin}/sign-in`);
    assert.match(await page.innerText("main"), /A passkey needs scripts\./);
    await context.close();
  });
});
