// Debian's copyright file of our packages: our licence, then those of all that is linked or bundled, as their own
// packages word them.
import { readFileSync } from "node:fs";

const apache = `Licensed under the Apache License, Version 2.0; on Debian systems its text is in
/usr/share/common-licenses/Apache-2.0.`;

const mit = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES
OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

const zlib = `This software is provided 'as-is', without any express or implied warranty. In no event will the
authors be held liable for any damages arising from the use of this software. Permission is granted
to anyone to use this software for any purpose, including commercial applications, and to alter it
and redistribute it freely, subject to the following restrictions: 1. The origin of this software
must not be misrepresented; you must not claim that you wrote the original software. If you use this
software in a product, an acknowledgment in the product documentation would be appreciated but is
not required. 2. Altered source versions must be plainly marked as such, and must not be
misrepresented as being the original software. 3. This notice may not be removed or altered from any
source distribution.`;

const texts = { "Apache-2.0": apache, MIT: mit, Zlib: zlib };
const rule = "-".repeat(78);
const read = file => readFileSync(file, "utf8").trimEnd();

const how = {
    static: "linked statically",
    dynamic: "linked dynamically, and not part of this package",
    compiled: "compiled from its source",
    needed: "linked by those who link the archive, and not part of this package",
    bundled: "bundled into the engine's web API",
};

function section(title, text) {
    return [rule, title, rule, "", text, ""];
}

// Components that share a source, such as two libraries of one package, have one text.
function unique(components) {
    return [...new Map(components.map(entry => [entry.text, entry])).values()];
}

const debianSection = entry =>
    section(
        `${entry.source} ${entry.sourceVersion} (${entry.licence}): ${how[entry.how]}`,
        entry.text ? read(entry.text) : `Its licence: ${entry.licence}`
    );

const npmSection = entry =>
    section(`${entry.name} ${entry.version} (${entry.licence}): ${how.bundled}`, read(entry.text));

function v8Sections({ v8, nodeText }) {
    const parts = v8.filter(({ copyright }) => copyright);
    const own = parts.flatMap(entry =>
        section(
            `${entry.name} (${entry.licence}): in V8's archive`,
            `Copyright ${entry.copyright}\n\n${texts[entry.licence]}`
        )
    );
    const title =
        "V8, ICU (linked statically) and the other parts of Node.js, from whose sources V8's archive was built";
    return [...own, ...section(title, read(nodeText))];
}

/** @param ours the text of our own licence's notice */
export function copyrightText(ours, parts) {
    if (!parts.nodeText)
        throw new Error("no file with Node's licences, which are V8's and ICU's: install nodejs");
    const notice = ours.concat(
        "",
        "The program and the libraries contain other people's work, under the licences that follow. The document",
        "snapcell.spdx.json in the package snapcell lists the same with versions and hashes.",
        ""
    );
    return [
        ...notice,
        ...unique(parts.debian).flatMap(debianSection),
        ...parts.npm.flatMap(npmSection),
        ...v8Sections(parts),
    ].join("\n");
}

export const ownNotice = [
    "snapcell: JavaScript functions as V8 startup snapshots",
    "",
    "Copyright 2025-2026 the snapcell authors",
    "",
    apache,
];
