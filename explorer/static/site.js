// What JavaScript adds: ticking ages, copy buttons, keys, the theme without a reload, the newest block as it comes.
"use strict";

const UNITS = [[31557600, "year"], [2629800, "month"], [86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
const POLL_MS = 4000;

// The same words as the server's.
function duration(seconds) {
  for (const [length, unit] of UNITS) {
    if (seconds >= length) {
      const n = Math.floor(seconds / length);
      return `${n} ${unit}${n === 1 ? "" : "s"}`;
    }
  }
  return "0 seconds";
}

function tick() {
  const now = Math.floor(Date.now() / 1000);
  for (const time of document.querySelectorAll("time[data-age]")) {
    const passed = now - Math.floor(Date.parse(time.dateTime) / 1000);
    const text = Math.abs(passed) < 5 ? "just now" : passed > 0 ? `${duration(passed)} ago` : `${duration(-passed)} ahead`;
    if (time.textContent !== text) time.textContent = text;
  }
}

function showCopyButtons(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("button[data-copy]")) button.hidden = false;
}

async function copy(button) {
  await navigator.clipboard.writeText(button.dataset.copy);
  const label = button.getAttribute("aria-label");
  button.classList.add("done");
  button.setAttribute("aria-label", "Copied");
  setTimeout(() => {
    button.classList.remove("done");
    button.setAttribute("aria-label", label);
  }, 1500);
}

function onKey(event) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, textarea, select")) return;
  if (event.key === "/") {
    event.preventDefault();
    document.getElementById("q")?.focus();
  } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
    document.querySelector(`.steps a[rel=${event.key === "ArrowLeft" ? "prev" : "next"}]`)?.click();
  }
}

function chooseTheme(event) {
  const theme = event.submitter?.value;
  if (!theme) return;
  event.preventDefault();
  const known = theme === "light" || theme === "dark";
  document.cookie = `theme=${known ? theme : ""}; path=/; samesite=lax; max-age=${known ? 31536000 : 0}`;
  if (known) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  for (const button of event.target.querySelectorAll("button")) button.setAttribute("aria-pressed", button.value === theme);
}

// The first page follows the chain while it is looked at: the server's own HTML takes the place of the old one.
function follow(live) {
  const button = document.getElementById("pause");
  let paused = false;
  button.parentElement.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    button.setAttribute("aria-pressed", paused);
    button.textContent = paused ? "Resume live updates" : "Pause live updates";
  });
  const newest = async () => {
    const status = await (await fetch(live.dataset.live, { headers: { Accept: "application/json" } })).json();
    if (!status.tip || status.tip.hash === live.dataset.tip) return;
    const html = await (await fetch("/", { headers: { Accept: "text/html" } })).text();
    const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("live");
    if (!fresh || live.contains(document.activeElement)) return;
    live.replaceChildren(...fresh.childNodes);
    live.dataset.tip = fresh.dataset.tip;
    showCopyButtons(live);
    tick();
    document.getElementById("announce").textContent = `New block ${status.tip.height}`;
  };
  const again = async () => {
    try {
      if (!paused && document.visibilityState === "visible") await newest();
    } catch (error) {
      console.warn("no newer block could be fetched", error);
    }
    setTimeout(again, POLL_MS);
  };
  setTimeout(again, POLL_MS);
}

setInterval(tick, 1000);
showCopyButtons(document);
document.addEventListener("keydown", onKey);
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-copy]");
  if (button) copy(button);
});
document.querySelector(".themes")?.addEventListener("submit", chooseTheme);
const live = document.getElementById("live");
if (live) follow(live);
