// The Fetch standard's bodies, FormData, and the File API.
import { area, equal, ok, rejects, same, test, throws } from "../harness.js";

const url = "http://localhost/";
const encode = text => new TextEncoder().encode(text);
const multipart = (text, type = "multipart/form-data; boundary=AaB") =>
    new Response(text, { headers: { "content-type": type } }).formData();

function streamOf(...chunks) {
    return new ReadableStream({
        start(controller) {
            for (const chunk of chunks) controller.enqueue(chunk);
            controller.close();
        },
    });
}

test("what bodies are made of, and their types", async () => {
    const text = "text/plain;charset=UTF-8";
    const form = "application/x-www-form-urlencoded;charset=UTF-8";
    const cases = [
        ["a\u00e9\ud800", text, "a\u00e9\ufffd"],
        [12, text, "12"],
        [{}, text, "[object Object]"],
        [new URLSearchParams("a=b c"), form, "a=b+c"],
        [encode("x"), null, "x"],
        [encode("xyz").buffer, null, "xyz"],
        [new DataView(encode("xyz").buffer, 1, 1), null, "y"],
        [new Blob(["x"], { type: "A/B" }), "a/b", "x"],
        [new Blob(["x"]), null, "x"],
        [streamOf(encode("x"), encode("y")), null, "xy"],
        [null, null, ""],
        [undefined, null, ""],
        ["", text, ""],
    ];
    for (const [body, type, expected] of cases) {
        const response = new Response(body);
        equal(response.headers.get("content-type"), type);
        equal(await response.text(), expected);
        if (body instanceof ReadableStream) continue;
        const request = new Request(url, { method: "POST", body });
        equal(request.headers.get("content-type"), type);
        equal(await request.text(), expected);
        const typed = new Response(body, { headers: { "content-type": "x" } });
        equal(typed.headers.get("content-type"), "x");
    }
});

test("a body is a copy", async () => {
    const bytes = encode("abc");
    const response = new Response(bytes);
    bytes[0] = 0;
    equal(await response.text(), "abc");
    const other = new Response("abc");
    (await other.clone().bytes())[0] = 0;
    equal(await other.text(), "abc");
});

test("every way to read", async () => {
    const make = () => new Response("\ufeff[1]", { headers: { "content-type": "A/b; c=D" } });
    equal(await make().text(), "[1]");
    same(await make().json(), [1]);
    equal((await make().bytes()).length, 6);
    ok((await make().arrayBuffer()) instanceof ArrayBuffer);
    const blob = await make().blob();
    equal(blob.size, 6);
    equal(blob.type, "a/b;c=D");
    await rejects(SyntaxError, new Response("").json());
    await rejects(SyntaxError, new Response("{").json());
    equal(await new Response(new Uint8Array([0xff, 0x61])).text(), "\ufffda");
    equal((await new Response(null).bytes()).length, 0);
    equal((await new Response().blob()).type, "");
});

test("a body is read once", async () => {
    for (const name of ["text", "json", "bytes", "arrayBuffer", "blob"]) {
        for (const body of ["1", streamOf(encode("1"))]) {
            const response = new Response(body);
            equal(response.bodyUsed, false);
            const first = response[name]();
            equal(response.bodyUsed, true);
            await first;
            await rejects(TypeError, response[name]());
            equal(response.body.locked, true);
        }
    }
    const empty = new Response(null);
    await empty.text();
    await empty.text();
    equal(empty.bodyUsed, false);
    const cancelled = new Response("x");
    await cancelled.body.cancel();
    equal(cancelled.bodyUsed, true);
    const locked = new Response("x");
    const reader = locked.body.getReader();
    equal(locked.bodyUsed, false);
    await rejects(TypeError, locked.text());
    reader.releaseLock();
    equal(await locked.text(), "x");
    await rejects(TypeError, Response.prototype.text.call({}));
});

test("streams as bodies", async () => {
    const response = new Response("abc");
    const reader = response.body.getReader({ mode: "byob" });
    same([...(await reader.read(new Uint8Array(2))).value], [97, 98]);
    same([...(await reader.read(new Uint8Array(2))).value], [99]);
    equal((await reader.read(new Uint8Array(2))).done, true);
    equal(response.bodyUsed, true);
    for (const chunk of ["text", new ArrayBuffer(1), 1, null, new Uint16Array(1)]) {
        await rejects(TypeError, new Response(streamOf(chunk)).text());
    }
    const failing = new ReadableStream({
        pull() {
            throw new RangeError("no");
        },
    });
    await rejects(RangeError, new Response(failing).text());
    const used = streamOf(encode("x"));
    await used.getReader().read();
    throws(TypeError, () => new Response(used));
    const locked = streamOf();
    locked.getReader();
    throws(TypeError, () => new Response(locked));
    throws(TypeError, () => new Request(url, { method: "POST", body: locked, duplex: "half" }));
    const passed = new Response("x");
    equal(await new Response(passed.body).text(), "x");
    equal(passed.bodyUsed, true);
    const stream = streamOf();
    equal(new Response(stream).body, stream);
});

