import { area, all, bytes, equal, ok, rejects, same, test, tick, throws } from "../harness.js";

// The types of the events of a read, to its end.
function eventsOf(reader, begin) {
    return new Promise(resolve => {
        const seen = [];
        for (const type of ["loadstart", "progress", "load", "abort", "error", "loadend"]) {
            reader.addEventListener(type, event => {
                seen.push(type);
                ok(event instanceof ProgressEvent && event.isTrusted && event.target === reader);
                if (type === "loadend") resolve(seen);
            });
        }
        begin();
    });
}

test("FileReader gives a blob in each form", async () => {
    const blob = new Blob([bytes(0x68, 0xc3, 0xa9, 0xff)], { type: "text/plain" });
    const forms = {
        readAsText: "hé\ufffd",
        readAsBinaryString: "h\xc3\xa9\xff",
        readAsDataURL: "data:text/plain;base64,aMOp/w==",
    };
    for (const [method, expected] of Object.entries(forms)) {
        const reader = new FileReader();
        same([reader.readyState, reader.result, reader.error], [0, null, null]);
        const done = eventsOf(reader, () => reader[method](blob));
        same([reader.readyState, reader.result], [1, null]);
        same(await done, ["loadstart", "progress", "load", "loadend"]);
        same([reader.readyState, reader.result, reader.error], [2, expected, null], method);
    }
    const reader = new FileReader();
    await eventsOf(reader, () => reader.readAsArrayBuffer(blob));
    same([...new Uint8Array(reader.result)], [0x68, 0xc3, 0xa9, 0xff]);
});

test("FileReader chooses an encoding", async () => {
    const read = async (blob, ...label) => {
        const reader = new FileReader();
        await eventsOf(reader, () => reader.readAsText(blob, ...label));
        return reader.result;
    };
    const latin = bytes(0xe9);
    equal(await read(new Blob([latin]), "windows-1252"), "é");
    equal(await read(new Blob([latin], { type: "text/plain;charset=windows-1252" })), "é");
    equal(await read(new Blob([latin], { type: "text/plain;charset=windows-1252" }), "x"), "é");
    equal(await read(new Blob([latin]), "no-such-encoding"), "\ufffd");
    equal(await read(new Blob([])), "");
    equal(await read(new Blob([bytes(0xfe, 0xff, 0, 0x61)]), "windows-1252"), "a");
    equal(await read(new Blob([bytes(0xff, 0xfe, 0x61, 0)])), "a");
    equal(await read(new Blob([bytes(0xef, 0xbb, 0xbf, 0x61)]), "utf-16le"), "a");
});

test("FileReader: empty blobs, aborts, second reads", async () => {
    const empty = new FileReader();
    same(await eventsOf(empty, () => empty.readAsDataURL(new Blob([]))), [
        "loadstart",
        "load",
        "loadend",
    ]);
    equal(empty.result, "data:application/octet-stream;base64,");

    const reader = new FileReader();
    throws(TypeError, () => reader.readAsText("text"));
    throws(TypeError, () => reader.readAsText());
    const done = eventsOf(reader, () => reader.readAsText(new Blob(["a"])));
    throws("InvalidStateError", () => reader.readAsText(new Blob(["b"])));
    reader.abort();
    same(await done, ["abort", "loadend"]);
    same([reader.readyState, reader.result, reader.error.name], [2, null, "AbortError"]);
    await tick();
    equal(reader.result, null);

    const twice = new FileReader();
    const types = [];
    twice.onloadend = () => types.push("loadend");
    const second = new Promise(resolve => {
        twice.onload = () => {
            types.push(`load ${twice.result}`);
            if (twice.result === "1") twice.readAsText(new Blob(["2"]));
            else resolve();
        };
    });
    twice.readAsText(new Blob(["1"]));
    await second;
    await tick();
    same(types, ["load 1", "load 2", "loadend"]);
});

