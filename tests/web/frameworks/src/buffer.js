import { Buffer } from "node:buffer";
import { EventEmitter } from "node:events";
import { join } from "node:path";

export default {
    async fetch(request) {
        const body = Buffer.from(await request.arrayBuffer());
        const emitter = new EventEmitter();
        const seen = [];
        emitter.once("x", value => seen.push(value));
        emitter.emit("x", 1);
        emitter.emit("x", 2);
        const number = Buffer.alloc(8);
        number.writeUInt32BE(0xdeadbeef, 2);
        return Response.json({
            base64: body.toString("base64"),
            hex: Buffer.concat([body, Buffer.from("ff00", "hex")]).toString("hex"),
            number: number.toString("hex"),
            back: Buffer.from("w7xiZXI=", "base64").toString("utf8"),
            seen,
            path: join("/a", "../b", "c"),
        });
    },
};
