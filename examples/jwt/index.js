// Signs people in and checks who they are: JSON Web Tokens by jose, input by zod.
import { SignJWT, errors, jwtVerify } from "jose";
import * as z from "zod";

const SignIn = z.object({ user: z.string().min(1).max(64), minutes: z.int().min(1).max(60) });
const issuer = "snapcell";

// A key is made from the function's environment: one that is made at top level would be in the snapshot.
const keyOf = ({ JWT_SECRET = "for this example only, of 32 bytes or more" }) =>
    new TextEncoder().encode(JWT_SECRET);

async function signIn(request, env) {
    const { data, error } = SignIn.safeParse(await request.json().catch(() => null));
    if (error) return Response.json({ issues: error.issues }, { status: 400 });
    const token = await new SignJWT({ sub: data.user })
        .setProtectedHeader({ alg: "HS256" })
        .setIssuer(issuer)
        .setExpirationTime(`${data.minutes}m`)
        .sign(keyOf(env));
    return Response.json({ length: token.length, token }, { status: 201 });
}

async function whoAmI(request, env) {
    const token = request.headers.get("authorization")?.replace(/^Bearer /, "") ?? "";
    try {
        const { payload } = await jwtVerify(token, keyOf(env), { issuer, algorithms: ["HS256"] });
        return Response.json({ user: payload.sub });
    } catch (error) {
        if (!(error instanceof errors.JOSEError)) throw error;
        return Response.json({ error: error.code }, { status: 401 });
    }
}

export default {
    fetch(request, env) {
        const { pathname } = new URL(request.url);
        if (pathname === "/sign-in" && request.method === "POST") return signIn(request, env);
        if (pathname === "/me") return whoAmI(request, env);
        return Response.json({ routes: ["POST /sign-in", "GET /me"] }, { status: 404 });
    },
};