test("ProgressEvent", () => {
    const event = new ProgressEvent("x", { lengthComputable: 1, loaded: 1.5, total: 2 });
    same([event.lengthComputable, event.loaded, event.total], [true, 1.5, 2]);
    const plain = new ProgressEvent("x");
    same([plain.lengthComputable, plain.loaded, plain.total], [false, 0, 0]);
    throws(TypeError, () => new ProgressEvent("x", { loaded: Infinity }));
});

test("URLs of blobs", async () => {
    const url = URL.createObjectURL(new File(["abc"], "n", { type: "text/x" }));
    const other = URL.createObjectURL(new Blob(["d"]));
    ok(url.startsWith("blob:") && url !== other && new URL(url).href === url);
    const response = await fetch(`${url}#part`);
    same([response.status, response.type, response.url], [200, "basic", url]);
    same([...response.headers].flat(), ["content-length", "3", "content-type", "text/x"]);
    equal(await response.text(), "abc");
    const part = await fetch(url, { headers: { range: "bytes=1-" } });
    same([part.status, part.headers.get("content-range")], [206, "bytes 1-2/3"]);
    equal(await part.text(), "bc");
    for (const [range, text] of [
        ["bytes=-2", "bc"],
        ["bytes=0-0", "a"],
        ["bytes = 1 - 99", "bc"],
        ["bytes=-99", "abc"],
    ])
        equal(await (await fetch(url, { headers: { range } })).text(), text, range);
    for (const range of ["bytes=5-", "bytes=2-1", "bytes=-", "bytes", "Bytes=0-", "bytes=0-1,2-2"])
        await rejects(TypeError, fetch(url, { headers: { range } }), range);
    await rejects(TypeError, fetch(url, { method: "POST" }));
    await rejects(TypeError, fetch(`${url}?query`));

    const request = new Request(url);
    const started = fetch(url);
    URL.revokeObjectURL(url);
    equal(await (await started).text(), "abc");
    equal(await (await fetch(request)).text(), "abc");
    await rejects(TypeError, fetch(url));
    equal(await (await fetch(other)).text(), "d");
    throws(TypeError, () => URL.createObjectURL("text"));
    throws(TypeError, () => URL.createObjectURL());
    URL.revokeObjectURL("blob:null/none");
    throws(TypeError, () => URL.revokeObjectURL());
});

test("Blob and File convert in the order of their arguments", () => {
    const seen = [];
    const noted = (name, value) => ({ toString: () => (seen.push(name), value) });
    const options = {
        get type() {
            seen.push("type");
            return "A/B";
        },
        get lastModified() {
            seen.push("lastModified");
            return 2.9;
        },
        get endings() {
            seen.push("endings");
            return "native";
        },
    };
    const file = new File([noted("part", "a\r\nb")], noted("name", "n"), options);
    same(seen, ["part", "name", "endings", "type", "lastModified"]);
    same([file.size, file.type, file.lastModified, file.name], [3, "a/b", 2, "n"]);
    equal(new File([], "n", { lastModified: -1.5 }).lastModified, -1);
    for (const wrong of [null, 1, "text", {}]) throws(TypeError, () => new Blob(wrong));
    for (const wrong of [1, "text", true]) throws(TypeError, () => new Blob([], wrong));
    throws(TypeError, () => new Blob([], { endings: "x" }));
    throws(TypeError, () => new File([], Symbol("x")));
});

test("slices are clamped", async () => {
    const blob = new Blob(["abcdef"]);
    const slices = [
        [[0.5, 2.5], "ab"],
        [[1.5, 3.5], "cd"],
        [[-Infinity, Infinity], "abcdef"],
        [[-2], "ef"],
        [[NaN, null], ""],
        [[2 ** 60], ""],
    ];
    for (const [range, text] of slices) equal(await blob.slice(...range).text(), text, `${range}`);
    throws(TypeError, () => blob.slice(1n));
    same(
        (await all(blob.stream())).map(chunk => chunk.length),
        [6]
    );
});

export default area;
