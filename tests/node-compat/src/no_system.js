// What has no system around it answers as Node does where there is nothing.
import dns from "node:dns";
import fs from "node:fs";
import { readFile } from "node:fs/promises";
import net from "node:net";
import { behaviours } from "./behaviours.js";

const nowhere = "/no/such/file";
const addresses = ["127.0.0.1", "256.1.1.1", "01.2.3.4", "::1", "::", "1::2::3", "fe80::1%eth0"];
addresses.push(
    "1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7",
    "::ffff:1.2.3.4",
    "1:2:3:4:5:6:1.2.3.4",
    "",
    "x"
);
const later = call => new Promise(resolve => call((error, value) => resolve(error?.code ?? value)));

export const handler = () =>
    behaviours({
        isIP: () => addresses.map(net.isIP),
        isIPv4: () => addresses.map(net.isIPv4),
        isIPv6: () => addresses.map(net.isIPv6),
        existsSync: () => fs.existsSync(nowhere),
        readFileSync: () => fs.readFileSync(nowhere),
        readFile: () => later(done => fs.readFile(nowhere, "utf8", done)),
        "readFile, a promise": () => readFile(nowhere),
        readdirSync: () => fs.readdirSync(nowhere),
        statSync: () => fs.statSync(nowhere),
        "statSync, quiet": () => fs.statSync(nowhere, { throwIfNoEntry: false }) === undefined,
        accessSync: () => fs.accessSync(nowhere),
        createReadStream: () =>
            new Promise(resolve =>
                fs.createReadStream(nowhere).on("error", error => resolve(error.code))
            ),
        exists: () => new Promise(resolve => fs.exists(nowhere, resolve)),
        constants: () => [fs.constants.R_OK, fs.constants.W_OK],
        "no callback": () => fs.readFile(nowhere),
        "dns has names": () => typeof dns.lookup,
    });
