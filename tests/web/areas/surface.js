import { area, equal, ok, same, test, throws } from "../harness.js";

const inEngine = typeof process === "undefined";

// What Web IDL says of each interface, a line each:
//   Name length < Parent : attribute writable= method/length promise/length! static.method/length CONSTANT:value
// A length of "-" is that of an interface that has no constructor.
const interfaces = `
AbortController 0 : signal abort/0
AbortSignal - < EventTarget : aborted reason onabort= throwIfAborted/0 static.abort/0 static.timeout/1 static.any/1
Blob 0 : size type slice/0 stream/0 text/0! arrayBuffer/0! bytes/0!
ByteLengthQueuingStrategy 1 : highWaterMark size
Cache - : match/1! matchAll/0! add/1! addAll/1! put/2! delete/1! keys/0!
CacheStorage - : default match/1! has/1! open/1! delete/1! keys/0!
CompressionStream 1 : readable writable
CountQueuingStrategy 1 : highWaterMark size
Crypto - : subtle getRandomValues/1 randomUUID/0
CryptoKey - : type extractable algorithm usages
CustomEvent 1 < Event : detail initCustomEvent/1
DOMException 0 : name message code INDEX_SIZE_ERR:1 QUOTA_EXCEEDED_ERR:22 DATA_CLONE_ERR:25
DecompressionStream 1 : readable writable
ErrorEvent 1 < Event : message filename lineno colno error
Event 1 : type target srcElement currentTarget eventPhase cancelBubble= bubbles cancelable returnValue= defaultPrevented composed timeStamp composedPath/0 stopPropagation/0 stopImmediatePropagation/0 preventDefault/0 initEvent/1 NONE:0 CAPTURING_PHASE:1 AT_TARGET:2 BUBBLING_PHASE:3
EventTarget 0 : addEventListener/2 removeEventListener/2 dispatchEvent/1
File 2 < Blob : name lastModified webkitRelativePath
FileReader 0 < EventTarget : readyState result error onloadstart= onprogress= onload= onabort= onerror= onloadend= readAsArrayBuffer/1 readAsBinaryString/1 readAsText/1 readAsDataURL/1 abort/0 EMPTY:0 LOADING:1 DONE:2
FormData 0 : append/2 delete/1 get/1 getAll/1 has/1 set/2 entries/0 forEach/1 keys/0 values/0
Headers 0 : append/2 delete/1 get/1 getSetCookie/0 has/1 set/2 entries/0 forEach/1 keys/0 values/0
MessageChannel 0 : port1 port2
MessageEvent 1 < Event : data origin lastEventId source ports initMessageEvent/1
MessagePort - < EventTarget : onmessage= onmessageerror= onclose= postMessage/1 start/0 close/0
Navigator - : userAgent platform language languages hardwareConcurrency
Performance - < EventTarget : timeOrigin now/0 mark/1 measure/1 clearMarks/0 clearMeasures/0 getEntries/0 getEntriesByName/1 getEntriesByType/1 toJSON/0
PerformanceEntry - : name entryType startTime duration toJSON/0
PerformanceMark 1 < PerformanceEntry : detail toJSON/0
PerformanceMeasure - < PerformanceEntry : detail toJSON/0
PerformanceObserver 1 : observe/0 disconnect/0 takeRecords/0
PerformanceObserverEntryList - : getEntries/0 getEntriesByType/1 getEntriesByName/1
ProgressEvent 1 < Event : lengthComputable loaded total
PromiseRejectionEvent 2 < Event : promise reason
QuotaExceededError 0 < DOMException : quota requested
ReadableByteStreamController - : byobRequest desiredSize close/0 enqueue/1 error/0
ReadableStream 0 : locked cancel/0! getReader/0 pipeThrough/1 pipeTo/1! tee/0 values/0 static.from/1
ReadableStreamBYOBReader 1 : closed! cancel/0! read/1! releaseLock/0
ReadableStreamBYOBRequest - : view respond/1 respondWithNewView/1
ReadableStreamDefaultController - : desiredSize close/0 enqueue/0 error/0
ReadableStreamDefaultReader 1 : closed! cancel/0! read/0! releaseLock/0
Request 1 : method url headers destination referrer referrerPolicy mode credentials cache redirect integrity keepalive isReloadNavigation isHistoryNavigation signal duplex body bodyUsed clone/0 arrayBuffer/0! blob/0! bytes/0! formData/0! json/0! text/0!
Response 0 : type url redirected status ok statusText headers body bodyUsed clone/0 arrayBuffer/0! blob/0! bytes/0! formData/0! json/0! text/0! static.error/0 static.redirect/1 static.json/1
SubtleCrypto - : encrypt/3! decrypt/3! sign/3! verify/4! digest/2! generateKey/3! deriveKey/5! deriveBits/2! importKey/5! exportKey/2! wrapKey/4! unwrapKey/7!
TextDecoder 0 : encoding fatal ignoreBOM decode/0
TextDecoderStream 0 : encoding fatal ignoreBOM readable writable
TextEncoder 0 : encoding encode/0 encodeInto/2
TextEncoderStream 0 : encoding readable writable
TransformStream 0 : readable writable
TransformStreamDefaultController - : desiredSize enqueue/0 error/0 terminate/0
URL 1 : href= origin protocol= username= password= host= hostname= port= pathname= search= searchParams hash= toJSON/0 static.parse/1 static.canParse/1 static.createObjectURL/1 static.revokeObjectURL/1
URLPattern 0 : protocol username password hostname port pathname search hash hasRegExpGroups test/0 exec/0
URLSearchParams 0 : size append/2 delete/1 get/1 getAll/1 has/1 set/2 sort/0 toString/0 entries/0 forEach/1 keys/0 values/0
WebSocket 1 < EventTarget : url readyState bufferedAmount onopen= onerror= onclose= extensions protocol onmessage= binaryType= close/0 send/1 CONNECTING:0 OPEN:1 CLOSING:2 CLOSED:3
CloseEvent 1 < Event : wasClean code reason
WritableStream 0 : locked abort/0! close/0! getWriter/0
WritableStreamDefaultController - : signal error/0
WritableStreamDefaultWriter 1 : closed! desiredSize ready! abort/0! close/0! releaseLock/0 write/0!
`;

