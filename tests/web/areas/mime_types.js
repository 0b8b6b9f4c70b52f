// Types as the MIME Sniffing standard parses and writes them, seen through data: URLs and bodies.
import { area, equal, rejects, test } from "../harness.js";

const typeOf = async url => (await fetch(url)).headers.get("content-type");
const blobType = async type =>
    (await new Response("", { headers: { "content-type": type } }).blob()).type;

test("types of data: URLs", async () => {
    const plain = "text/plain;charset=US-ASCII";
    const types = {
        "data:,a": plain,
        "data:IMAGE/gif;CHARSET=x,a": "image/gif;charset=x",
        "data:text/plain;,a": "text/plain",
        'data:;charset="x",a': "text/plain;charset=x",
        'data:text/plain;a=",",a': 'text/plain;a=""',
        "data:text/plain%0C,a": "text/plain%0c",
        "data:text/plain;Charset=UTF-8,a": "text/plain;charset=UTF-8",
        "data:x/x;base64;base64,WA": "x/x",
        "data:x/x;base64;charset=x,WA": "x/x;charset=x",
        "data:;base64;a=s=s=;base64,WA": 'text/plain;a="s=s="',
        "data:text/plain ;charset=x,a": "text/plain;charset=x",
        "data: text/html ;a=b ,a": "text/html;a=b",
        "data:text,a": plain,
        "data:/x,a": plain,
        "data:text / html,a": plain,
        "data:x/x;a=b;a=c,a": "x/x;a=b",
        "data:x/x;a=;b=c,a": "x/x;b=c",
        "data:x/x;a b=c;b=c,a": "x/x;b=c",
        'data:x/x;a="b;c";d=e,a': 'x/x;a="b;c";d=e',
        'data:x/x;a=b"c;d",a': 'x/x;a="b\\"c"',
        "data:;x=1;x=2,a": "text/plain;x=1",
        "data:;%62ase64,WA": "text/plain",
        "data:x/x;base64 ,WA": "x/x",
        "data:x/x; base64,WA": "x/x",
        "data:x/x;BaSe64,WA": "x/x",
    };
    for (const [url, type] of Object.entries(types)) equal(await typeOf(url), type, url);
});

test("bodies of data: URLs", async () => {
    const bodies = {
        "data:,a%20b%zz%F": "a b%zz%F",
        "data:;base64,W%20A": "X",
        "data:;base64,WA==": "X",
        "data:;base64,WB": "X",
        "data:;%62ase64,WA": "WA",
        "data:;base64;,WA": "WA",
        "data:,a#b": "a",
        "data:,a?b": "a?b",
        "data:text/html;base64, WA": "X",
        "data:;x=\u00e9,b": "b",
    };
    for (const [url, body] of Object.entries(bodies)) {
        equal(await (await fetch(url)).text(), body, url);
    }
    for (const url of [
        "data:",
        "data:text/html",
        "data:;base64,W",
        "data:;base64,_w",
        "data:a#,b",
    ]) {
        await rejects(TypeError, fetch(url), url);
    }
});

test("types of bodies", async () => {
    const types = {
        "TEXT/html": "text/html",
        "text/html;CHARSET=GBK": "text/html;charset=GBK",
        "text/html;charset=gbk;charset=utf-8": "text/html;charset=gbk",
        'text/html;charset="gb k"': 'text/html;charset="gb k"',
        'text/html;charset="\\g\\"k': 'text/html;charset="g\\"k"',
        "text/html;charset=gbk(": 'text/html;charset="gbk("',
        "text/html;x=(;charset=gbk": 'text/html;x="(";charset=gbk',
        'text/html;charset=";charset=foo";charset=GBK': 'text/html;charset=";charset=foo"',
        "text/html;;;;charset=gbk": "text/html;charset=gbk",
        "text/html;charset= gbk": 'text/html;charset=" gbk"',
        "text/html;charset =gbk": "text/html",
        "text/html;a;charset=gbk": "text/html;charset=gbk",
        "text/html;charset=\u00ff": 'text/html;charset="\u00ff"',
        "": "",
        text: "",
        "text/": "",
        "text/html, text/plain": "text/plain",
        "text/html;charset=gbk, text/html": "text/html;charset=gbk",
        "text/html;charset=gbk, text/html;x=y": "text/html;x=y;charset=gbk",
        "text/html;charset=gbk, */*": "text/html;charset=gbk",
        'text/html;a=",", text/plain': "text/plain",
        'text/html;a=", text/plain': 'text/html;a=", text/plain"',
        "text/html;charset=gbk, x/x;b=c, text/html": "text/html",
    };
    for (const [given, type] of Object.entries(types)) equal(await blobType(given), type, given);
});

export default area;