// --- FormData ---

test("names in multipart bodies", async () => {
    const names = ["dir\\", "C:\\tmp\\", 'a"b', 'a\\"b', "é😀", "a;b=c", "a\nb", "filename=x", ""];
    const form = new FormData();
    for (const name of names) {
        form.append(name, "v");
        form.append("f", new Blob(["x"]), name);
    }
    const back = await new Response(form).formData();
    const newLines = name => name.replace("\n", "\r\n");
    same(
        [...back.keys()].filter(name => name !== "f"),
        names.map(newLines)
    );
    same(
        back.getAll("f").map(({ name }) => name),
        names
    );
    const type = "multipart/form-data; boundary=b";
    const parse = head =>
        new Response(`--b\r\nContent-Disposition: ${head}\r\n\r\nv\r\n--b--`, {
            headers: { "content-type": type },
        }).formData();
    equal((await parse('form-data; NAME="a"; x="b;name=c"')).get("a"), "v");
    equal((await parse("form-data;name=a")).get("a"), "v");
    equal((await parse('form-data; filename="n"; name="a\\"')).get("a\\").name, "n");
    await rejects(TypeError, parse('form-data; filename="n"'));
    await rejects(TypeError, parse('attachment; name="n"'));
});

test("file names of FormData's entries", () => {
    const form = new FormData();
    const file = new File(["x"], "old");
    form.append("a", file, undefined);
    form.append("b", new Blob(["x"]), undefined);
    form.append("c", file, "new\ud800");
    equal(form.get("a"), file);
    same([form.get("b").name, form.get("c").name], ["blob", "new\ufffd"]);
    throws(TypeError, () => form.append("d", "text", undefined));
    throws(TypeError, () => new FormData(null));
});

test("FormData", () => {
    const form = new FormData();
    form.append("a", 1);
    form.append("b", "\ud800");
    form.append("a", new Blob(["x"], { type: "t/u" }), "name");
    form.append("c", new Blob(["y"]));
    form.append("d", new File(["z"], "z.txt", { lastModified: 5 }));
    equal(form.get("a"), "1");
    equal(form.get("b"), "\ufffd");
    equal(form.getAll("a")[1].name, "name");
    equal(form.getAll("a")[1].type, "t/u");
    equal(form.get("c").name, "blob");
    equal(form.get("d").lastModified, 5);
    same([...form.keys()], ["a", "b", "a", "c", "d"]);
    form.set("a", "2");
    same([...form.keys()], ["a", "b", "c", "d"]);
    form.delete("b");
    equal(form.has("b"), false);
    equal(form.get("b"), null);
    same(form.getAll("b"), []);
    throws(TypeError, () => form.append("a"));
    throws(TypeError, () => form.append("a", "b", "c"));
    throws(TypeError, () => new FormData(1));
});

test("multipart goes there and back", async () => {
    const form = new FormData();
    form.append('q"\r\nx', "line\nbreak\r\nand\rmore");
    form.append("\u00e9", "\u20ac");
    form.append(
        "file",
        new File([new Uint8Array([0, 13, 10, 255])], 'a"b\u00e9\n.bin', { type: "x/y" })
    );
    form.append("plain", new Blob(["-- --"]));
    const response = new Response(form);
    ok(/^multipart\/form-data; boundary=\S+$/.test(response.headers.get("content-type")));
    const back = await response.formData();
    same([...back.keys()], ['q"\r\nx', "\u00e9", "file", "plain"]);
    equal(back.get('q"\r\nx'), "line\r\nbreak\r\nand\r\nmore");
    equal(back.get("\u00e9"), "\u20ac");
    const file = back.get("file");
    equal(file.name, 'a"b\u00e9\n.bin');
    equal(file.type, "x/y");
    same([...(await file.bytes())], [0, 13, 10, 255]);
    equal(back.get("plain").name, "blob");
    equal(back.get("plain").type, "application/octet-stream");
    const text = await new Response(new FormData()).text();
    ok(/^--\S+--\r\n$/.test(text), text);
});

