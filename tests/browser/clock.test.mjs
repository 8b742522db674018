// A computer whose clock is five minutes off: everything works, and every time that is shown is the panel's own.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { after, before, describe, it } from "node:test";
import { browser, demo, person } from "./stage.mjs";
import { decide, enrol, inbox, invite, rested, signIn } from "./steps.mjs";

const OFF = 5 * 60_000;

let stage;
let chromium;

before(async () => {
  stage = await demo();
  chromium = await browser(stage.home);
});

after(async () => {
  await chromium?.close();
  await stage?.end();
});

/** Every page of this person takes it to be so much later than it is. */
const shift = (who, ms) => who.context.addInitScript((ms) => {
  const Real = Date;
  globalThis.Date = class extends Real {
    constructor(...given) {
      if (given.length === 0) super(Real.now() + ms);
      else super(...given);
    }
    static now() {
      return Real.now() + ms;
    }
  };
}, ms);

/** The minutes around now, as pages write them: `30 Nov 2026, 14:32 UTC`. */
function around(minutes) {
  const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
  return minutes.map((off) => {
    const at = new Date(Date.now() + off * 60_000);
    const clock = at.toISOString().slice(11, 16);
    return `${at.getUTCDate()} ${months[at.getUTCMonth()]} ${at.getUTCFullYear()}, ${clock} UTC`;
  });
}

it("the certificate was valid an hour ago already: a clock that is behind lets one in", async () => {
  const { port, hostname } = new URL(stage.origin);
  const socket = connect({ host: "127.0.0.1", port, servername: hostname, ca: stage.authority });
  const begins = await new Promise((done, failed) => {
    socket.on("error", failed);
    socket.on("secureConnect", () => done(Date.parse(socket.getPeerCertificate().valid_from)));
  });
  socket.destroy();
  assert.ok(begins <= Date.now() - 2 * OFF, new Date(begins).toISOString());
});

for (const [words, name, off] of [["ahead", "ada", OFF], ["behind", "ben", -OFF]]) {
  describe(`with a clock five minutes ${words}, a physician`, () => {
    let who;
    let page;
    let session;

    it("enrols and signs in, for a quarter of an hour by the panel's clock", async () => {
      who = await person(chromium);
      page = who.page;
      await shift(who, off);
      await enrol(page, invite(stage, name, "physician", "compliance"));
      const asked = Date.now();
      await signIn(page);
      const seen = await page.evaluate(() => Date.now());
      assert.ok(Math.abs(seen - Date.now() - off) < 60_000, "the page's clock is off");
      const [, hours, minutes] = (await page.innerText("header.top")).match(/signed in until (\d\d):(\d\d) UTC/);
      const until = new Date(asked);
      until.setUTCHours(Number(hours), Number(minutes), 0, 0);
      if (until < asked - 3_600_000) until.setUTCDate(until.getUTCDate() + 1);
      assert.ok(until - asked > 13 * 60_000 && until - asked <= 16 * 60_000, `${new Date(asked).toISOString()} to ${hours}:${minutes}`);
      const [cookie] = await who.context.cookies();
      assert.ok(cookie.expires * 1000 - Date.now() > 13 * 60_000, "and the browser keeps the sign-in as long");
    });

    it("decides once, at the panel's time and not at the computer's", async () => {
      const alone = (await inbox(page, stage.origin)).flatMap((tier) => tier.rows).find((row) => row.asks.length === 1);
      await page.goto(`${stage.origin}${alone.review}?show=1`);
      let statement;
      await page.route("**/decide", async (route) => {
        statement = JSON.parse(await page.innerText("#decide .statement pre"));
        await route.continue();
      });
      const begun = Date.now();
      await decide(page, { reason: "Seen at the bedside." });
      await page.unroute("**/decide");
      assert.ok(statement.at_unix_ms >= begun - 1_000 && statement.at_unix_ms <= Date.now(), `signed at ${statement.at_unix_ms}`);
      await rested(page);
      session = new URL(page.url()).pathname.split("/")[2];
      await page.goto(stage.origin + alone.review);
      const said = await page.innerText("#decision");
      assert.ok(around([-1, 0]).some((minute) => said.includes(minute)), said);
      assert.ok(!around([4, 5, -5, -4]).some((minute) => said.includes(minute)), said);
      assert.equal(await page.locator("#decide").count(), 0, "no second decision is offered");
      const decisions = stage.log().filter((entry) => entry.session === session && entry.kind === "decision");
      assert.equal(decisions.length, 1, JSON.stringify(decisions));
    });

    it("reads in the trace when it was, by the log's clock", async () => {
      await page.goto(`${stage.origin}/record/${session}/access`);
      const said = await page.innerText("main");
      assert.match(said, new RegExp(`question decided`));
      assert.ok(around([-1, 0, -2]).some((minute) => said.includes(minute)), said);
      assert.ok(!around([4, 5]).some((minute) => said.includes(minute)), said);
    });

    it("verifies the log; only when this computer saw it is by its own clock, and that is said", async () => {
      await page.goto(`${stage.origin}/verify`);
      await page.fill("#verify-key", readFileSync(join(stage.state, "log/key"), "utf8").trim());
      await page.click("#verify-start");
      await page.waitForFunction(() => /whole|NOT/.test(document.querySelector("#verify-result").textContent));
      assert.match(await page.innerText("#verify-result"), /The log is whole: \d+ entries\. Signed by the key that you gave\./);
      const memory = await page.innerText("#verify-memory");
      const [, seen] = memory.match(/seen (\S+ \S+) UTC by this computer’s clock/);
      const really = Date.parse(`${seen.replace(" ", "T")}:00Z`) - Date.now();
      assert.ok(Math.abs(really - off) < 2 * 60_000, memory);
      // And once more: what it remembers from a time that is off does not make it doubt the log.
      await page.click("#verify-start");
      await page.waitForFunction(() => document.querySelector("[data-step=history]").dataset.state === "ok");
      assert.match(await page.innerText("#verify-result"), /The log is whole/);
    });

    it("met no complaint of the browser", async () => {
      assert.deepEqual(who.complaints, []);
      await who.context.close();
    });
  });
}
