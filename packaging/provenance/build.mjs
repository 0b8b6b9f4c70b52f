// Writes the licences and the provenance of what was built: `node build.mjs PLAN OUT KIND NAME FILE...`. PLAN is
// what the build wrote (provenance.cmake), FILE... are the binaries of the package NAME, which are program, shared (the
// library) or archive. OUT gets `copyright` and NAME.spdx.json.
// The time in the document is $SOURCE_DATE_EPOCH, so that the same build gives the same bytes.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { copyrightText, ownNotice } from "./copyright.mjs";
import { gather } from "./gather.mjs";
import { spdxDocument } from "./spdx.mjs";

const [planFile, out, kind, name, ...binaries] = process.argv.slice(2);
if (!binaries.length) {
    console.error("usage: build.mjs PLAN OUT program|shared|archive NAME FILE...");
    process.exit(2);
}
const plan = JSON.parse(readFileSync(planFile, "utf8"));
const parts = gather(plan, kind);
const epoch = Number(process.env.SOURCE_DATE_EPOCH ?? 0);

function fileOf(path) {
    const bytes = readFileSync(path);
    const [sha1, sha256] = ["sha1", "sha256"].map(name =>
        createHash(name).update(bytes).digest("hex")
    );
    return { name: basename(path), sha1, sha256 };
}

const product = { name, version: plan.version, files: binaries.map(fileOf) };
mkdirSync(out, { recursive: true });
writeFileSync(join(out, "copyright"), copyrightText(ownNotice, parts));
writeFileSync(
    join(out, `${name}.spdx.json`),
    `${JSON.stringify(spdxDocument(product, parts, epoch), null, 2)}\n`
);