test("multipart as others write it", async () => {
    const form = await multipart(
        "--AaB\r\n" +
            "content-disposition: FORM-DATA; name=one\r\n\r\n1\r\n" +
            "--AaB\r\n" +
            'X-Other: y\r\nContent-Disposition: form-data; filename="f"; name="two"\r\n\r\n2\r\n' +
            "--AaB\r\n" +
            'Content-Disposition: form-data; name="three"\r\n' +
            "Content-Type: text/plain; charset=iso-8859-1\r\n\r\n\u00e9\r\n" +
            "--AaB\r\n" +
            'Content-Disposition: form-data; name=""\r\n\r\n\r\n' +
            "--AaB--\r\nepilogue"
    );
    equal(form.get("one"), "1");
    equal(form.get("two").name, "f");
    equal(form.get("two").type, "text/plain");
    equal(form.get("three"), "\u00e9", "values are UTF-8, whatever they say");
    equal(form.get(""), "");
    const quoted = 'multipart/form-data; charset=x; boundary="A B"';
    equal(
        (
            await multipart(
                '--A B\r\nContent-Disposition: form-data; name="x"\r\n\r\ny\r\n--A B--',
                quoted
            )
        ).get("x"),
        "y"
    );
    equal([...(await multipart("--AaB--\r\n"))].length, 0);
});

test("multipart that is malformed", async () => {
    const part = 'Content-Disposition: form-data; name="a"\r\n\r\n';
    const cases = [
        "",
        "text",
        "--AaB",
        "--AaB\r\n",
        `--AaB\r\n${part}x`,
        `--AaB\r\n${part}x\r\n--AaB`,
        `--AaB\r\n${part}x\r\n--AaBx\r\n`,
        `--AaC\r\n${part}x\r\n--AaC--`,
        "--AaB\r\n\r\nx\r\n--AaB--",
        "--AaB\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--AaB--",
        "--AaB\r\nContent-Disposition: form-data\r\n\r\nx\r\n--AaB--",
        `--AaB\n${part}x\n--AaB--`,
    ];
    for (const text of cases) await rejects(TypeError, multipart(text), JSON.stringify(text));
    await rejects(TypeError, multipart("--AaB--", "multipart/form-data"));
    await rejects(TypeError, multipart("--AaB--", "multipart/form-data; boundary="));
    for (const type of ["", "text/plain", "multipart/mixed; boundary=AaB"]) {
        await rejects(TypeError, multipart("--AaB--", type));
    }
    await rejects(TypeError, new Response("a=b").formData());
});

test("urlencoded forms", async () => {
    const form = await multipart(
        "?a=1&b=%E2%82%AC+x&&c&=d&a=%ff",
        "application/x-www-form-urlencoded; charset=iso-8859-1"
    );
    same(
        [...form],
        [
            ["?a", "1"],
            ["b", "\u20ac x"],
            ["c", ""],
            ["", "d"],
            ["a", "\ufffd"],
        ]
    );
    equal((await new Response(new URLSearchParams({ a: "b c" })).formData()).get("a"), "b c");
});

test("forms keep a byte order mark", async () => {
    const urlencoded = "application/x-www-form-urlencoded";
    for (const body of ["\ufeffa=1", new TextEncoder().encode("\ufeffa=1")]) {
        same([...(await multipart(body, urlencoded))], [["\ufeffa", "1"]]);
    }
    const form = new FormData();
    form.append("\ufeffa", "\ufeffb");
    same([...(await new Response(form).formData())], [["\ufeffa", "\ufeffb"]]);
    same([...(await new Response(new URLSearchParams(form)).formData())], [["\ufeffa", "\ufeffb"]]);
});

// --- Blob and File ---

