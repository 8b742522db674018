// A panel with its pages, and a browser that trusts it and holds a virtual authenticator.
import { chromium } from "playwright-core";
import { spawn, execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, mkdirSync, readdirSync, rmSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const BODH = process.env.BODH || join(ROOT, "target/release/bodh");
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const CHROMIUM = process.env.CHROMIUM || "/usr/bin/chromium";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

/** Starts `bodh demo` in a temporary folder on free ports; what it printed, and how to end it. */
export async function demo() {
  const folder = mkdtempSync(join(tmpdir(), "bodh-browser-"));
  const env = { ...process.env, HOME: folder, XDG_STATE_HOME: join(folder, "keys") };
  const state = join(folder, "state");
  const child = spawn(BODH, ["demo", "--state", state, "--no-browser"], { env, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stderr.on("data", (text) => (err += text));
  const link = await new Promise((found, failed) => {
    child.stdout.on("data", (text) => {
      out += text;
      const match = out.match(/https:\/\/\S+\/enrol\/\S+/);
      if (match) found(match[0]);
    });
    child.on("exit", (code) => failed(new Error(`bodh demo ended with ${code}: ${err}`)));
    setTimeout(() => failed(new Error(`bodh demo printed no link: ${out} ${err}`)), 120_000).unref();
  });
  const origin = new URL(link).origin;
  const authority = out.match(/^certificate: (.*\.pem)/m)[1];
  // Chromium's own store, in the profile of this test alone.
  const store = join(folder, ".pki/nssdb");
  mkdirSync(store, { recursive: true });
  execFileSync("certutil", ["-d", `sql:${store}`, "-N", "--empty-password"]);
  execFileSync("certutil", ["-d", `sql:${store}`, "-A", "-t", "C,,", "-n", "bodh", "-i", authority]);
  const bodh = (...args) => execFileSync(BODH, args, { env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  // Also when the tests end in the middle.
  const kill = () => child.kill("SIGTERM");
  process.once("exit", kill);
  const end = async () => {
    process.off("exit", kill);
    const gone = new Promise((done) => child.once("exit", done));
    if (child.exitCode === null && child.signalCode === null && kill()) await gone;
    rmSync(folder, { recursive: true, force: true });
  };
  const log = () => entries(join(state, "log/tile/entries"));
  const said = () => out + err;
  return { origin, link, state, home: folder, authority: readFileSync(authority), bodh, log, said, end };
}

/** Every entry that is published, as it stands in the bundles: each leaf after its length in two bytes. */
function entries(folder) {
  const found = [];
  for (let n = 0; ; n += 1) {
    const full = join(folder, String(n).padStart(3, "0"));
    const widths = existsSync(`${full}.p`) ? readdirSync(`${full}.p`).filter((name) => /^\d+$/.test(name)).map(Number) : [];
    const file = existsSync(full) ? full : widths.length > 0 && join(`${full}.p`, String(Math.max(...widths)));
    if (!file) return found;
    let bytes;
    try {
      bytes = readFileSync(file);
    } catch (grown) {
      // The log has grown meanwhile: its last bundle goes by another name now.
      if (grown.code === "ENOENT") return entries(folder);
      throw grown;
    }
    for (let at = 0; at < bytes.length;) {
      const end = at + 2 + bytes.readUInt16BE(at);
      found.push(JSON.parse(bytes.toString("utf8", at + 2, end)));
      at = end;
    }
    if (file !== full) return found;
  }
}

/** A browser of one person. */
export async function browser(home) {
  const env = { ...process.env, HOME: home };
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS, env });
}

/** A page with an authenticator of its own; it knows what the console said of scripts that it refused. */
export async function person(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    if (/Content Security Policy|Refused to/.test(message.text())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  const cdp = await context.newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true,
      isUserVerified: true, automaticPresenceSimulation: true },
  });
  return { context, page, cdp, authenticatorId, complaints };
}

/** Every violation of axe-core's rules, in both colour schemes, with every fold open. */
export async function axe(page) {
  const found = [];
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(AXE);
    await page.evaluate(() => document.querySelectorAll("details").forEach((fold) => (fold.open = true)));
    const result = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
    for (const violation of result.violations) {
      found.push(`${colorScheme}: ${violation.id}: ${violation.nodes.map((node) => node.target.join(" ")).slice(0, 3).join("; ")}`);
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  return found;
}

/** Bytes of a page with its style sheets and scripts, uncompressed. */
export async function weight(page, url) {
  let bytes = 0;
  const count = async (response) => {
    const body = await response.body().catch(() => null);
    if (body) bytes += body.length;
  };
  const counting = [];
  const listener = (response) => counting.push(count(response));
  page.on("response", listener);
  await page.goto(url, { waitUntil: "load" });
  await Promise.all(counting);
  page.off("response", listener);
  return bytes;
}
