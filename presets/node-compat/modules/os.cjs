"use strict";
// node:os, of the machine that a function can know: none in particular.
const { Buffer } = require("./buffer.cjs");
const { missing } = require("./errors.cjs");
const constants = require("./os_constants.cjs");

const always = value => Object.assign(() => value, { [Symbol.toPrimitive]: () => value });

// As process.getuid() has it.
function userInfo(options) {
    const text = value => (options?.encoding === "buffer" ? Buffer.from(value) : value);
    return { uid: 0, gid: 0, username: text("root"), homedir: text("/"), shell: null };
}

module.exports = {
    EOL: "\n",
    arch: always("x64"),
    availableParallelism: always(1),
    constants,
    cpus: () => [],
    devNull: "/dev/null",
    endianness: always("LE"),
    freemem: always(0),
    getPriority: always(0),
    homedir: always("/"),
    hostname: always("localhost"),
    loadavg: () => [0, 0, 0],
    machine: always("x86_64"),
    networkInterfaces: () => ({}),
    platform: always("linux"),
    release: always(""),
    setPriority: missing("os", "setPriority"),
    tmpdir: always("/tmp"),
    totalmem: always(0),
    type: always("Linux"),
    uptime: always(0),
    userInfo,
    version: always(""),
};
require("./global_object.cjs").register("os", module.exports);