test("Blob", async () => {
    const blob = new Blob(["ab", encode("cd"), new Blob(["e"]), encode("xfx").subarray(1, 2), 1]);
    equal(blob.size, 7);
    equal(await blob.text(), "abcdef1");
    const slices = [
        [[], "abcdef1"],
        [[2], "cdef1"],
        [[1, 3], "bc"],
        [[-2], "f1"],
        [[-100, 2], "ab"],
        [[3, 1], ""],
        [[0, -5], "ab"],
        [[1.9, "3"], "c"],
        [[NaN, 1], "a"],
        [[100], ""],
        [[0, 1e20], "abcdef1"],
        [[undefined, undefined], "abcdef1"],
        [[null, null], ""],
    ];
    for (const [given, expected] of slices) {
        equal(await blob.slice(...given).text(), expected, JSON.stringify(given));
    }
    equal(blob.slice(0, 1, "A/B").type, "a/b");
    equal(blob.slice(0, 1, "\u00e9").type, "");
    equal(new Blob([], { type: "Text/Plain;A=b" }).type, "text/plain;a=b");
    equal(new Blob([], { type: "a\x7f" }).type, "");
    equal(new Blob().size, 0);
    equal(await new Blob(["a\r\nb\rc\nd"], { endings: "native" }).text(), "a\nb\nc\nd");
    for (const parts of [1, null, {}, true, "xy"]) throws(TypeError, () => new Blob(parts));
    throws(TypeError, () => new Blob([], { endings: "x" }));
    throws(TypeError, () => new Blob([], 1));
    const buffer = await blob.arrayBuffer();
    new Uint8Array(buffer)[0] = 0;
    equal(await blob.text(), "abcdef1");
    const reader = blob.stream().getReader({ mode: "byob" });
    equal((await reader.read(new Uint8Array(3))).value.length, 3);
    equal(await new Response(blob.stream()).text().catch(e => e.name), "abcdef1");
});

test("File", async () => {
    const file = new File(["a"], "n\ud800", { type: "X/Y", lastModified: 1.7 });
    equal(file.name, "n\ufffd");
    equal(file.lastModified, 1);
    equal(file.type, "x/y");
    ok(file instanceof Blob);
    ok(Math.abs(new File([], "").lastModified - Date.now()) < 60000);
    equal(file.slice(0, 1) instanceof File, false);
    throws(TypeError, () => new File([]));
    throws(TypeError, () => new File("x", "y"));
    equal(Object.prototype.toString.call(file), "[object File]");
});

const letters = () => new Uint8Array([97, 98, 99]);
const written = view => new Uint8Array(view.buffer ?? view).fill(120);

test("who reads a body has bytes of their own", async () => {
    const given = letters();
    const response = new Response(given);
    written(given);
    equal(await response.text(), "abc");

    const first = new Response(letters());
    const second = first.clone();
    const third = second.clone();
    written(await first.arrayBuffer());
    written(await second.bytes());
    equal(await third.text(), "abc");

    const blob = new Blob([letters()]);
    written(await new Response(blob).arrayBuffer());
    written(await new Request("http://a/", { method: "POST", body: blob }).bytes());
    for await (const chunk of new Response(blob).body) written(chunk);
    for await (const chunk of blob.stream()) written(chunk);
    equal(await blob.text(), "abc");
    const posted = new Request("http://a/", { method: "POST", body: blob });
    written(await new Request(posted).arrayBuffer());
    equal(await blob.text(), "abc");
});

test("a stream's chunks stay with who made them", async () => {
    const chunk = letters();
    written(await new Response(streamOf(chunk)).arrayBuffer());
    written(await new Response(streamOf(chunk, chunk)).bytes());
    equal(chunk[0], 97);
});

test("a chunk whose buffer was transferred is empty", async () => {
    const lost = encode("lost");
    const body = streamOf(lost);
    structuredClone(lost.buffer, { transfer: [lost.buffer] });
    equal(await new Response(body).text(), "");
    const more = [encode("more"), encode("x"), encode("y")];
    const longer = streamOf(...more);
    structuredClone(more[0].buffer, { transfer: [more[0].buffer] });
    equal(await new Response(longer).text(), "xy");
});

test("an ArrayBuffer of a body has its bytes and no more", async () => {
    const view = new Uint8Array(64).fill(97).subarray(8, 11);
    equal((await new Response(view).arrayBuffer()).byteLength, 3);
    equal((await new Response(view).bytes()).buffer.byteLength, 3);
    equal((await new Response(streamOf(view)).arrayBuffer()).byteLength, 3);
});

async function* chunks(...given) {
    yield* given;
}

test("an async iterable of bytes and text is a body, as in Node", async () => {
    equal(
        await new Response(chunks("a", encode("b"), encode("cd").buffer, "\u00fc")).text(),
        "abcd\u00fc"
    );
    equal(new Response(chunks()).headers.get("content-type"), null);
    const init = { method: "POST", body: chunks("x") };
    throws(TypeError, () => new Request(url, init));
    equal(await new Request(url, { ...init, duplex: "half" }).text(), "x");
    await rejects(TypeError, new Response(chunks("a", 1)).text());
});

test("an async iterable ends when its body is cancelled", async () => {
    let ended = false;
    async function* endless() {
        try {
            for (;;) yield "x";
        } finally {
            ended = true;
        }
    }
    const reader = new Response(endless()).body.getReader();
    equal((await reader.read()).value.length, 1);
    await reader.cancel();
    ok(ended);
});

export default area;
