"use strict";
// Passkeys: sign in, enrol, sign a statement. No library; the server sends and gets base64url.
// Forms say where to ask: `data-options` (challenge), `data-made` (new key), `data-own` (what it signed), `action` (answer).
(() => {
  const bytes = (text) => {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (c) => c.charCodeAt(0));
  };
  const text = (buffer) => {
    let plain = "";
    for (const byte of new Uint8Array(buffer)) plain += String.fromCharCode(byte);
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };

  /** A failure whose message is a sentence for the person. */
  class Told extends Error {}

  // What the browser says about WebAuthn, in plain words.
  const WORDS = {
    NotAllowedError: "Cancelled, or the time for it ran out. Nothing was sent. You can try again.",
    AbortError: "Cancelled. Nothing was sent. You can try again.",
    InvalidStateError: "This device already holds a passkey for this account. Use it to sign in.",
    SecurityError: "The browser does not allow passkeys at this address. Open the console by its own name, over HTTPS.",
    NotSupportedError: "This device cannot make the kind of passkey that is needed. Use another device or a security key.",
    ConstraintError: "This device cannot ask for a PIN, fingerprint or face. Set one up, or use a security key.",
  };
  const words = (error) =>
    error instanceof Told ? error.message : WORDS[error.name] || "The passkey could not be used. You can try again.";

  const LOST = "The server cannot be reached. Nothing was decided. What you entered is still here.";
  // The answer to a signature may be lost after the server has taken it: then nobody here can know.
  const UNSURE = "The connection broke after you signed. Load this page again to see whether it was taken.";

  /** POSTs and reads JSON; every way that this can fail becomes a sentence. */
  async function post(url, body, csrf, lost = LOST) {
    const headers = { Accept: "application/json" };
    if (csrf) headers["X-Bodh-Csrf"] = csrf;
    if (!(body instanceof URLSearchParams)) {
      headers["Content-Type"] = "application/json";
      body = JSON.stringify(body);
    }
    let answer;
    try {
      answer = await fetch(url, { method: "POST", headers, body, credentials: "same-origin", redirect: "error" });
    } catch {
      throw new Told(lost);
    }
    const told = await answer.json().catch(() => null);
    if (told && told.error) throw new Told(told.error);
    if (answer.status === 401 || answer.status === 403) {
      throw new Told("Your sign-in has expired or does not allow this. Sign in again in another tab, then try once more here.");
    }
    if (answer.status === 410) throw new Told("The time for this signature ran out. Try again.");
    if (!answer.ok || !told) {
      throw new Told(lost === UNSURE ? UNSURE : "The server could not answer. Nothing was decided. Try again in a moment.");
    }
    return told;
  }

  const named = (ids) => (ids || []).map((id) => ({ type: "public-key", id: bytes(id) }));

  /** Asks the device for a signature over the challenge, by one of these credentials, or by any. */
  async function sign(asked, credentials) {
    const made = await navigator.credentials.get({
      publicKey: {
        challenge: bytes(asked.challenge),
        rpId: asked.rp_id,
        userVerification: "required",
        allowCredentials: named(credentials),
        timeout: 120000,
      },
    });
    return {
      id: text(made.rawId),
      user: made.response.userHandle ? text(made.response.userHandle) : "",
      proof: {
        authenticator_data: text(made.response.authenticatorData),
        client_data: text(made.response.clientDataJSON),
        signature: text(made.response.signature),
      },
    };
  }

  const fields = (form) => new URLSearchParams(new FormData(form));
  const csrfOf = (form) => (form.elements.csrf ? form.elements.csrf.value : "");

  async function signIn(form) {
    const asked = await post(form.dataset.options, fields(form), csrfOf(form));
    const { id, user, proof } = await sign(asked);
    return post(form.action, { handle: asked.handle, user, credential: id, ...proof }, csrfOf(form), UNSURE);
  }

  /** Makes a key and has it sign once: one that cannot is found out now and not at 3 a.m. */
  async function make(form) {
    const asked = await post(form.dataset.options, fields(form), csrfOf(form));
    const made = await navigator.credentials.create({
      publicKey: {
        challenge: bytes(asked.challenge),
        rp: { id: asked.rp_id, name: "Bodh" },
        user: { id: bytes(asked.user_id), name: asked.user_name, displayName: asked.user_name },
        pubKeyCredParams: [{ type: "public-key", alg: -7 }],
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
        excludeCredentials: named(asked.exclude),
        attestation: "none",
        timeout: 120000,
      },
    });
    const key = made.response.getPublicKey && made.response.getPublicKey();
    if (!key) throw new Told(WORDS.NotSupportedError);
    const credential = text(made.rawId);
    const again = await post(form.dataset.made, { handle: asked.handle, credential, public_key: text(key) }, csrfOf(form));
    const { proof } = await sign(again, [credential]);
    return { handle: asked.handle, credential, ...proof };
  }

  const enrol = async (form) => post(form.action, await make(form), csrfOf(form), UNSURE);

  /** Shows the exact text that is about to be signed. */
  function show(form, statement) {
    const shown = form.querySelector(".statement");
    shown.hidden = !statement;
    shown.querySelector("pre").textContent = statement || "";
    if (statement) shown.scrollIntoView({ block: "nearest" });
  }

  /** One more key: it signs, and then one that the person has signs the same. */
  async function add(form) {
    show(form);
    const made = await make(form);
    const asked = await post(form.dataset.own, made, csrfOf(form));
    show(form, asked.statement);
    const { proof } = await sign(asked, asked.credentials);
    return post(form.action, { handle: made.handle, ...proof }, csrfOf(form), UNSURE);
  }

  // Every form whose content is signed: a decision, a review, a reversal, an invitation.
  async function touch(form) {
    show(form);
    const asked = await post(form.dataset.options, fields(form), csrfOf(form));
    show(form, asked.statement);
    const { proof } = await sign(asked, asked.credentials);
    return post(form.action, { handle: asked.handle, ...proof }, csrfOf(form), UNSURE);
  }

  /** Shows a link that is to be passed on, ready to be copied; what it was made from is cleared away. */
  function hand(form, link) {
    const shown = form.querySelector(".link");
    const field = shown.querySelector("input");
    const copy = shown.querySelector("button");
    form.reset();
    field.value = link;
    shown.hidden = false;
    field.focus();
    field.select();
    copy.onclick = () => {
      field.select();
      navigator.clipboard.writeText(link).then(() => (copy.textContent = "Copied"), () => {});
    };
  }

  /** Runs one journey per submit: one at a time, the fields stay as they are, a failure is a sentence. */
  function guard(form, journey) {
    const alert = form.querySelector("[role=alert]");
    const button = form.querySelector("button:not([type=button])");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (button.disabled) return;
      button.disabled = true;
      button.setAttribute("aria-busy", "true");
      alert.textContent = "";
      try {
        if (!window.isSecureContext || !window.PublicKeyCredential || !navigator.credentials) {
          throw new Told("This browser cannot use passkeys here. Use a current browser, over HTTPS.");
        }
        const { next, link } = await journey(form);
        if (link) {
          hand(form, link);
          return ready();
        }
        // Only a path of this server: never an address that an answer could have been made to hold.
        if (typeof next !== "string" || !/^\/(?![/\\])/.test(next)) throw new Told("The server's answer was not understood.");
        location.assign(next);
      } catch (error) {
        alert.textContent = words(error);
        ready();
        button.focus();
      }
    });
    const ready = () => {
      button.disabled = false;
      button.removeAttribute("aria-busy");
    };
    // A page that comes back from the browser's cache must not keep a dead button.
    window.addEventListener("pageshow", ready);
  }

  for (const [forms, journey] of [["#sign-in", signIn], ["#enrol", enrol], ["#add-key", add], ["form[data-touch]", touch]]) {
    for (const form of document.querySelectorAll(forms)) guard(form, journey);
  }
})();
