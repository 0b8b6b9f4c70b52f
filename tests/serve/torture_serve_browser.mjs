// A streamed React page in a browser: its frame is painted before the part that comes late has arrived. `node
// torture_serve_browser.mjs BUNDLE --count PAGES`, with status 77 where there is no chromium.
import { openReport } from "../torture/report.mjs";
import { Browser, hasBrowser } from "./browser.mjs";
import { compile, Server, until } from "./server.mjs";

const [bundle] = process.argv.slice(2);
const count = Number(process.argv[process.argv.indexOf("--count") + 1]);
const late = "Fine & good";
const promises = [
    "the browser shows the page",
    "what is painted first is the page's frame",
    "the frame is painted before the late part arrives",
    "the late part takes its place",
    "the server ends well",
];
const [shows, isFrame, isEarly, replaces, endsWell] = promises;
const { check, print } = openReport(promises);

if (!hasBrowser()) {
    console.error("chromium is missing; scripts/install-dependencies --browser installs it");
    process.exit(77);
}

// When the late part is in the document.
const watch = `new MutationObserver((changes, self) => {
    if (!document.body?.innerText.includes(${JSON.stringify(late)})) return;
    globalThis.lateMs = performance.now();
    self.disconnect();
}).observe(document, { childList: true, subtree: true, characterData: true })`;

const look = `JSON.stringify({
    text: document.body?.innerText ?? "",
    paintMs: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null,
    lateMs: globalThis.lateMs ?? null,
})`;

async function visit(browser, number) {
    const product = `Tea number ${number}`;
    const query = `?ms=1500&product=${encodeURIComponent(product)}`;
    const page = await browser.open(`http://page.localhost:${server.port}/${query}`, watch);
    const see = async () => JSON.parse(await page.evaluate(look));
    const first = await until("the first paint", async () => {
        const seen = await see();
        return seen.paintMs !== null && seen;
    });
    const framed = first.lateMs !== null || first.text.includes("Looking for reviews...");
    check(isFrame, framed, first.text);
    const whole = await until("the late part", async () => {
        const seen = await see();
        return seen.lateMs !== null && seen;
    });
    check(
        isEarly,
        first.paintMs < whole.lateMs && whole.lateMs > 1000,
        `${first.paintMs}, ${whole.lateMs}`
    );
    check(
        replaces,
        whole.text.includes(product) && !whole.text.includes("Looking for"),
        whole.text
    );
    await page.close();
}

compile("page", bundle, "--warm", "/");
const server = await Server.start();
const browser = new Browser();
try {
    for (let number = 0; number < count; number++) {
        await visit(browser, number);
        check(shows, true);
    }
} catch (error) {
    check(shows, false, error.message);
}
await browser.close();
check(endsWell, (await server.stop()) === 0, "it did not");

process.exit(print() ? 0 : 1);
