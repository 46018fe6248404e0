"use strict";
// One of the page's sections at a time says how it stands and what to do. Sections and words are the template's.
const main = document.querySelector("main");
const { key, token, expired } = main.dataset;

function show(state, said) {
  for (const section of document.querySelectorAll("[data-when]")) {
    section.hidden = !section.dataset.when.split(" ").includes(state);
  }
  const line = document.querySelector("#said");
  line.textContent = said ? line.dataset[said] || said : "";
  line.hidden = !said;
}

function bytes(base64url) {
  const padded = base64url.replace(/-/g, "+").replace(/_/g, "/");
  return Uint8Array.from(atob(padded), (letter) => letter.charCodeAt(0));
}

function same(buffer, wanted) {
  const held = new Uint8Array(buffer || []);
  return held.length === wanted.length && held.every((byte, place) => byte === wanted[place]);
}

async function post(path, body) {
  const answer = await fetch(token + path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
  });
  return { ok: answer.ok, status: answer.status, ...(await answer.json()) };
}

async function subscription() {
  const registration = await navigator.serviceWorker.ready;
  const held = await registration.pushManager.getSubscription();
  if (held && held.options.applicationServerKey && !same(held.options.applicationServerKey, bytes(key))) {
    await held.unsubscribe(); // made for a key that is no longer ours
    return null;
  }
  return held;
}

async function stand() {
  const standalone = matchMedia("(display-mode: standalone)").matches || navigator.standalone;
  if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) {
    const installs = /iPhone|iPad|Macintosh/.test(navigator.userAgent) && !standalone;
    return show(expired ? "expired" : installs ? "install" : "unsupported");
  }
  await navigator.serviceWorker.register("sw.js");
  const held = await subscription();
  if (held && (await post("/known", { endpoint: held.endpoint })).known) {
    return show("paired");
  }
  if (expired) {
    return show("expired");
  }
  return show(Notification.permission === "denied" ? "denied" : "ready");
}

async function subscribe() {
  // Asked for at once: a browser only listens while the tap is fresh.
  if ((await Notification.requestPermission()) !== "granted") {
    return show("denied");
  }
  const registration = await navigator.serviceWorker.ready;
  const held =
    (await subscription()) ||
    (await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) }));
  const answer = await post("", held.toJSON());
  return answer.ok ? show("paired", "added") : show(answer.status === 410 ? "expired" : "ready", answer.message);
}

async function test() {
  const held = await subscription();
  const answer = await post("/test", { endpoint: held ? held.endpoint : "" });
  return answer.ok ? show("paired", "sent") : show(answer.status === 404 ? "ready" : "paired", answer.message);
}

async function forget() {
  const held = await subscription();
  if (held) {
    await post("/forget", { endpoint: held.endpoint });
    await held.unsubscribe();
  }
  return show(expired ? "expired" : "ready", "removed");
}

function on(button, act) {
  document.querySelector(button).addEventListener("click", async (event) => {
    event.target.disabled = true;
    try {
      await act();
    } catch {
      show("failed");
    }
    event.target.disabled = false;
  });
}

on("#subscribe", subscribe);
on("#test", test);
on("#forget", forget);
stand().catch(() => show("failed"));
