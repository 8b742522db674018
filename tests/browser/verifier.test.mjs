// The verifier that browsers run, in node: on a log that the panel made, and on logs of a publisher of its own. All tampering
// is done in memory; each tampered copy of the real log is also given to `bodh audit verify`, which must name the same entry.
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, test } from 'node:test';

await import('../../orchestrator/console/assets/tlog.js');
await import('../../orchestrator/console/assets/verify.js');
const tlog = globalThis.bodhTlog;
const { verify, fromUrl, fromFiles } = globalThis.bodhVerify;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BODH = process.env.BODH || join(ROOT, 'target/release/bodh');

/** The log of a panel that has diagnosed a few samples: some four hundred entries. */
function real() {
  const folder = mkdtempSync(join(tmpdir(), 'bodh-verifier-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const env = { ...process.env, HOME: folder, XDG_STATE_HOME: join(folder, 'keys') };
  const state = join(folder, 'state');
  for (const sample of ['boy_who_falls.json', 'swollen_calf_osce.json', 'recurrent_chest_infections.json']) {
    try {
      const args = ['diagnose', join(ROOT, 'deploy/samples', sample), '--state', state, '--sequential', '--json'];
      execFileSync(BODH, args, { env, stdio: 'pipe' });
    } catch (waits) {
      // Exit status 3: a physician is asked.
      if (waits.status !== 3) throw waits;
    }
  }
  return join(state, 'log');
}

// A log as a map from path to bytes.

const source = (log) => ({ read: async (path) => log.get(path) ?? null, list: () => [...log.keys()] });
const files = (dir, at = '') => readdirSync(join(dir, at)).flatMap((name) => {
  const path = at ? `${at}/${name}` : name;
  return statSync(join(dir, path)).isDirectory() ? files(dir, path) : [[path, new Uint8Array(readFileSync(join(dir, path)))]];
});
const text = (bytes) => new TextDecoder().decode(bytes);
const bytes = (string) => new TextEncoder().encode(string);
const leavesOf = (log, size) => Array.from({ length: Math.ceil(size / 256) }, (_, index) => {
  const tile = tlog.tileAt('entries', index, size);
  return tlog.readBundle(log.get(tile.path), tile).leaves;
}).flat();

// A publisher of its own, so that logs of any size and any dishonesty can be made.

const sha = (...parts) => createHash('sha256').update(Buffer.concat(parts.map(Buffer.from))).digest();
function newKey(name) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const id = sha(bytes(`${name}\n`), [1], raw).subarray(0, 4);
  return { name, id, privateKey, vkey: `${name}+${id.toString('hex')}+${Buffer.from([1, ...raw]).toString('base64')}` };
}
function note(key, size, root, origin = key.name) {
  const stated = `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
  const signature = Buffer.concat([key.id, sign(null, bytes(stated), key.privateKey)]).toString('base64');
  return bytes(`${stated}\n\u2014 ${key.name} ${signature}\n`);
}
function rootOf(hashes) {
  if (hashes.length === 0) return sha();
  if (hashes.length === 1) return hashes[0];
  const left = 2 ** Math.floor(Math.log2(hashes.length - 1));
  return sha([1], rootOf(hashes.slice(0, left)), rootOf(hashes.slice(left)));
}
function publish(leaves, key) {
  const log = new Map([['key', bytes(`${key.vkey}\n`)]]);
  const size = leaves.length;
  let hashes = leaves.map((leaf) => sha([0], leaf));
  log.set('checkpoint', note(key, size, rootOf(hashes)));
  for (let level = 0; hashes.length > 0; level += 1) {
    const next = [];
    for (let index = 0; ; index += 1) {
      const tile = tlog.tileAt(level, index, size);
      if (!tile) break;
      const row = hashes.slice(index * 256, index * 256 + tile.width);
      log.set(tile.path, new Uint8Array(Buffer.concat(row)));
      if (row.length === 256) next.push(rootOf(row));
    }
    hashes = next;
  }
  for (let index = 0; ; index += 1) {
    const tile = tlog.tileAt('entries', index, size);
    if (!tile) break;
    const row = leaves.slice(index * 256, index * 256 + tile.width);
    log.set(tile.path, new Uint8Array(Buffer.concat(row.flatMap((l) => [Buffer.from([l.length >> 8, l.length & 255]), l]))));
  }
  return log;
}
const time = (index) => new Date(1.7e12 + index).toISOString().replace('Z', '000000Z');
const made = (count, mark = '') => Array.from({ length: count }, (_, index) => bytes(
  `{"v":1,"time":"${time(index)}","reporter":"spiffe://t.test/service/a","key":"${mark}k${index}","kind":"note","action":"a"}`));

const changed = (log, path, change) => {
  assert.ok(log.has(path), path);
  return new Map(log).set(path, change(new Uint8Array(log.get(path))));
};
const flipped = (at) => (file) => { file[at] ^= 1; return file; };

/** Every fault must be found, at this entry; by `bodh audit verify` too, when it is at hand. */
async function found(log, index, what, options = {}, rust = true) {
  const report = await verify(source(log), options);
  assert.equal(report.ok, false, 'a tampered log must not pass');
  assert.match(report.fault.what, what);
  assert.equal(report.fault.index, index, JSON.stringify(report.fault));
  if (!rust) return;
  const dir = mkdtempSync(join(tmpdir(), 'bodh-verify-'));
  for (const [path, file] of log) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), file);
  }
  try {
    const args = ['audit', 'verify', dir, ...(options.vkey ? ['--key', options.vkey] : [])];
    execFileSync(BODH, args, { stdio: 'pipe' });
    assert.fail('bodh audit verify passed');
  } catch (error) {
    const said = `${error.stdout ?? ''}${error.stderr ?? ''}`;
    assert.match(said, new RegExp(`first bad entry ${index}\\b`), `bodh audit verify: ${said || error.message}`);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

describe('a real log', () => {
  const log = new Map(files(real()));
  const vkey = log.has('key') ? text(log.get('key')).trim() : '';
  const size = log.has('checkpoint') ? Number(text(log.get('checkpoint')).split('\n')[1]) : 0;
  const leaves = size ? leavesOf(log, size) : [];
  const start = (index) => leaves.slice(index - (index % 256), index).reduce((sum, leaf) => sum + leaf.length + 2, 0);
  const bundle = (index) => tlog.tileAt('entries', Math.floor(index / 256), size).path;
  const hashes = (index) => tlog.tileAt(0, Math.floor(index / 256), size).path;
  const other = newKey(vkey.split('+')[0]);

  test('passes, with the key pinned and not', async () => {
    assert.ok(size > 257, `${size} entries are too few for this test`);
    const seen = [];
    const pinned = await verify(source(log), { vkey, index: 257, progress: (p) => seen.push(p) });
    assert.equal(pinned.ok, true, JSON.stringify(pinned.fault));
    assert.equal(pinned.size, size);
    assert.match(pinned.steps[0].text, /signed by the pinned key/);
    assert.match(pinned.steps.at(-1).text, /^Entry 257 is under the signed root/);
    assert.equal(pinned.entry, text(leaves[257]));
    assert.ok(seen.some(({ step, done }) => step === 'entries' && done === size));
    const loose = await verify(source(log));
    assert.equal(loose.steps[0].text, `Internally consistent; key not pinned: ${loose.fingerprint}`);
  });

  test('from a URL and from picked files', async () => {
    const server = createServer((request, response) => {
      const file = log.get(decodeURIComponent(request.url.replace(/^\/log\//, '')));
      response.writeHead(file ? 200 : 404).end(file ?? '');
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const report = await verify(fromUrl(`http://127.0.0.1:${server.address().port}/log`), { vkey });
    server.close();
    assert.equal(report.ok, true, JSON.stringify(report.fault));
    const picked = [...log].map(([path, file]) => Object.assign(new Blob([file]), { webkitRelativePath: `saved/log/${path}` }));
    assert.equal((await verify(fromFiles(picked), { vkey })).ok, true);
    assert.match((await verify(fromFiles([]))).fault.what, /missing/);
  });

  test('a flipped byte in an entry, wherever it is', async () => {
    for (const index of [0, 1, 200, 255, 256, 257, size - 1]) {
      for (const at of [5, 40, leaves[index].length - 1]) {
        await found(changed(log, bundle(index), flipped(start(index) + 2 + at)), index, /does not hash to what tile/, {}, at === 40);
      }
    }
  });

  test('a flipped byte in the length of an entry', async () => {
    await found(changed(log, bundle(100), flipped(start(100))), 100, /./);
    await found(changed(log, bundle(100), flipped(start(100) + 1)), 100, /./);
  });

  test('a flipped byte in a tile of each level', async () => {
    await found(changed(log, hashes(0), flipped(3)), 0, /does not hash/);
    await found(changed(log, hashes(130), flipped(130 * 32 + 31)), 130, /does not hash/);
    await found(changed(log, hashes(size - 1), flipped(((size - 1) % 256) * 32)), size - 1, /does not hash/);
    const upper = tlog.tileAt(1, 0, size);
    for (let item = 0; item < upper.width; item += 1) {
      await found(changed(log, upper.path, flipped(item * 32 + 7)), item * 256, /not the root of the entries below/);
    }
  });

  test('an entry and its tile changed together', async () => {
    const forged = bytes(text(leaves[300]).replace('"v":1', '"v":1').replace(/"key":"./, '"key":"~'));
    const row = leaves.slice(256, 512).map((leaf, at) => (at === 44 ? forged : leaf));
    const again = publish([...leaves.slice(0, 256), ...row], other);
    const both = new Map(log).set(bundle(300), again.get('tile/entries/001')).set(hashes(300), again.get('tile/0/001'));
    await found(both, 256, /not the root of the entries below/, { vkey });
  });

  test('truncated, extended and missing files', async () => {
    await found(changed(log, bundle(0), (file) => file.slice(0, start(77) + 10)), 77, /ends inside an entry/);
    await found(changed(log, bundle(0), (file) => file.slice(0, start(77))), 77, /ends after 77 of 256/);
    await found(changed(log, bundle(0), (file) => Uint8Array.from([...file, 0, 1, 65])), 256, /goes on after 256/);
    await found(changed(log, hashes(0), (file) => file.slice(0, 32 * 9)), 9, /ends after 9 of 256/);
    await found(changed(log, hashes(0), (file) => Uint8Array.from([...file, 1])), 256, /goes on after 256/);
    for (const path of log.keys()) {
      const less = new Map(log);
      less.delete(path);
      const first = path.startsWith('tile/') && !path.startsWith('tile/1') ? 256 * Number(path.match(/\/(\d{3})/)[1]) : 0;
      await found(less, first, /missing/);
    }
  });

  test('swapped entries', async () => {
    const swap = (a, b) => {
      const moved = [...leaves];
      [moved[a], moved[b]] = [moved[b], moved[a]];
      return moved;
    };
    const files = publish(swap(10, 11), other);
    await found(new Map(log).set(bundle(10), files.get('tile/entries/000')), 10, /does not hash/);
    // Signed by a dishonest log itself: the times run backwards.
    await found(files, 11, /not later than the one before/);
  });

  test('another key, and an edited checkpoint', async () => {
    const checkpoint = text(log.get('checkpoint'));
    const root = Buffer.from(checkpoint.split('\n')[2], 'base64');
    const theirs = note(other, size, root);
    await found(new Map(log).set('checkpoint', theirs), 0, /no signature by the expected key/);
    const moved = new Map(log).set('checkpoint', theirs).set('key', bytes(`${other.vkey}\n`));
    await found(moved, 0, /not the pinned key/, { vkey });
    assert.equal((await verify(source(moved))).fingerprint === (await verify(source(log))).fingerprint, false);
    const { keep } = await verify(source(log));
    await found(moved, 0, /under another key before/, { remembered: keep }, false);
    for (const [from, to, what] of [
      [`\n${size}\n`, `\n${size - 1}\n`, /does not verify/], [checkpoint.slice(0, 4), 'evil', /does not verify/],
      ['\n\u2014', '\n-', /not a signed note/], ['\n\n', '\nmore\n\n', /does not verify/], ['\n\n', '\n', /not a signed note/],
    ]) await found(new Map(log).set('checkpoint', bytes(checkpoint.replace(from, to))), 0, what);
    const wrong = [vkey.slice(0, -1), `${vkey} `, vkey.replace(/\+/, '-'), vkey.replace(/\+[0-9a-f]{8}\+/, '+00000000+')];
    for (const key of wrong) {
      const report = await verify(source(new Map([...log].filter(([path]) => path !== 'key'))), { vkey: key });
      assert.match(report.fault.what, /not a key in the form/, key);
    }
  });

  test('an older checkpoint put back', async () => {
    const { keep } = await verify(source(log));
    const mine = publish(leaves, other);
    const before = publish(leaves.slice(0, 300), other);
    const now = await verify(source(mine));
    await found(before, 300, /rolled back: this browser saw/, { remembered: now.keep }, false);
    await found(new Map([...mine, ...before]), 300, /an older checkpoint was put back/);
    assert.equal((await verify(source(mine), { remembered: (await verify(source(before))).keep })).ok, true);
    assert.equal((await verify(source(log), { remembered: keep })).ok, true);
  });
});

