// `node check_spdx.mjs DOCUMENT ROOT`: whether an SPDX document has the structure that SPDX 2.3 wants, and describes the
// files that are somewhere under ROOT.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";

const [document, root] = process.argv.slice(2);
const spdx = JSON.parse(readFileSync(document, "utf8"));
const identifier = /^SPDXRef-[A-Za-z0-9.-]+$/;
const licence = /^(NOASSERTION|NONE|[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*)$/;
const digits = { SHA1: 40, SHA256: 64, SHA512: 128 };
const relationships = ["DESCRIBES", "CONTAINS", "STATIC_LINK", "DYNAMIC_LINK", "DEPENDS_ON"];

assert.equal(spdx.spdxVersion, "SPDX-2.3");
assert.equal(spdx.dataLicense, "CC0-1.0");
assert.equal(spdx.SPDXID, "SPDXRef-DOCUMENT");
assert.match(spdx.name, /^\S+$/);
assert.match(spdx.documentNamespace, /^https:\/\/[^#\s]+$/);
assert.match(spdx.creationInfo.created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
assert.ok(spdx.creationInfo.creators.every(text => /^(Tool|Organization|Person): \S/.test(text)));

const elements = [...spdx.packages, ...spdx.files];
const known = new Set(["SPDXRef-DOCUMENT", ...elements.map(({ SPDXID }) => SPDXID)]);
assert.equal(known.size, elements.length + 1, "identifiers are unique");
for (const { SPDXID, checksums = [], ...entry } of elements) {
    assert.match(SPDXID, identifier);
    assert.match(entry.licenseConcluded, licence, SPDXID);
    assert.equal(typeof entry.copyrightText, "string");
    for (const { algorithm, checksumValue } of checksums)
        assert.match(checksumValue, new RegExp(`^[0-9a-f]{${digits[algorithm]}}$`), SPDXID);
}
for (const entry of spdx.packages) {
    assert.ok(entry.name && entry.downloadLocation, entry.SPDXID);
    assert.equal(entry.filesAnalyzed, false);
    assert.match(entry.licenseDeclared, licence);
    for (const { referenceCategory, referenceType, referenceLocator } of entry.externalRefs ?? []) {
        assert.equal(`${referenceCategory} ${referenceType}`, "PACKAGE-MANAGER purl");
        assert.match(referenceLocator, /^pkg:[a-z]+\/\S+@\S+$/);
    }
}
for (const { spdxElementId, relationshipType, relatedSpdxElement } of spdx.relationships) {
    assert.ok(known.has(spdxElementId) && known.has(relatedSpdxElement), relatedSpdxElement);
    assert.ok(relationships.includes(relationshipType), relationshipType);
}
const related = new Set(spdx.relationships.map(({ relatedSpdxElement }) => relatedSpdxElement));
assert.ok(
    elements.every(({ SPDXID }) => related.has(SPDXID)),
    "everything is related to something"
);

// The files are those that were installed. Settings and completions have the program's name, too.
function* find(folder, name) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) yield* find(path, name);
        else if (entry.name === name && statSync(path).isFile()) yield readFileSync(path);
    }
}
assert.ok(spdx.files.length > 0);
for (const { fileName, checksums } of spdx.files) {
    const isOf = bytes =>
        checksums.every(
            ({ algorithm, checksumValue }) =>
                createHash(algorithm).update(bytes).digest("hex") === checksumValue
        );
    assert.ok(checksums.length > 0, fileName);
    assert.ok([...find(root, basename(fileName))].some(isOf), `${fileName} has other bytes`);
}
for (const name of ["V8", "ICU", "zstd", "whatwg-url"])
    assert.ok(
        spdx.packages.some(entry => entry.name === name),
        `${name} is listed`
    );
console.log(`${basename(document)}: ${spdx.packages.length} packages, ${spdx.files.length} files`);
