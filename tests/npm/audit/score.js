// Lighthouse's scores of pages, one JSON object a line: node score.js CHROMIUM URL...
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";

const [chromePath, ...urls] = process.argv.slice(2);
const chromeFlags = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--no-proxy-server",
  "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
];
const chrome = await launch({ chromePath, chromeFlags, logLevel: "error" });
try {
  for (const url of urls) {
    const { lhr } = await lighthouse(url, { port: chrome.port, logLevel: "error", disableFullPageScreenshot: true });
    const categories = Object.values(lhr.categories);
    const lost = categories.flatMap(({ id, auditRefs }) =>
      auditRefs
        .filter(({ id: name, weight }) => weight > 0 && lhr.audits[name].score !== null && lhr.audits[name].score < 0.9)
        .map(({ id: name }) => `${id}: ${lhr.audits[name].title} ${lhr.audits[name].displayValue ?? ""}`),
    );
    const scores = Object.fromEntries(categories.map(({ id, score }) => [id, Math.round(score * 100)]));
    console.log(JSON.stringify({ url, scores, lost }));
  }
} finally {
  chrome.kill();
}
