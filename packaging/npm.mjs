// npm's package of the program for this platform: `node npm.mjs TREE OUT` packs what is installed in TREE (bin,
// libexec) into OUT, as snapcell-linux-x64-VERSION.tgz. The kit's package finds the program in it; nothing runs at
// install.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [tree, out] = process.argv.slice(2);
const kit = JSON.parse(readFileSync(new URL("../kit/package.json", import.meta.url), "utf8"));
const name = `snapcell-${process.platform}-${process.arch}`;
const readme = `# ${name}

The native program of snapcell, for ${process.platform} on ${process.arch}. The package snapcell finds it.
fetch() of functions, push and pull need libcurl.so.4 on the machine; all else is inside.
`;

const description = {
    name,
    version: kit.version,
    description: `The native program of snapcell, for ${process.platform} on ${process.arch}`,
    license: kit.license,
    os: [process.platform],
    cpu: [process.arch],
    libc: ["glibc"],
    engines: kit.engines,
    files: ["bin", "libexec", "LICENSES", "snapcell.spdx.json"],
};

const folder = mkdtempSync(join(tmpdir(), "snapcell-npm-"));
try {
    for (const part of ["bin", "libexec"])
        cpSync(join(tree, part), join(folder, part), { recursive: true });
    cpSync(join(tree, "share/doc/snapcell/copyright"), join(folder, "LICENSES"));
    cpSync(join(tree, "share/doc/snapcell/snapcell.spdx.json"), join(folder, "snapcell.spdx.json"));
    writeFileSync(join(folder, "package.json"), `${JSON.stringify(description, null, 4)}\n`);
    writeFileSync(join(folder, "README.md"), readme);
    const { status } = spawnSync("npm", ["pack", "--silent", "--pack-destination", out, folder], {
        stdio: ["ignore", "ignore", "inherit"],
    });
    process.exitCode = status ?? 1;
} finally {
    rmSync(folder, { recursive: true });
}
