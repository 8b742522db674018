"use strict";
// Keeps a session's page up to date, and reads a case file into the form. Without it every page still works by reloading.
(() => {
  const STATES = { live: "live", again: "reconnecting", ended: "at rest", out: "signed out: load the page again" };
  let source = null;
  let wait = 1000;
  let timer = 0;
  let busy = false;
  let stale = false;
  let over = false;
  let state = "";

  const part = () => document.getElementById("live");

  /** The small word beside the links; it is part of what is replaced, so it is set again after each change. */
  function show(next) {
    state = next;
    const mark = document.getElementById("live-state");
    if (!mark) return;
    mark.hidden = false;
    mark.className = `live-state ${state}`;
    mark.textContent = STATES[state];
  }

  /** Puts `fresh`'s content into `old`: open folds stay open, closed ones closed, and the focus stays where it was. */
  function replace(old, fresh) {
    const folds = new Map([...old.querySelectorAll("details[id]")].map((fold) => [fold.id, fold.open]));
    const held = old.contains(document.activeElement) ? path(old, document.activeElement) : null;
    const said = (live) => (live.querySelector("[data-say]") || { dataset: {} }).dataset.say || "";
    const before = said(old);
    old.replaceChildren(...fresh.childNodes);
    old.dataset.version = fresh.dataset.version || "";
    for (const [id, open] of folds) {
      const fold = document.getElementById(id);
      if (fold) fold.open = open;
    }
    const again = held && find(old, held);
    if (again) again.focus({ preventScroll: true });
    // One sentence for those who listen: a whole page read out at every step would be of no use.
    if (said(old) !== before) document.getElementById("live-said").textContent = said(old);
    if (state) show(state);
  }

  // Where an element stands: the nearest id above it, and its place among that element's focusable ones.
  const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]";
  function path(root, element) {
    if (element.id) return { id: element.id, at: -1 };
    const near = element.closest("[id]") || root;
    return { id: near.id, at: [...near.querySelectorAll(FOCUSABLE)].indexOf(element) };
  }
  function find(root, { id, at }) {
    const near = id ? document.getElementById(id) : root;
    return near && at >= 0 ? near.querySelectorAll(FOCUSABLE)[at] : near;
  }

  /** Fetches the part again; changes that come meanwhile are fetched once more, so that none is lost. */
  async function refresh() {
    stale = true;
    if (busy) return;
    busy = true;
    try {
      while (stale) {
        stale = false;
        const url = new URL(location.href);
        url.hash = "";
        url.searchParams.set("part", "live");
        const answer = await fetch(url, { headers: { Accept: "text/html" }, credentials: "same-origin", cache: "no-store" });
        if (answer.redirected || answer.status === 401 || answer.status === 403) return finish("out");
        if (!answer.ok) throw new Error(String(answer.status));
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
        if (!fresh) throw new Error("no part");
        replace(part(), fresh);
      }
    } catch {
      retry();
    } finally {
      busy = false;
    }
  }

  function finish(last) {
    over = true;
    clearTimeout(timer);
    if (source) source.close();
    show(last);
  }

  function retry() {
    if (source) source.close();
    if (over) return;
    show("again");
    clearTimeout(timer);
    // Up to half more at random: two hundred viewers do not come back in the same moment.
    timer = setTimeout(connect, wait * (1 + Math.random() / 2));
    wait = Math.min(wait * 2, 30000);
  }

  function connect() {
    source = new EventSource(part().dataset.events);
    let first = true;
    source.addEventListener("open", () => {
      show("live");
      wait = 1000;
      // What changed while nobody listened.
      if (first && state) refresh();
      first = false;
    });
    source.addEventListener("changed", refresh);
    source.addEventListener("ended", async () => {
      source.close();
      await refresh();
      // A fetch that failed tries again by itself; then it is not over yet.
      if (state !== "again") finish(state === "out" ? "out" : "ended");
    });
    source.addEventListener("error", retry);
  }

  if (part() && part().dataset.events && window.EventSource) connect();

  // The file picker: reads the file into the text field on this computer; nothing is sent by it.
  for (const picker of document.querySelectorAll("[data-picker]")) {
    const field = document.getElementById(picker.dataset.picker);
    const file = picker.querySelector("input[type=file]");
    const told = picker.querySelector("[role=status]");
    const most = Number(picker.dataset.most);
    picker.hidden = false;
    file.addEventListener("change", async () => {
      const chosen = file.files[0];
      if (!chosen) return;
      if (most && chosen.size > most) {
        told.textContent = "That file is too large for a case. Nothing was read.";
        return;
      }
      try {
        const read = new TextDecoder("utf-8", { fatal: true }).decode(await chosen.arrayBuffer());
        field.value = read;
        told.textContent = `Read ${chosen.name} into the field above. Look at it before you start.`;
      } catch {
        told.textContent = "That file is not text in UTF-8. Nothing was read.";
      }
    });
  }
})();