describe('logs of this test\u2019s own', () => {
  const key = newKey('t.test/log');

  test('every size near the edges', async () => {
    for (const size of [0, 1, 2, 3, 255, 256, 257, 511, 512, 513, 1_000]) {
      const report = await verify(source(publish(made(size), key)), { vkey: key.vkey, ...(size && { index: size - 1 }) });
      assert.equal(report.ok, true, `${size}: ${JSON.stringify(report.fault)}`);
    }
    assert.match((await verify(source(publish(made(3), key)), { index: 3 })).fault.what, /no entry 3/);
  });

  test('history rewritten by a log that holds its own key', async () => {
    const honest = made(700);
    for (const old of [1, 2, 5, 256, 300, 512, 699, 700]) {
      const { keep } = await verify(source(publish(honest.slice(0, old), key)));
      const good = await verify(source(publish(honest, key)), { remembered: JSON.parse(JSON.stringify(keep)) });
      assert.equal(good.ok, true, `${old}: ${JSON.stringify(good.fault)}`);
      const forged = [...honest];
      forged[old - 1] = made(700, 'forged')[old - 1];
      const first = old - (old & -old); // the start of the perfect subtree that the entry is in
      await found(publish(forged, key), first, /history was rewritten/, { remembered: keep }, false);
    }
  });

  test('a log that grows while it is read', async () => {
    const [small, large] = [publish(made(300), key), publish(made(420), key)];
    let reads = 0;
    const moving = { read: async (path) => ((reads += 1) < 4 ? small : large).get(path) ?? null };
    const report = await verify(moving, { vkey: key.vkey });
    assert.equal(report.ok, true, JSON.stringify(report.fault));
    assert.equal(report.size, 420);
  });

  test('100,000 entries, without blocking', { timeout: 120_000 }, async (context) => {
    const log = publish(made(100_000), key);
    let worst = 0, last = performance.now();
    const timer = setInterval(() => { worst = Math.max(worst, performance.now() - last); last = performance.now(); }, 5);
    const began = performance.now();
    const report = await verify(source(log), { vkey: key.vkey, index: 65_536 });
    clearInterval(timer);
    assert.equal(report.ok, true, JSON.stringify(report.fault));
    context.diagnostic(`${Math.round(performance.now() - began)} ms; longest pause ${Math.round(worst)} ms`);
    await found(changed(log, 'tile/2/000.p/1', flipped(0)), 0, /not the root/, {}, false);
    await found(changed(log, 'tile/1/001.p/134', flipped(33)), 65_792, /not the root/, {}, false);
  });
});
