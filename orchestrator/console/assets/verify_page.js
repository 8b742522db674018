// The page around verify.js: a form, a list of checks and a memory of the last checkpoint. Needs tlog.js and verify.js.
'use strict';

(() => {
  const { verify, fromUrl, fromFiles } = globalThis.bodhVerify;
  const form = document.getElementById('verify');
  if (!form) return;
  const part = (name) => document.getElementById(`verify-${name}`);
  const [key, folder, index, start, bar, result, memory] =
    ['key', 'folder', 'index', 'start', 'progress', 'result', 'memory'].map(part);
  const offline = location.protocol === 'file:';
  const SHELF = 'bodh-checkpoints'; // localStorage: the last good checkpoint per log name

  const say = (node, text, state) => {
    node.textContent = text;
    if (state) node.dataset.state = state;
    else delete node.dataset.state;
  };

  // Memory. A browser that refuses storage only forgets.
  const recall = () => {
    try { return JSON.parse(localStorage.getItem(SHELF)) ?? {}; } catch { return {}; }
  };
  const keep = (all) => {
    try { localStorage.setItem(SHELF, JSON.stringify(all)); } catch { /* only forgotten */ }
  };
  const showMemory = () => {
    const all = Object.entries(recall());
    const lines = all.map(([name, kept]) => `${name}: ${kept.size} entries, seen ${kept.seen} by this computer’s clock`);
    memory.textContent = lines.length > 0 ? `Remembered here: ${lines.join('; ')}.` : 'Nothing is remembered here yet.';
  };

  const item = (step) => document.querySelector(`#verify-steps [data-step="${step}"]`);
  const mark = (step, state, text) => {
    const line = item(step);
    if (!line) return;
    line.dataset.state = state;
    line.querySelector('.step-state').textContent = { ok: 'good', failed: 'FAILED', busy: 'checking', idle: 'not yet', skipped: 'not asked' }[state];
    line.querySelector('.step-text').textContent = text;
  };
  const ORDER = ['signature', 'entries', 'root', 'history', 'inclusion'];

  function progress({ step, done, total }) {
    const before = ORDER.slice(0, ORDER.indexOf(step));
    for (const name of before) if (item(name)?.dataset.state === 'idle') mark(name, 'busy', '');
    mark(step, 'busy', `${done.toLocaleString('en')} of ${total.toLocaleString('en')}`);
    bar.value = (step === 'entries' ? 0 : 0.7) + (step === 'entries' ? 0.7 : 0.3) * (total ? done / total : 1);
  }

  async function run() {
    const local = offline || form.elements.from.value === 'folder';
    if (local && folder.files.length === 0) {
      say(result, 'Choose the folder that holds the log: the file named checkpoint and the folder named tile.', 'failed');
      folder.focus();
      return;
    }
    const source = local ? fromFiles(folder.files) : fromUrl(new URL(form.dataset.log, location.href).href);
    const wanted = index.value === '' ? null : Number(index.value);
    const vkey = key.value.trim();
    const name = vkey.split('+')[0] || new TextDecoder().decode((await source.read('key', 1_024)) ?? new Uint8Array()).split('+')[0];
    const all = recall();
    const report = await verify(source, { vkey, index: wanted, remembered: all[name] ?? null, progress });
    report.steps.forEach(({ step, text }) => mark(step, 'ok', text));
    if (report.ok) {
      if (wanted === null) mark('inclusion', 'skipped', 'no entry was chosen');
      part('entry').textContent = report.entry ? JSON.stringify(JSON.parse(report.entry), null, 1) : '';
      part('entry').hidden = !report.entry;
      const others = Object.keys(all).filter((other) => other !== name);
      const strange = !all[name] && others.length > 0 ? ` This browser knew only other logs before: ${others.join(', ')}.` : '';
      keep({ ...all, [name]: { ...report.keep, seen: `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC` } });
      const whose = report.pinned ? 'Signed by the key that you gave.' : `Internally consistent; key not pinned: ${report.fingerprint}`;
      say(result, `The log is whole: ${report.size} entries. ${whose}${strange}`, report.pinned ? 'ok' : 'warn');
    } else {
      const at = ORDER.find((step) => !report.steps.some((done) => done.step === step));
      const { index: bad, place, what } = report.fault;
      ORDER.slice(ORDER.indexOf(at) + 1).forEach((step) => mark(step, 'idle', ''));
      mark(at, 'failed', `${place}: ${what}`);
      say(result, `NOT verified. ${bad === null ? '' : `First bad entry: ${bad}. `}${place}: ${what}.`, 'failed');
    }
  }

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    start.disabled = true;
    bar.hidden = false;
    bar.value = 0;
    part('entry').hidden = true;
    ORDER.forEach((step) => mark(step, 'idle', ''));
    say(result, 'Checking\u2026');
    try {
      await run();
    } catch (cause) {
      say(result, `NOT verified. The check itself failed: ${cause.what ?? cause.message}`, 'failed');
    }
    bar.hidden = true;
    start.disabled = false;
    showMemory();
  });

  part('forget').addEventListener('click', () => {
    try { localStorage.removeItem(SHELF); } catch { /* nothing was kept */ }
    showMemory();
  });

  if (offline) {
    form.elements.from.value = 'folder';
    form.querySelector('[name="from"][value="url"]').disabled = true;
  }
  folder.addEventListener('change', () => { form.elements.from.value = 'folder'; });
  start.disabled = false;
  showMemory();
})();
