// Names that are global in Node, without an import; a package in CommonJS.
const events = require("events");
const { createHash } = require("crypto");

module.exports.handler = async () => ({
    buffer: Buffer.from("ü").toString("hex"),
    order: await new Promise(resolve => {
        const seen = [];
        setImmediate(value => resolve([...seen, value]), "immediate");
        process.nextTick(value => seen.push(value), "tick");
        seen.push("now");
    }),
    mode: typeof process.env.HOME_THAT_IS_NOT_SET,
    hrtime: [process.hrtime().length, typeof process.hrtime.bigint()],
    global: global === globalThis,
    events: typeof events === "function" && new events() instanceof events.EventEmitter,
    hash: createHash("md5").digest("hex"),
});