// What the lines above have no sign for.
const allowed = [
    "PerformanceObserver.supportedEntryTypes",
    "URL.toString", // as the attribute href
    "URLPattern.compareComponent", // a proposal
];

const globalFunctions = {
    addEventListener: 2,
    atob: 1,
    btoa: 1,
    clearInterval: 0,
    clearTimeout: 0,
    dispatchEvent: 1,
    fetch: 1,
    queueMicrotask: 1,
    removeEventListener: 2,
    reportError: 1,
    setInterval: 1,
    setTimeout: 1,
    structuredClone: 1,
};

const flags = ({ writable, enumerable, configurable }) =>
    [writable && "writable", enumerable && "enumerable", configurable && "configurable"]
        .filter(Boolean)
        .join(" ");

// A call with a wrong `this`: a TypeError, thrown or, where there are promises, as a rejection.
async function refuses(call, promises, what) {
    for (const value of [null, undefined, 1, {}, Object.create(null)]) {
        if (!promises) throws(TypeError, () => call(value), `${what} of ${typeof value}`);
        else {
            const error = await call(value).then(
                () => undefined,
                reason => reason
            );
            ok(error instanceof TypeError, `the rejection of ${what}`);
        }
    }
}

async function checkAttribute(Class, name) {
    const [, key, mark] = /^(\w+)([=!]?)$/.exec(name);
    const found = Object.getOwnPropertyDescriptor(Class.prototype, key);
    const what = `${Class.name}.${key}`;
    ok(found, what);
    equal(flags(found), "enumerable configurable", what);
    same([found.get.name, found.get.length], [`get ${key}`, 0], what);
    equal(found.get.prototype, undefined, what);
    await refuses(value => found.get.call(value), mark === "!", what);
    if (mark !== "=") return equal(found.set, undefined, `the setter of ${what}`);
    same([found.set.name, found.set.length], [`set ${key}`, 1], what);
    await refuses(value => found.set.call(value, null), false, `the setter of ${what}`);
}

