// Checks a Bodh log in your own browser, from its published files alone: `key`, `checkpoint` and `tile/...`.
//
// It trusts neither the server nor the files. It hashes every entry again, compares each hash with the published tile,
// climbs to the root, and compares root and size with the checkpoint's signature (Ed25519, WebCrypto). What it cannot
// know: whether this script is the real one (compare its SHA-256 with the one in the documentation, or keep your own
// copy), and whether the key is the log's (paste the key that you got from somewhere else than the server).
// `bodh audit verify` checks more: each entry's canonical spelling, repeated keys, and files that do not belong.
//
// Needs `tlog.js` before it. Both are plain scripts and not modules, because browsers load no modules from a page saved
// to disk. Nothing here needs a page: Node runs it too.
'use strict';

globalThis.bodhVerify = (() => {
  const {
    WIDTH, HASH, Fault, utf8, strict, same, hex, base64, unbase64, leafHash, nodeHash, parseKey, openCheckpoint, below,
    tileAt, faultAt, readBundle, compare, newLevels, nodeAt, subtree, peaks, inclusionProof, consistencyProof,
    verifyInclusion, verifyConsistency,
  } = globalThis.bodhTlog;
  const LIMIT = 2_000_000; // entries that fit a browser's memory; beyond that use `bodh audit verify`
  const MAX = { key: 1_024, checkpoint: 65_536, hashes: (WIDTH + 1) * HASH, entries: WIDTH * (2 + 65_535) };
  const AHEAD = 4; // files asked for before they are needed
  const TRIES = 8; // times that a log which is being written to is looked at again
  const breathe = () => new Promise((resolve) => setTimeout(resolve));

  // Where the files come from. `read(path, max)` gives the bytes, or null when the file is not there.

  /** A log that a server publishes under a URL. */
  function fromUrl(base) {
    const folder = base.endsWith('/') ? base : `${base}/`;
    const read = async (path, max) => {
      const fixed = path.startsWith('tile/') && !path.includes('.p/'); // a full tile never changes
      const answer = await fetch(folder + path, { cache: fixed ? 'default' : 'no-store', redirect: 'error' })
        .catch((cause) => { throw new Fault(null, path, `cannot be fetched: ${cause.message}`); });
      if (answer.status === 404) return null;
      if (!answer.ok) throw new Fault(null, path, `the server answered ${answer.status}`);
      return within(new Uint8Array(await answer.arrayBuffer()), path, max);
    };
    return { read };
  }

  /** A folder that the user picked; it holds `checkpoint`, perhaps a few folders down. */
  function fromFiles(files) {
    const paths = new Map(Array.from(files, (file) => [file.webkitRelativePath || file.name, file]));
    const names = [...paths.keys()];
    const [top = ''] = names.filter((path) => /(^|\/)checkpoint$/.test(path)).sort((a, b) => a.length - b.length);
    const prefix = top.slice(0, -'checkpoint'.length);
    const read = async (path, max) => {
      const file = paths.get(prefix + path);
      if (!file) return null;
      if (file.size > max) throw new Fault(null, path, 'the file is larger than it can be');
      return within(new Uint8Array(await file.arrayBuffer()), path, max);
    };
    const list = () => names.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
    return { read, list };
  }

  function within(bytes, path, max) {
    if (bytes.length > max) throw new Fault(null, path, 'the file is larger than it can be');
    return bytes;
  }

  // The whole verification.

  /**
   * Verifies a log. `options`: `vkey` (the pinned key, text), `index` (an entry to show inclusion of), `remembered` (the
   * `keep` of an earlier report), `progress({ step, done, total })`. Never throws for a bad log: the report says.
   */
  async function verify(source, options = {}) {
    for (let tries = 1; ; tries += 1) {
      const steps = [];
      try {
        return { ok: true, steps, ...(await once(source, options, steps)) };
      } catch (fault) {
        if (!(fault instanceof Fault)) throw fault;
        const moved = fault.passing && tries < TRIES && (await moves(source, fault.checkpoint));
        if (!moved) return { ok: false, steps, fault: { index: fault.index, place: fault.place, what: fault.what } };
      }
    }
  }

  async function moves(source, before) {
    await new Promise((resolve) => setTimeout(resolve, 120));
    const now = await source.read('checkpoint', MAX.checkpoint);
    return now !== null && !same(now, before);
  }

  async function once(source, options, steps) {
    const { progress = () => {}, remembered = null } = options;
    const say = (step, text) => steps.push({ step, text });
    const need = async (path, max) => {
      const bytes = await source.read(path, max);
      if (bytes === null) throw new Fault(0, path, 'the file is missing');
      return bytes;
    };

    const key = await keyOf(source, options.vkey);
    const pinned = Boolean(options.vkey);
    const note = await need('checkpoint', MAX.checkpoint);
    const { origin, size, root } = await openCheckpoint(note, key);
    say('signature', pinned
      ? `${size} entries, signed by the pinned key ${key.name}; fingerprint ${key.fingerprint}`
      : `Internally consistent; key not pinned: ${key.fingerprint}`);
    if (size > LIMIT) {
      throw new Fault(null, 'checkpoint', `${size} entries are too many for a browser: use bodh audit verify`);
    }
    if (remembered) notBehind(remembered, key, size);

    // A fault in a file that a publication may just have replaced is looked at again.
    const read = async (tile) => {
      const bytes = await source.read(tile.path, tile.shelf === 'entries' ? MAX.entries : MAX.hashes);
      if (bytes === null) throw faultAt(tile, 0, 'the file is missing', true);
      return bytes;
    };
    try {
      const levels = newLevels(size);
      const edge = await partials(size, read); // first: these are replaced when the log grows
      const file = (tile) => edge.get(tile.path) ?? read(tile);
      const shown = await entries(levels, size, file, options.index, progress);
      say('entries', `Each of the ${size} entries hashes to what its tile records, and is later than the one before`);
      await climb(levels, size, file, progress);
      if (!same(await subtree(levels, 0, size), root)) {
        throw new Fault(0, 'checkpoint', 'the signed root is not the root of these entries');
      }
      say('root', `All tiles lead to the signed root ${hex(root)}`);
      beyond(source, size);
      say('history', await history(levels, remembered, size, root));
      if (shown) say('inclusion', await included(levels, shown, size, root));
      const keep = { key: key.text, size, root: base64(root), peaks: [] };
      keep.peaks = peaks(size).map(({ level, start, count }) => base64(nodeAt(levels, level, start / count)));
      const { text: signer, fingerprint } = key;
      return { origin, size, root: hex(root), pinned, key: signer, fingerprint, keep, entry: shown?.text };
    } catch (fault) {
      throw Object.assign(fault, { checkpoint: note });
    }
  }

  /** The pinned key, or the folder's own, which must agree. */
  async function keyOf(source, vkey) {
    const bytes = await source.read('key', MAX.key);
    const published = bytes && String.fromCharCode(...bytes).replace(/\n$/, '');
    if (!vkey && !published) throw new Fault(0, 'key', 'the file is missing, and no key was given');
    if (vkey && published && vkey !== published) throw new Fault(0, 'key', 'the log\u2019s key is not the pinned key');
    return parseKey(vkey || published);
  }

  function notBehind(remembered, key, size) {
    if (remembered.key !== key.text) {
      throw new Fault(0, 'key', 'this browser saw this log under another key before');
    }
    if (size < remembered.size) {
      const what = `rolled back: this browser saw ${remembered.size} entries before, now there are ${size}`;
      throw new Fault(size, 'checkpoint', what);
    }
  }

  async function partials(size, read) {
    const edge = new Map();
    for (const shelf of ['entries', 0, 1, 2, 3, 4, 5, 6, 7]) {
      const tile = tileAt(shelf, Math.floor(size / below(shelf === 'entries' ? 0 : shelf) / WIDTH), size);
      if (tile?.partial) edge.set(tile.path, await read(tile));
    }
    return edge;
  }

  /** Hashes every entry and compares it with level 0. Gives the entry asked for. */
  async function entries(levels, size, file, wanted, progress) {
    const total = Math.ceil(size / WIDTH);
    const ask = (index) => {
      if (index >= total) return null;
      const [bundle, tile] = [tileAt('entries', index, size), tileAt(0, index, size)];
      const both = Promise.all([file(bundle), file(tile)]);
      both.catch(() => {}); // reported when its turn comes
      return { bundle, tile, both };
    };
    const asked = Array.from({ length: AHEAD }, (_, index) => ask(index));
    let before = '', shown = null;
    for (let index = 0; index < total; index += 1) {
      const { bundle, tile, both } = asked.shift();
      asked.push(ask(index + AHEAD));
      const [bytes, recorded] = await both;
      const { leaves, fault } = readBundle(bytes, bundle);
      const hashes = await Promise.all(leaves.map(leafHash));
      leaves.forEach((leaf, item) => {
        compare(tile, recorded, item, hashes[item], bundle, `the entry does not hash to what ${tile.path} records`);
        levels[0].set(hashes[item], (bundle.first + item) * HASH);
        const { time, text } = timeOf(leaf, bundle, item);
        if (time <= before) throw faultAt(bundle, item, 'the entry is not later than the one before');
        before = time;
        if (bundle.first + item === wanted) shown = { index: wanted, text };
      });
      if (fault) throw fault;
      progress({ step: 'entries', done: bundle.first + bundle.width, total: size });
      await breathe();
    }
    if (wanted !== undefined && wanted !== null && !shown) {
      throw new Fault(null, 'checkpoint', `there is no entry ${wanted}: the log has ${size}`);
    }
    return shown;
  }

  function timeOf(leaf, bundle, item) {
    try {
      const text = strict().decode(leaf);
      const { v, time } = JSON.parse(text);
      if (v === 1 && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/.test(time)) return { time, text };
    } catch { /* said below */ }
    throw faultAt(bundle, item, 'it is not an entry of this log\u2019s format');
  }

  /** Joins the hashes level by level, and compares each eighth level with its tiles. */
  async function climb(levels, size, file, progress) {
    for (let level = 1; level < levels.length; level += 1) {
      const count = levels[level].length / HASH;
      for (let from = 0; from < count; from += 512) {
        const nodes = Array.from({ length: Math.min(512, count - from) }, (_, at) => from + at);
        const under = (place) => nodeAt(levels, level - 1, place);
        const hashes = await Promise.all(nodes.map((node) => nodeHash(under(2 * node), under(2 * node + 1))));
        hashes.forEach((hash, at) => levels[level].set(hash, (from + at) * HASH));
        progress({ step: 'root', done: Math.round(size - count + from), total: size });
        await breathe();
      }
      for (let index = 0; level % 8 === 0; index += 1) {
        const tile = tileAt(level / 8, index, size);
        if (!tile) break;
        const bytes = await file(tile);
        for (let item = 0; item < tile.width; item += 1) {
          const computed = nodeAt(levels, level, index * WIDTH + item);
          compare(tile, bytes, item, computed, tile, 'the hash is not the root of the entries below it');
        }
      }
    }
  }

  /** In a picked folder: files of a larger log mean that an older checkpoint was put back. */
  function beyond(source, size) {
    for (const path of source.list?.() ?? []) {
      const [, shelf, groups, width] = /^tile\/(entries|[0-7])\/([x0-9/]+?)(?:\.p\/(\d+))?$/.exec(path) ?? [];
      if (!groups) continue;
      const reach = (Number(groups.replace(/[x/]/g, '')) * WIDTH + Number(width ?? WIDTH)) * below(Number(shelf) || 0);
      if (reach > size) {
        const what = `reaches beyond the checkpoint\u2019s ${size} entries: an older checkpoint was put back`;
        throw new Fault(size, path, what, true);
      }
    }
  }

  /** That the log this browser saw earlier is the beginning of this one. */
  async function history(levels, remembered, size, root) {
    if (!remembered) return 'First visit: nothing to compare with; this checkpoint is now remembered';
    const [old, oldRoot] = [remembered.size, unbase64(remembered.root) ?? []];
    const proof = old === 0 || old === size ? [] : await consistencyProof(levels, old, size);
    if (old === 0 || await verifyConsistency(old, oldRoot, size, root, proof)) {
      return `The ${old} entries that this browser saw before are unchanged; ${size - old} were added`;
    }
    const kept = (remembered.peaks ?? []).map(unbase64);
    const differs = ({ level, start, count }, at) => !same(kept[at] ?? [], nodeAt(levels, level, start / count));
    const bad = peaks(old).find(differs);
    const range = bad ? `one of the entries ${bad.start} to ${bad.start + bad.count - 1}` : `one of the first ${old} entries`;
    throw new Fault(bad?.start ?? 0, 'checkpoint', `history was rewritten: ${range} is not what this browser saw before`);
  }

  async function included(levels, { index, text }, size, root) {
    const path = await inclusionProof(levels, index, size);
    if (!(await verifyInclusion(await leafHash(utf8.encode(text)), index, size, path, root))) {
      throw new Fault(index, 'checkpoint', 'the entry is not under the signed root');
    }
    return `Entry ${index} is under the signed root, by a path of ${path.length} hashes`;
  }

  return { verify, fromUrl, fromFiles };
})();
