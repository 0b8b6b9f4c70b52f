import { area, equal, same, test } from "../harness.js";

// Timers that the top level leaves behind go on in each instance. What is due within a second of the
// build's clock has run by then.
const log = [];
let tell;
const late = new Promise(resolve => {
    tell = resolve;
});
const done = setTimeout(() => log.push("while it is built"), 1000);
const cancelled = setTimeout(() => log.push("cancelled"), 1001);
const ticks = setInterval(() => log.push("tick"), 1005);
setTimeout(
    (word, object) => {
        log.push(word, object.held);
        tell();
    },
    1010,
    "late",
    { held: true }
);

test("timers of the top level go on", async () => {
    clearTimeout(cancelled);
    await late;
    clearInterval(ticks);
    same(log, ["while it is built", "tick", "late", true]);
});

test("numbers that were given are not given again", async () => {
    await new Promise(resolve => {
        const timer = setTimeout(resolve, 1);
        equal([done, cancelled, ticks].includes(timer), false);
        clearTimeout(done);
    });
});

export default area;