async function checkMethod(Class, text) {
    const [, isStatic, name, length, mark] = /^(static\.)?(\w+)\/(\d)(!?)$/.exec(text);
    const holder = isStatic ? Class : Class.prototype;
    const found = Object.getOwnPropertyDescriptor(holder, name);
    const what = `${Class.name}.${name}()`;
    ok(found, what);
    equal(flags(found), "writable enumerable configurable", what);
    same([found.value.name, found.value.length], [name, Number(length)], what);
    equal(found.value.prototype, undefined, `the prototype of ${what}`);
    if (isStatic) return;
    const values = Array(Number(length)).fill("a");
    await refuses(value => found.value.call(value, ...values), mark === "!", what);
    if (Number(length) === 0 || mark === "!") return;
    throws(TypeError, () => found.value.call(Class.prototype), what);
}

function checkConstant(Class, text) {
    const [name, value] = text.split(":");
    for (const holder of [Class, Class.prototype]) {
        const found = Object.getOwnPropertyDescriptor(holder, name);
        equal(found?.value, Number(value), `${Class.name}.${name}`);
        equal(flags(found), "enumerable", `${Class.name}.${name}`);
    }
}

const checkMember = (Class, member) => {
    if (member.includes(":")) return checkConstant(Class, member);
    return member.includes("/") ? checkMethod(Class, member) : checkAttribute(Class, member);
};

function checkClass(Class, name, length, parent) {
    equal(flags(Object.getOwnPropertyDescriptor(globalThis, name)), "writable configurable", name);
    same([Class.name, Class.length], [name, length === "-" ? 0 : Number(length)]);
    same(Reflect.ownKeys(Class).slice(0, 3), ["length", "name", "prototype"]);
    equal(flags(Object.getOwnPropertyDescriptor(Class, "prototype")), "", `${name}.prototype`);
    const tag = Object.getOwnPropertyDescriptor(Class.prototype, Symbol.toStringTag);
    same([tag?.value, flags(tag ?? {})], [name, "configurable"], `the tag of ${name}`);
    const back = Object.getOwnPropertyDescriptor(Class.prototype, "constructor");
    equal(back.value, Class);
    equal(flags(back), "writable configurable", `${name}.prototype.constructor`);
    const expected = parent ? globalThis[parent] : Function.prototype;
    equal(Object.getPrototypeOf(Class), expected, `what ${name} inherits from`);
    throws(TypeError, () => Class(), `${name}() without new`);
    if (length !== "0") throws(TypeError, () => new Class(), `new ${name}()`);
}

for (const line of interfaces.trim().split("\n")) {
    const [, name, length, parent, text] = /^(\w+) (\S) (?:< (\w+) )?: (.*)$/.exec(line);
    test(`the interface ${name}`, async () => {
        const Class = globalThis[name];
        equal(typeof Class, "function", name);
        const wrong = [];
        const attempt = async check => {
            try {
                await check();
            } catch (error) {
                wrong.push(error.message);
            }
        };
        await attempt(() => checkClass(Class, name, length, parent));
        for (const member of text.split(" ")) await attempt(() => checkMember(Class, member));
        equal(wrong.join("; "), "");
        const known = text.split(" ").map(member => /^(?:static\.)?(\w+)/.exec(member)[1]);
        const isMore = key =>
            !known.includes(key) && !/^[A-Z_]+$/.test(key) && !allowed.includes(`${name}.${key}`);
        const members = [...Object.keys(Class), ...Object.keys(Class.prototype)];
        same(members.filter(isMore), [], `more members of ${name}`);
    });
}

test("functions of the global object", () => {
    for (const [name, length] of Object.entries(globalFunctions)) {
        const found = Object.getOwnPropertyDescriptor(globalThis, name);
        same([found.value.name, found.value.length], [name, length]);
        equal(flags(found), "writable enumerable configurable", name);
        if (inEngine) equal(found.value.prototype, undefined, `the prototype of ${name}`);
    }
});

export default area;
