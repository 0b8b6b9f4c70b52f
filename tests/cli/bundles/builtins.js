// Lists every own property that can be reached from the global object and from what only syntax
// reaches: its path, its attributes and the kind of its value. The list of the top level is kept;
// a request is answered with it ("/top") or with one that is made then ("/now").
function kindOf(value) {
    if (typeof value === "function") return `function ${value.name}/${value.length}`;
    if (typeof value !== "object" || value === null) return typeof value;
    return Object.prototype.toString.call(value);
}

function describe({ value, get, set, writable, enumerable, configurable }) {
    const attributes = [writable && "writable", enumerable && "enumerable", configurable && "configurable"];
    const accessors = `get ${kindOf(get)} set ${kindOf(set)}`;
    const data = get === undefined && set === undefined;
    return `${attributes.filter(Boolean).join(" ")} ${data ? kindOf(value) : accessors}`;
}

function seeds() {
    const iterate = (...made) => made.map(one => one[Symbol.iterator]());
    const [array, map, set, text] = iterate([], new Map(), new Set(), "");
    return {
        globalThis,
        AsyncFunction: async function () {},
        GeneratorFunction: function* () {},
        AsyncGeneratorFunction: async function* () {},
        generator: (function* () {})(),
        asyncGenerator: (async function* () {})(),
        array,
        map,
        set,
        text,
        matches: "a".matchAll(/a/g),
        helper: [].values().map(String),
        wrapped: Iterator.from({ next() {} }),
        typed: Object.getPrototypeOf(Uint8Array),
        arguments: (function () {
            return arguments;
        })(),
    };
}

function list() {
    const lines = [];
    const seen = new Set();
    const rest = Object.entries(seeds());
    const add = (path, value) => {
        if ((typeof value !== "object" && typeof value !== "function") || value === null) return;
        if (!seen.has(value)) rest.push([path, value]);
    };
    while (rest.length > 0) {
        const [path, object] = rest.shift();
        if (seen.has(object)) continue;
        seen.add(object);
        if (!Object.isExtensible(object)) lines.push(`${path} is not extensible`);
        for (const key of Reflect.ownKeys(object)) {
            const own = Reflect.getOwnPropertyDescriptor(object, key);
            const name = typeof key === "symbol" ? `[${key.description}]` : key;
            lines.push(`${path}.${name} ${describe(own)}`);
            for (const inner of [own.value, own.get, own.set]) add(`${path}.${name}`, inner);
        }
        const prototype = Reflect.getPrototypeOf(object);
        if (prototype !== null && !seen.has(prototype)) rest.push([`${path}.__proto__`, prototype]);
    }
    return lines.sort();
}

const AT_TOP = false;
const top = AT_TOP ? list() : [];
let warm;

export default {
    fetch(request) {
        const { pathname } = new URL(request.url);
        if (pathname === "/warm") warm = list();
        const asked = { "/top": top, "/warm": warm, "/now": list() }[pathname];
        return new Response(asked.join("\n") + "\n");
    },
};
