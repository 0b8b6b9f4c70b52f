"use strict";
// node:string_decoder is the package, which does not know base64url.
const base = require("string_decoder/");

const toUrl = text => text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

// What is left of a character is as many replacements as a decoder gives for it.
function endUtf8(chunk) {
    const text = chunk?.length > 0 ? this.write(chunk) : "";
    const rest = this.lastNeed > 0 ? this.lastChar.subarray(0, this.lastTotal - this.lastNeed) : [];
    this.lastNeed = 0;
    return text + new TextDecoder().decode(Uint8Array.from(rest));
}

function StringDecoder(encoding) {
    if (!/^base64url$/i.test(encoding)) {
        base.StringDecoder.call(this, encoding);
        if (this.encoding === "utf8") this.end = endUtf8;
        return;
    }
    base.StringDecoder.call(this, "base64");
    const { write, end } = this;
    this.encoding = "base64url";
    this.write = chunk => toUrl(write.call(this, chunk));
    this.end = chunk => toUrl(end.call(this, chunk));
}
StringDecoder.prototype = base.StringDecoder.prototype;

module.exports = { StringDecoder };
