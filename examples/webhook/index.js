// Takes GitHub's webhooks: the signature is checked with Node's crypto and Buffer, which
// presets/node-compat takes from packages. Set the secret with -e WEBHOOK_SECRET=...
import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";

function isSigned(body, signature, secret) {
    const expected = createHmac("sha256", secret).update(body).digest();
    const given = Buffer.from(signature.replace(/^sha256=/, ""), "hex");
    return given.length === expected.length && timingSafeEqual(given, expected);
}

export default {
    async fetch(request, { WEBHOOK_SECRET = "It's a Secret to Everybody" }) {
        if (request.method !== "POST") return new Response("POST only\n", { status: 405 });
        const body = Buffer.from(await request.arrayBuffer());
        const signature = request.headers.get("x-hub-signature-256") ?? "";
        if (!isSigned(body, signature, WEBHOOK_SECRET))
            return new Response("the signature does not fit\n", { status: 401 });
        return Response.json({
            bytes: body.length,
            start: body.subarray(0, 12).toString("base64url"),
        });
    },
};
