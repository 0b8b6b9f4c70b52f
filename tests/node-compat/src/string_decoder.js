import { StringDecoder } from "node:string_decoder";
import { outcomes } from "./outcome.js";

function pieces(encoding, bytes, size) {
    const decoder = new StringDecoder(encoding);
    const result = [];
    for (let at = 0; at < bytes.length; at += size)
        result.push(decoder.write(Buffer.from(bytes.slice(at, at + size))));
    return [...result, decoder.end()];
}

const bytes = [...new TextEncoder().encode("ü€🥊x")];

export const handler = () =>
    outcomes({
        utf8: () => [1, 2, 3].map(size => pieces("utf8", bytes, size).join("")),
        incomplete: () => pieces("utf8", [0xe2, 0x82], 2),
        invalid: () => pieces("utf8", [0x61, 0xff, 0x62], 1),
        utf16: () => pieces("utf16le", [0x3e, 0xd8, 0x4a, 0xdd, 0x61, 0x00], 3),
        base64: () => pieces("base64", [1, 2, 3, 4, 5], 2),
        hex: () => pieces("hex", [1, 255], 1),
    });
