// Pages that follow the chain: when something happens, the server's own HTML of the page takes the place of the old.
"use strict";

(() => {
  const WORDS = JSON.parse(document.currentScript.dataset.words); // in the language of the page
  const POLL_MS = 4000;
  const AGAIN_MS = 60000;
  const LEAST_MS = 300; // between two looks at the page
  const live = document.getElementById("live");
  const button = document.getElementById("live-switch");
  if (!live || !button || button.dataset.ready) return;
  button.dataset.ready = "yes";
  const kinds = live.dataset.live.split(",");
  let stream = null;
  let poll = 0;
  let due = "";
  let busy = false;
  let known = live.dataset.tip;
  let paused = sessionStorage.getItem("paused") === "yes";

  // What the person is at stays where it is: focus, selected text, an open menu.
  const held = () => {
    const selection = getSelection();
    const selecting = !selection.isCollapsed && live.contains(selection.anchorNode);
    return paused || document.hidden || selecting || live.contains(document.activeElement);
  };

  const show = () => {
    const state = paused ? WORDS.paused : due && held() ? WORDS.waiting : WORDS.live;
    button.querySelector("span").textContent = state;
    button.title = paused ? WORDS.resume : WORDS.pause;
    button.classList.toggle("off", paused);
  };

  // Makes `old` equal to `fresh` and touches nothing that is equal already: no flicker, no jump, links stay links.
  const renew = (old, fresh) => {
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) return old.replaceWith(fresh.cloneNode(true));
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    const theirs = [...fresh.childNodes];
    const ours = [...old.childNodes];
    theirs.forEach((child, n) => (ours[n] ? renew(ours[n], child) : old.append(child.cloneNode(true))));
    ours.slice(theirs.length).forEach((child) => child.remove());
  };

  const fetched = async () => {
    const answer = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" } });
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  };

  const look = async () => {
    if (!due || busy) return;
    if (held()) return show();
    busy = true;
    const wanted = due;
    due = "";
    try {
      const page = await fetched();
      const fresh = page.getElementById("live");
      if (fresh && held()) due = due || wanted;
      else if (fresh) {
        renew(live, fresh);
        for (const part of document.querySelectorAll("[data-follow]")) {
          const other = page.getElementById(part.id);
          if (other) renew(part, other);
        }
        document.title = page.title;
        document.dispatchEvent(new CustomEvent("renewed", { detail: live }));
        if (wanted !== "changed" && live.dataset.tip !== wanted) due = due || wanted; // a page from a moment before
        const news = WORDS.block.replace("%(height)s", live.dataset.height);
        if (live.dataset.tip !== known) document.getElementById("announce").textContent = news;
        known = live.dataset.tip;
      }
    } catch (error) {
      console.warn("the newer page could not be fetched", error);
      due = due || wanted;
    }
    setTimeout(() => {
      busy = false;
      look();
    }, LEAST_MS);
    show();
  };

  const changed = (tip) => {
    due = tip || "changed";
    look();
  };

  const asked = async () => {
    try {
      const status = await (await fetch("/api/v1/status", { headers: { Accept: "application/json" } })).json();
      if (status.tip && status.tip.hash !== live.dataset.tip) changed(status.tip.hash);
    } catch (error) {
      console.warn("the newest block could not be asked for", error);
    }
  };

  const close = () => {
    stream?.close();
    stream = null;
    delete button.dataset.stream;
    clearInterval(poll);
    poll = 0;
  };

  const open = () => {
    close();
    if (paused || document.hidden) return;
    const about = live.dataset.about ? `&${live.dataset.about}` : "";
    stream = new EventSource(`/api/v1/events?kinds=${kinds.join()}${about}`);
    stream.addEventListener("open", () => (button.dataset.stream = "open"));
    const tip = (event) => JSON.parse(event.data).tip?.hash;
    for (const kind of kinds) stream.addEventListener(kind, (event) => changed(kind === "transaction" ? "" : tip(event)));
    stream.addEventListener("reset", () => changed(""));
    stream.addEventListener("tip", (event) => {
      if (kinds.includes("transaction")) changed("");
      else if (tip(event) !== live.dataset.tip) changed(tip(event));
    });
    stream.addEventListener("error", () => {
      if (stream?.readyState !== EventSource.CLOSED) return; // it comes back by itself
      close();
      poll = setInterval(asked, POLL_MS);
      setTimeout(() => poll && open(), AGAIN_MS);
    });
  };

  button.addEventListener("click", () => {
    paused = !paused;
    sessionStorage.setItem("paused", paused ? "yes" : "no");
    open();
    show();
  });
  document.addEventListener("visibilitychange", open);
  live.addEventListener("focusout", () => setTimeout(look, 50));
  document.addEventListener("selectionchange", () => due && look());
  button.classList.remove("absent");
  show();
  open();
})();
