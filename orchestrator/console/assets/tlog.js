// The formats of a transparency log, for a browser: keys, signed notes, checkpoints, tiles and Merkle proofs.
//
// RFC 6962 section 2.1, RFC 9162 section 2.1, C2SP signed-note, tlog-checkpoint and tlog-tiles. Pure: no page, no network.
'use strict';

globalThis.bodhTlog = (() => {
  const WIDTH = 256; // hashes in a full tile, entries in a full bundle
  const HASH = 32; // bytes of a hash

  /** The first thing found wrong: the first bad entry (null when no entry is concerned), where, and what. */
  class Fault extends Error {
    constructor(index, place, what, passing = false) {
      super(what);
      Object.assign(this, { index, place, what, passing });
    }
  }

  // Bytes and hashes.

  const utf8 = new TextEncoder();
  const strict = () => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const join = (...parts) => {
    const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    parts.reduce((at, part) => (out.set(part, at), at + part.length), 0);
    return out;
  };
  const same = (a, b) => a.length === b.length && a.every((byte, at) => byte === b[at]);
  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const base64 = (bytes) => btoa(String.fromCharCode(...bytes));
  /** Canonical padded base64, or null. */
  const unbase64 = (text) => {
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return null;
    const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    return base64(bytes) === text ? bytes : null;
  };
  const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest('SHA-256', join(...parts)));
  const leafHash = (leaf) => sha256([0x00], leaf);
  const nodeHash = (left, right) => sha256([0x01], left, right);

  // Keys, notes and checkpoints.

  const isName = (name) => name.length > 0 && utf8.encode(name).length <= 200 && !/[\s+\p{Cc}]/u.test(name);

  /** Reads `NAME+KEYID+BASE64(0x01 || Ed25519 key)`. */
  async function parseKey(text) {
    const wrong = new Fault(0, 'key', 'not a key in the form NAME+KEYID+BASE64 with its own key id');
    const [, name, id, encoded] = /^([^+]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text) ?? [];
    const bytes = encoded && unbase64(encoded);
    if (!bytes || bytes.length !== 1 + HASH || bytes[0] !== 0x01 || !isName(name)) throw wrong;
    const fingerprint = hex(await sha256(utf8.encode(`${name}\n`), bytes));
    if (!fingerprint.startsWith(id)) throw wrong;
    return { text, name, id, key: bytes.slice(1), fingerprint };
  }

  /** Splits a signed note into its text and signatures. */
  function parseNote(bytes) {
    const wrong = new Fault(0, 'checkpoint', 'not a signed note: a text, a blank line and signature lines');
    let note;
    try { note = strict().decode(bytes); } catch { throw wrong; }
    const cut = note.lastIndexOf('\n\n');
    if (cut < 0 || !note.endsWith('\n') || /(?!\n)\p{Cc}/u.test(note)) throw wrong;
    const lines = note.slice(cut + 2, -1).split('\n');
    if (lines.length > 64) throw wrong;
    const signatures = lines.map((line) => {
      const [, name, encoded] = /^\u2014 (\S+) (\S+)$/.exec(line) ?? [];
      const blob = encoded && unbase64(encoded);
      if (!blob || blob.length < 5 || !isName(name)) throw wrong;
      return { name, id: hex(blob.slice(0, 4)), bytes: blob.slice(4) };
    });
    return { text: note.slice(0, cut + 1), signatures };
  }

  /** Reads origin, size and root, one line each, and nothing else. */
  function parseCheckpoint(text) {
    const [, origin, digits, encoded] = /^([^\n]+)\n(0|[1-9][0-9]{0,15})\n([^\n]+)\n$/.exec(text) ?? [];
    const root = encoded && unbase64(encoded);
    if (!root || root.length !== HASH || !Number.isSafeInteger(Number(digits))) {
      throw new Fault(0, 'checkpoint', 'the checkpoint is not origin, size and root, one line each');
    }
    return { origin, size: Number(digits), root };
  }

  /** Verifies the note's signature by this key and reads the checkpoint in it. */
  async function openCheckpoint(bytes, key) {
    const note = parseNote(bytes);
    const ours = note.signatures.filter(({ name, id }) => name === key.name && id === key.id);
    if (ours.length === 0) throw new Fault(0, 'checkpoint', 'no signature by the expected key');
    let imported;
    try {
      imported = await crypto.subtle.importKey('raw', key.key, { name: 'Ed25519' }, false, ['verify']);
    } catch {
      throw new Fault(null, 'key', 'this browser cannot check Ed25519 signatures, so nothing is verified; use a newer one');
    }
    for (const { bytes: signature } of ours) {
      if (!(await crypto.subtle.verify({ name: 'Ed25519' }, imported, signature, utf8.encode(note.text)))) {
        throw new Fault(0, 'checkpoint', 'the signature does not verify');
      }
    }
    const checkpoint = parseCheckpoint(note.text);
    if (checkpoint.origin !== key.name) throw new Fault(0, 'checkpoint', 'the checkpoint names another log than the key');
    return checkpoint;
  }

  // Tiles.

  const below = (level) => WIDTH ** level; // leaves below one hash of a tile of this level

  /** The tile or bundle at `index` in a tree of `size` leaves, or null. `shelf` is a level or `entries`. */
  function tileAt(shelf, index, size) {
    const level = shelf === 'entries' ? 0 : shelf;
    const width = Math.min(Math.floor(size / below(level)) - index * WIDTH, WIDTH);
    if (width <= 0) return null;
    const groups = String(index).padStart(Math.ceil(String(index).length / 3) * 3, '0').match(/.{3}/g);
    const name = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/');
    const path = `tile/${shelf}/${name}${width < WIDTH ? `.p/${width}` : ''}`;
    return { shelf, level, width, path, first: index * WIDTH * below(level), partial: width < WIDTH };
  }

  /** A fault in one tile or bundle, at the item with this place in it. */
  const faultAt = (tile, item, what, passing) => new Fault(tile.first + item * below(tile.level), tile.path, what, passing);

  /**
   * The entries of a bundle, each after its length, 16 bits big-endian; and what is wrong after the last one, if anything:
   * the entries before it are looked at first, so that the first bad one is named.
   */
  function readBundle(bytes, tile) {
    const leaves = [];
    const until = (fault) => ({ leaves, fault: fault && faultAt(tile, leaves.length, fault) });
    for (let at = 0; at < bytes.length;) {
      const end = at + 2 + bytes[at] * 256 + (bytes[at + 1] ?? NaN);
      if (leaves.length === tile.width) return until(`the bundle goes on after ${tile.width} entries`);
      if (!(end <= bytes.length)) return until('the entry bundle ends inside an entry');
      leaves.push(bytes.subarray(at + 2, end));
      at = end;
    }
    return until(leaves.length < tile.width ? `the bundle ends after ${leaves.length} of ${tile.width} entries` : null);
  }

  /** Compares one computed hash with what a tile records; `at` is where to say that it differs. */
  function compare(tile, bytes, item, computed, at, what) {
    const recorded = bytes.subarray(item * HASH, (item + 1) * HASH);
    if (recorded.length < HASH) throw faultAt(tile, item, `the tile ends after ${item} of ${tile.width} hashes`);
    if (!same(recorded, computed)) throw faultAt(at, item, what);
    const last = item === tile.width - 1;
    if (last && bytes.length > tile.width * HASH) throw faultAt(tile, tile.width, `the tile goes on after ${tile.width} hashes`);
  }

  // The tree: `levels[l]` holds the roots of all perfect subtrees of 2^l leaves, one after the other.

  const newLevels = (size) => {
    const levels = [];
    for (let count = size; count > 0; count = Math.floor(count / 2)) levels.push(new Uint8Array(count * HASH));
    return levels;
  };
  const nodeAt = (levels, level, index) => levels[level].subarray(index * HASH, (index + 1) * HASH);
  const isPower = (count) => 2 ** Math.round(Math.log2(count)) === count;
  const split = (count) => 2 ** Math.floor(Math.log2(count - 1)); // the largest power of two below `count`, up to 2^40

  async function subtree(levels, start, count) {
    if (count === 0) return sha256();
    if (isPower(count)) return nodeAt(levels, Math.round(Math.log2(count)), start / count);
    const left = split(count);
    return nodeHash(await subtree(levels, start, left), await subtree(levels, start + left, count - left));
  }

  /** RFC 6962, PATH(index, D[size]). */
  async function inclusionProof(levels, index, size) {
    const path = [];
    for (let start = 0, count = size; count > 1;) {
      const left = split(count);
      const goLeft = index - start < left;
      path.unshift(goLeft ? await subtree(levels, start + left, count - left) : await subtree(levels, start, left));
      start += goLeft ? 0 : left;
      count = goLeft ? left : count - left;
    }
    return path;
  }

  /** RFC 6962, PROOF(old, D[size]), for 0 < old <= size. */
  async function consistencyProof(levels, old, size) {
    const proof = [];
    let start = 0, count = size, whole = true;
    while (old - start < count) {
      const left = split(count);
      const goLeft = old - start <= left;
      proof.unshift(goLeft ? await subtree(levels, start + left, count - left) : await subtree(levels, start, left));
      start += goLeft ? 0 : left;
      count = goLeft ? left : count - left;
      whole &&= goLeft;
    }
    if (!whole) proof.unshift(await subtree(levels, start, count));
    return proof;
  }

  // One step of RFC 9162, sections 2.1.3.2 and 2.1.4.2: whether the sibling is on the left, and where the path goes on.
  function step(node, last) {
    const left = node % 2 === 1 || node === last;
    if (left) while (node % 2 === 0 && node !== 0) { node /= 2; last = Math.floor(last / 2); }
    return { left, node: Math.floor(node / 2), last: Math.floor(last / 2) };
  }

  /** RFC 9162, section 2.1.3.2. */
  async function verifyInclusion(leaf, index, size, path, root) {
    if (index >= size || [leaf, root, ...path].some((hash) => hash.length !== HASH)) return false;
    let node = index, last = size - 1, hash = leaf, left;
    for (const sibling of path) {
      if (last === 0) return false;
      ({ left, node, last } = step(node, last));
      hash = left ? await nodeHash(sibling, hash) : await nodeHash(hash, sibling);
    }
    return last === 0 && same(hash, root);
  }

  /** RFC 9162, section 2.1.4.2, for 0 < old: the empty tree is a prefix of every tree, and says nothing. */
  async function verifyConsistency(old, oldRoot, size, root, proof) {
    if (old === 0 || old > size) return false;
    if (old === size) return proof.length === 0 && same(oldRoot, root);
    const [first, ...rest] = isPower(old) ? [oldRoot, ...proof] : proof;
    if (!first) return false;
    let node = old - 1, last = size - 1, fromOld = first, fromNew = first, left;
    while (node % 2 === 1) { node = Math.floor(node / 2); last = Math.floor(last / 2); }
    for (const hash of rest) {
      if (last === 0) return false;
      ({ left, node, last } = step(node, last));
      fromNew = left ? await nodeHash(hash, fromNew) : await nodeHash(fromNew, hash);
      if (left) fromOld = await nodeHash(hash, fromOld);
    }
    return last === 0 && same(fromOld, oldRoot) && same(fromNew, root);
  }

  /** The roots of the perfect subtrees of a tree, largest first: what is kept to say later where a log was changed. */
  const peaks = (size) => {
    const found = [];
    for (let start = 0, rest = size; rest > 0; rest = size - start) {
      const count = 2 ** Math.floor(Math.log2(rest));
      found.push({ start, count, level: Math.log2(count) });
      start += count;
    }
    return found;
  };

  return {
    WIDTH, HASH, Fault, utf8, strict, same, hex, base64, unbase64, leafHash, nodeHash, parseKey, parseNote, parseCheckpoint, openCheckpoint,
    below, tileAt, faultAt, readBundle, compare, newLevels, nodeAt, subtree, peaks, inclusionProof, consistencyProof,
    verifyInclusion, verifyConsistency,
  };
})();
