// Shows what was pushed; "Acknowledge" posts to the link in the push, a tap opens it. Keeps nothing, loads nothing.
"use strict";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  let told = {};
  try {
    told = event.data.json();
  } catch {
    told = {}; // a browser wants something shown for each push, and so it is
  }
  const button = told.acknowledge;
  event.waitUntil(
    self.registration.showNotification(told.title || "Escalator", {
      body: told.body || "",
      tag: told.tag || "escalator",
      renotify: !told.quiet,
      silent: Boolean(told.quiet),
      requireInteraction: !told.quiet,
      lang: told.language || "en",
      icon: "icon-192.png",
      badge: "badge.png",
      actions: button ? [{ action: "acknowledge", title: button.label }] : [],
      data: { url: told.url || "", acknowledge: button ? button.url : "" },
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  const { url, acknowledge } = event.notification.data || {};
  event.notification.close();
  if (event.action === "acknowledge" && acknowledge) {
    event.waitUntil(take(event.notification, acknowledge));
  } else if (url) {
    event.waitUntil(self.clients.openWindow(url));
  }
});

async function take(notification, link) {
  let said = "";
  try {
    const answer = await fetch(link, { method: "POST", headers: { Accept: "application/json" } });
    said = (await answer.json()).message || "";
    if (answer.ok) {
      return self.registration.showNotification(notification.title, {
        body: said, tag: notification.tag, silent: true, icon: "icon-192.png", badge: "badge.png", data: { url: link },
      });
    }
  } catch {
    said = ""; // no network: the page behind the link says so, and can be tried again
  }
  return self.clients.openWindow(link);
}

// Browsers give a subscription up now and then; the new one takes the place of the old one, which proves who asks.
self.addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil(renew(event.oldSubscription, event.newSubscription));
});

async function renew(old, fresh) {
  if (!old) {
    return;
  }
  const subscription = fresh || (await self.registration.pushManager.subscribe(old.options));
  await fetch("renew", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ old: old.endpoint, subscription }),
  });
}
