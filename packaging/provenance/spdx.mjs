// The SPDX 2.3 document: what was built, what it was built from, and how the two relate.

const idOf = text => `SPDXRef-${text.replace(/[^A-Za-z0-9.]+/g, "-").replace(/-+$/, "")}`;
const none = "NOASSERTION";
const checksum = value => ({ algorithm: "SHA256", checksumValue: value });

function common(id, name, version, licence) {
    return {
        name,
        SPDXID: id,
        ...(version ? { versionInfo: version } : {}),
        downloadLocation: none,
        filesAnalyzed: false,
        licenseConcluded: licence ?? none,
        licenseDeclared: licence ?? none,
        copyrightText: none,
    };
}

function purl(type, locator) {
    return [
        {
            referenceCategory: "PACKAGE-MANAGER",
            referenceType: "purl",
            referenceLocator: `pkg:${type}/${locator}`,
        },
    ];
}

const fileNote = entry => ({
    checksums: [checksum(entry.sha256)],
    packageFileName: entry.file,
});

function debianPackage(entry) {
    const where = entry.package
        ? {
              supplier: "Organization: Debian",
              sourceInfo: `built from Debian's ${entry.source} ${entry.sourceVersion}`,
              externalRefs: purl(
                  "deb/debian",
                  `${entry.package}@${encodeURIComponent(entry.version)}`
              ),
          }
        : {};
    return {
        ...common(idOf(`Debian-${entry.name}`), entry.name, entry.version, entry.licence),
        ...fileNote(entry),
        ...where,
    };
}

function v8Package(entry) {
    return {
        ...common(idOf(`V8-${entry.name}`), entry.name, entry.version, entry.licence),
        ...(entry.sha256 ? fileNote(entry) : {}),
        ...(entry.copyright ? { copyrightText: `Copyright ${entry.copyright}` } : {}),
        homepage: entry.home,
    };
}

// npm's integrity is base64; SPDX has hex.
function integrityOf(integrity) {
    const [, algorithm, value] = /^(sha\d+)-(.*)$/.exec(integrity ?? "") ?? [];
    if (!value) return {};
    const checksumValue = Buffer.from(value, "base64").toString("hex");
    return { checksums: [{ algorithm: algorithm.toUpperCase(), checksumValue }] };
}

function npmPackage(entry) {
    return {
        ...common(idOf(`npm-${entry.name}`), entry.name, entry.version, entry.licence),
        ...integrityOf(entry.integrity),
        externalRefs: purl("npm", `${entry.name.replace("@", "%40")}@${entry.version}`),
    };
}

function productFile({ name, sha1, sha256 }) {
    return {
        fileName: `./${name}`,
        SPDXID: idOf(`File-${name}`),
        fileTypes: ["BINARY"],
        checksums: [{ algorithm: "SHA1", checksumValue: sha1 }, checksum(sha256)],
        licenseConcluded: none,
        copyrightText: none,
    };
}

const relation = (from, relationshipType, to) => ({
    spdxElementId: from,
    relationshipType,
    relatedSpdxElement: to,
});
const relationOf = {
    static: "STATIC_LINK",
    dynamic: "DYNAMIC_LINK",
    compiled: "STATIC_LINK",
    bundled: "CONTAINS",
    needed: "DEPENDS_ON",
};

/**
 * @param product `{ name, version, files: [{ name, sha1, sha256 }] }`
 * @param parts of gather()
 * @param created seconds since 1970
 */
export function spdxDocument(product, parts, created) {
    const main = idOf(product.name);
    const all = [
        ...parts.debian.map(entry => [debianPackage(entry), entry.how]),
        ...parts.v8.map(entry => [v8Package(entry), entry.how]),
        ...parts.npm.map(entry => [npmPackage(entry), entry.how]),
    ];
    const files = product.files.map(productFile);
    const stamp = product.files.map(({ sha256 }) => sha256.slice(0, 16)).join("-");
    return {
        spdxVersion: "SPDX-2.3",
        dataLicense: "CC0-1.0",
        SPDXID: "SPDXRef-DOCUMENT",
        name: `${product.name}-${product.version}`,
        documentNamespace: `https://spdx.org/spdxdocs/${product.name}-${product.version}-${stamp}`,
        creationInfo: {
            created: new Date(created * 1000).toISOString().replace(/\.\d+/, ""),
            creators: [`Tool: ${product.name}-build-${product.version}`],
        },
        packages: [
            common(main, product.name, product.version, "Apache-2.0"),
            ...all.map(([entry]) => entry),
        ],
        files,
        relationships: [
            relation("SPDXRef-DOCUMENT", "DESCRIBES", main),
            ...files.map(({ SPDXID }) => relation(main, "CONTAINS", SPDXID)),
            ...all.map(([{ SPDXID }, how]) => relation(main, relationOf[how], SPDXID)),
        ],
    };
}
