"use strict";
// node:net: addresses alone. A function has no sockets.
const { missingAll } = require("./errors.cjs");

const byte = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]\\d|\\d)";
const v4 = `${byte}(?:\\.${byte}){3}`;
const v4Pattern = new RegExp(`^${v4}$`);

// At most one "::", which stands for one group or more.
function isIPv6(text) {
    const address = `${text}`.replace(/%[0-9a-zA-Z-.:]+$/, "");
    const halves = address.split("::");
    if (halves.length > 2) return false;
    const groups = halves.flatMap(half => (half === "" ? [] : half.split(":")));
    const last = groups.at(-1);
    const embedded = last?.includes(".") ? v4Pattern.test(last) && address.endsWith(last) : false;
    const plain = embedded ? groups.slice(0, -1) : groups;
    if (!plain.every(group => /^[0-9a-fA-F]{1,4}$/.test(group))) return false;
    const count = plain.length + (embedded ? 2 : 0);
    return halves.length === 2 ? count < 8 : count === 8;
}

const isIPv4 = text => v4Pattern.test(`${text}`);
const isIP = text => (isIPv4(text) ? 4 : isIPv6(text) ? 6 : 0);

const absent = ["Server", "Socket", "SocketAddress", "Stream", "connect", "createConnection"];
absent.push("createServer", "getDefaultAutoSelectFamily", "setDefaultAutoSelectFamily");
absent.push("getDefaultAutoSelectFamilyAttemptTimeout", "setDefaultAutoSelectFamilyAttemptTimeout");

module.exports = {
    ...missingAll("net", absent),
    get BlockList() {
        return require("./net_blocks.cjs").BlockList;
    },
    isIP,
    isIPv4,
    isIPv6,
};
