// What JavaScript adds: ticking ages, times of the place, copy buttons, keys, the theme without a reload, suggestions.
"use strict";

const WORDS = JSON.parse(document.currentScript.dataset.words); // in the language of the page
const UNITS = [[31557600, "year"], [2629800, "month"], [86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
const WAIT_MS = 120; // between a key and the question for suggestions

// The same words as the server's: of a length of time in its largest unit.
function told(seconds, forms) {
  const [length, unit] = UNITS.find(([length]) => seconds >= length);
  const n = Math.floor(seconds / length);
  return forms[unit][n === 1 ? 0 : 1].replace(/\d+/, n);
}

function tick() {
  const now = Math.floor(Date.now() / 1000);
  for (const time of document.querySelectorAll("time[data-age]")) {
    const passed = now - Math.floor(Date.parse(time.dateTime) / 1000);
    const text = Math.abs(passed) < 5 ? WORDS.now : passed > 0 ? told(passed, WORDS.ago) : told(-passed, WORDS.ahead);
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
  button.setAttribute("aria-label", WORDS.copied);
  setTimeout(() => {
    button.classList.remove("done");
    button.setAttribute("aria-label", label);
  }, 1500);
}

function onKey(event) {
  const find = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k";
  if (!find && (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey)) return;
  if (!find && event.target.closest("input, textarea, select")) return;
  if (find || event.key === "/") {
    event.preventDefault();
    document.getElementById("q")?.select();
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

// Moments are written in UTC by the server; on demand in the time of the place, with the UTC time as their title.
function localTime(date) {
  const two = (number) => String(number).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const parts = new Intl.DateTimeFormat("en", { timeZoneName: "short" }).formatToParts(date);
  const zone = parts.find((part) => part.type === "timeZoneName").value;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone}`;
}

function showTimes() {
  const local = localStorage.getItem("zone") === "local";
  for (const time of document.querySelectorAll("time[datetime*=T]")) {
    if (/^\d{4}-\d\d-\d\d$/.test(time.textContent)) continue; // no more than the day is meant
    const date = new Date(time.dateTime);
    const utc = `${time.dateTime.slice(0, 10)} ${time.dateTime.slice(11, 19)} UTC`;
    const told = local ? localTime(date) : utc;
    if ("age" in time.dataset) time.title = told;
    else {
      if (time.textContent !== told) time.textContent = told;
      time.title = local ? utc : "";
    }
  }
  for (const button of document.querySelectorAll(".zones button")) {
    button.setAttribute("aria-pressed", (button.value === "local") === local);
  }
}

function chooseZone(event) {
  const zone = event.target.closest("button")?.value;
  if (!zone) return;
  localStorage.setItem("zone", zone);
  showTimes();
}

// Amounts are written in FLUX with all their digits; on demand in zatoshi, with the FLUX as their title.
const inFlux = new WeakMap(); // what stood there: the nodes of an amount, the text of a heading or label

function zatoshi(text) {
  const digits = text.replace(/[^\d.]/g, "").replace(".", "").replace(/^0+(?=\d)/, "");
  return text.match(/^[+\u2212]?/)[0] + digits.replace(/\B(?=(\d{3})+$)/g, ",");
}

function showAmount(amount, inZatoshi) {
  if (inZatoshi === "zatoshi" in amount.dataset) return;
  if (!inZatoshi) {
    amount.replaceChildren(...inFlux.get(amount));
    amount.removeAttribute("title");
    delete amount.dataset.zatoshi;
    return;
  }
  inFlux.set(amount, [...amount.childNodes]);
  const flux = amount.textContent.replace("FLUX", "").trim();
  const unit = amount.querySelector(".unit")?.cloneNode();
  if (unit) unit.textContent = "zatoshi";
  amount.replaceChildren(zatoshi(flux), ...(unit ? [" ", unit] : []));
  amount.title = `${flux} FLUX`;
  amount.dataset.zatoshi = "";
}

// The head of a column and the labels of its cells name the unit for amounts that stand without one.
function nameUnit(cell, unit) {
  const column = [...cell.closest("table").rows].map((row) => row.cells[cell.cellIndex]).filter(Boolean);
  if (!column.some((other) => other.querySelector(".amount:not(:has(.unit))"))) return;
  if (!inFlux.has(cell)) inFlux.set(cell, cell.textContent);
  const told = inFlux.get(cell).replace("FLUX", unit);
  if (cell.textContent !== told) cell.textContent = told;
  for (const other of column) {
    const label = other.dataset.label;
    if (label) other.dataset.label = label.replace(/FLUX|zatoshi/, unit);
  }
}

function showUnits() {
  const unit = localStorage.getItem("unit") === "zatoshi" ? "zatoshi" : "FLUX";
  for (const amount of document.querySelectorAll(".amount")) showAmount(amount, unit === "zatoshi");
  for (const head of document.querySelectorAll("thead th")) {
    if (/FLUX|zatoshi/.test(head.textContent)) nameUnit(head, unit);
  }
  for (const button of document.querySelectorAll("button[data-amount]")) {
    button.dataset.copy = unit === "FLUX" ? button.dataset.amount : zatoshi(button.dataset.amount).replaceAll(",", "");
  }
  for (const button of document.querySelectorAll(".units button")) {
    button.setAttribute("aria-pressed", (button.value === "zatoshi") === (unit === "zatoshi"));
  }
}

function chooseUnit(event) {
  const unit = event.target.closest("button")?.value;
  if (!unit) return;
  localStorage.setItem("unit", unit);
  showUnits();
}

// Suggestions while typing: a combobox with a list below it (ARIA Authoring Practices, list autocomplete).
function suggest(input) {
  const list = document.createElement("ul");
  const attributes = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "suggestions" };
  for (const [name, value] of Object.entries(attributes)) input.setAttribute(name, value);
  Object.assign(list, { id: "suggestions", className: "suggestions", hidden: true });
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", WORDS.suggestions);
  input.after(list);
  let chosen = -1;
  let asking = null;
  let timer = 0;

  const choose = (n) => {
    chosen = n;
    [...list.children].forEach((option, at) => option.setAttribute("aria-selected", at === n));
    if (n < 0) input.removeAttribute("aria-activedescendant");
    else {
      input.setAttribute("aria-activedescendant", list.children[n].id);
      list.children[n].scrollIntoView({ block: "nearest" });
    }
  };

  const close = () => {
    clearTimeout(timer);
    asking?.abort();
    choose(-1);
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
  };

  const show = (items) => {
    list.replaceChildren(
      ...items.map((item, n) => {
        const option = document.createElement("li");
        option.id = `suggestion-${n}`;
        option.setAttribute("role", "option");
        option.textContent = item.label;
        option.dataset.url = item.url;
        return option;
      }),
    );
    choose(-1);
    list.hidden = items.length === 0 || document.activeElement !== input;
    input.setAttribute("aria-expanded", String(!list.hidden));
  };

  const ask = async () => {
    asking?.abort();
    asking = new AbortController();
    const text = input.value.trim();
    if (text.length < 2) return close();
    try {
      const asked = new URLSearchParams({ q: text, lang: document.documentElement.lang });
      const answer = await fetch(`/suggestions?${asked}`, { signal: asking.signal });
      show(answer.ok ? (await answer.json()).items : []);
    } catch (error) {
      if (error.name !== "AbortError") show([]);
    }
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT_MS);
  });
  input.addEventListener("keydown", (event) => {
    const count = list.hidden ? 0 : list.children.length;
    if (event.key === "Escape" && count) {
      event.preventDefault();
      close();
    } else if (event.key === "Enter" && count && chosen >= 0) {
      event.preventDefault();
      location.assign(list.children[chosen].dataset.url);
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && count) {
      event.preventDefault();
      const next = event.key === "ArrowDown" ? chosen + 1 : chosen < 0 ? count - 1 : chosen - 1;
      choose(next < count ? next : -1); // beyond either end it is the text again
    }
  });
  input.addEventListener("blur", close);
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("li");
    if (option) location.assign(option.dataset.url);
  });
}

setInterval(tick, 1000);
showCopyButtons(document);
showTimes();
showUnits();
document.addEventListener("renewed", (event) => {
  showCopyButtons(event.detail);
  tick();
  showTimes();
  showUnits();
});
document.addEventListener("keydown", onKey);
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-copy]");
  if (button) copy(button);
});
document.querySelector(".themes")?.addEventListener("submit", chooseTheme);
for (const zones of document.querySelectorAll(".zones")) {
  zones.addEventListener("click", chooseZone);
  zones.classList.remove("absent");
}
for (const units of document.querySelectorAll(".units")) {
  units.addEventListener("click", chooseUnit);
  units.classList.remove("absent");
}
const search = document.getElementById("q");
if (search) suggest(search);
