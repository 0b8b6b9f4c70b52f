"use strict";
// The built-ins as they were before any code of the function ran, for the built-in modules: what a
// function replaces, adds or freezes later changes nothing in them. The build rewrites modules and
// packages so that they use this; see rewrite.mjs. take(), method() and getter() are replaced there,
// too: by a built-in, by a function that calls it with `this` as its first argument, and by one that
// reads a property.
//
// Nothing here may look anything up on a built-in: no method calls, no spreading, no destructuring
// of arrays.
const apply = take("Reflect.apply");
const bindFunction = take("Function.prototype.bind");
const callFunction = take("Function.prototype.call");
const uncurry = made => apply(bindFunction, callFunction, [made]);
const bound = (made, self) => apply(bindFunction, made, [self]);

exports.bound = bound;
exports.take = $$pristine;

const made = { __proto__: null };
const methodOf = number => (made[number] ??= uncurry($$pristine[number]));
exports.method = methodOf;

const $Array = take("Array");
const $ArrayBuffer = take("ArrayBuffer");
const $Map = take("Map");
const $Promise = take("Promise");
const $RegExp = take("RegExp");
const $Set = take("Set");
const $TypeError = take("TypeError");
const $Uint8Array = take("Uint8Array");
const $WeakMap = take("WeakMap");
const $WeakSet = take("WeakSet");
const iteratorKey = take("Symbol").iterator;
const isArray = take("Array.isArray");
const isView = take("ArrayBuffer.isView");
const min = take("Math.min");
const trunc = take("Math.trunc");
const hasOwn = take("Object.hasOwn");
const defineProperty = take("Object.defineProperty");
const keysOf = take("Object.keys");
const prototypeOf = take("Object.getPrototypeOf");
const call = uncurry(callFunction);
const hasInstance = method("Function.prototype[Symbol.hasInstance]");

const isObject = value =>
    (typeof value === "object" && value !== null) || typeof value === "function";
const instanceOf = (value, Class) => hasInstance(Class, value);

// As `value instanceof Class`. What is on its right may be one of the function's own classes.
exports.instanceOf = instanceOf;

// --- Iteration ---

const arrayValues = take("Array.prototype.values");
const mapEntries = take("Map.prototype.entries");
const setValues = take("Set.prototype.values");
const ownIterator = take("%IteratorPrototype%[Symbol.iterator]");
const stringIterator = take("String.prototype[Symbol.iterator]");
const typedValues = take("%TypedArray%.prototype.values");
const arrayNext = take("%ArrayIteratorPrototype%.next");
const mapNext = take("%MapIteratorPrototype%.next");
const setNext = take("%SetIteratorPrototype%.next");
const stringNext = take("%StringIteratorPrototype%.next");
const arrayIterators = take("%ArrayIteratorPrototype%");
const mapIterators = take("%MapIteratorPrototype%");
const setIterators = take("%SetIteratorPrototype%");
const stringIterators = take("%StringIteratorPrototype%");

// null where a getter throws, which is none of the built-ins.
function lookUp(object, key) {
    try {
        return object[key];
    } catch {
        return null;
    }
}

const isOwn = (iterators, next) =>
    lookUp(iterators, "next") === next && lookUp(iterators, "return") === undefined;

// An iterable that asks for the next value in the way that is given, whatever was replaced.
function iterable(iterator, next) {
    const safe = { __proto__: null, next: () => apply(next, iterator, []) };
    safe[iteratorKey] = () => safe;
    return safe;
}

// What a `for` loop, a spread or a destructuring goes through in place of `value`: the same values,
// by the built-ins' own iterators where it is a built-in.
exports.iter = value => {
    if (value === undefined || value === null) return value;
    const method = lookUp(value, iteratorKey);
    if (isArray(value)) {
        if (isOwn(arrayIterators, arrayNext) && method === arrayValues) return value;
        if (hasOwn(value, iteratorKey)) return value;
        return iterable(apply(arrayValues, value, []), arrayNext);
    }
    if (typeof value === "string") {
        if (isOwn(stringIterators, stringNext) && method === stringIterator) return value;
        return iterable(apply(stringIterator, value, []), stringNext);
    }
    return otherIterable(value, method);
};

function otherIterable(value, method) {
    if (hasOwn(value, iteratorKey)) return value;
    const prototype = prototypeOf(value);
    if (prototype === mapIterators) {
        if (method === ownIterator && isOwn(mapIterators, mapNext)) return value;
        return iterable(value, mapNext);
    }
    if (prototype === setIterators) {
        if (method === ownIterator && isOwn(setIterators, setNext)) return value;
        return iterable(value, setNext);
    }
    if (prototype === arrayIterators) {
        if (method === ownIterator && isOwn(arrayIterators, arrayNext)) return value;
        return iterable(value, arrayNext);
    }
    if (prototype === $Map.prototype) {
        if (method === mapEntries && isOwn(mapIterators, mapNext)) return value;
        return iterable(apply(mapEntries, value, []), mapNext);
    }
    if (prototype === $Set.prototype) {
        if (method === setValues && isOwn(setIterators, setNext)) return value;
        return iterable(apply(setValues, value, []), setNext);
    }
    if (isView(value)) {
        if (method === typedValues && isOwn(arrayIterators, arrayNext)) return value;
        return iterable(apply(typedValues, value, []), arrayNext);
    }
    return value;
}

const { iter } = exports;

// --- Descriptions of properties: their own members alone ---

const descriptorOf = take("Object.getOwnPropertyDescriptor");
const ownKeys = take("Reflect.ownKeys");

function bare(object) {
    const copy = { __proto__: null };
    const names = ownKeys(object);
    for (let i = 0; i < names.length; i++) copy[names[i]] = object[names[i]];
    return copy;
}

exports.define = (object, key, described) => defineProperty(object, key, bare(described));

exports.defineAll = (object, all) => {
    const names = ownKeys(all);
    for (let i = 0; i < names.length; i++) {
        if (descriptorOf(all, names[i]).enumerable)
            defineProperty(object, names[i], bare(all[names[i]]));
    }
    return object;
};

// As an array, of what iterates like one.
function listOf(values) {
    if (isArray(values) && !hasOwn(values, iteratorKey)) return values;
    const list = [];
    for (const value of iter(values)) list[list.length] = value;
    return list;
}

// In place of for-in: own names alone.
exports.keys = value => (isObject(value) ? keysOf(value) : []);

exports.arrayFrom = (values, convert = undefined) => {
    const list = [];
    if (lookUp(values, iteratorKey) === undefined) {
        for (let i = 0; i < values.length; i++)
            list[i] = convert ? convert(values[i], i) : values[i];
        return list;
    }
    for (const value of iter(values)) {
        const i = list.length;
        list[i] = convert ? convert(value, i) : value;
    }
    return list;
};

exports.fromEntries = entries => {
    const object = {};
    for (const entry of iter(entries)) {
        defineProperty(object, entry[0], {
            __proto__: null,
            value: entry[1],
            writable: true,
            enumerable: true,
            configurable: true,
        });
    }
    return object;
};
const mapSet = method("Map.prototype.set");
const setAdd = method("Set.prototype.add");

exports.newMap = entries => {
    const map = new $Map();
    for (const entry of iter(entries ?? [])) mapSet(map, entry[0], entry[1]);
    return map;
};

exports.newSet = values => {
    const set = new $Set();
    for (const value of iter(values ?? [])) setAdd(set, value);
    return set;
};

// A typed array of one argument that is not a number in the source.
exports.newTyped = (Class, from) => {
    if (!isArray(from)) return new Class(from);
    const typed = new Class(from.length);
    for (let i = 0; i < from.length; i++) typed[i] = from[i];
    return typed;
};

// --- Arrays: without Symbol.species ---

const length = getter("%TypedArray%.prototype.length");
const byteOffset = getter("%TypedArray%.prototype.byteOffset");
const byteLength = getter("%TypedArray%.prototype.byteLength");
const bufferOf = getter("%TypedArray%.prototype.buffer");
const tagOf = getter("%TypedArray%.prototype[Symbol.toStringTag]");
const typedSet = method("%TypedArray%.prototype.set");
const typedSlice = method("%TypedArray%.prototype.slice");
const typedSubarray = method("%TypedArray%.prototype.subarray");

const dataLength = getter("DataView.prototype.byteLength");
const dataOffset = getter("DataView.prototype.byteOffset");
const dataBuffer = getter("DataView.prototype.buffer");
const viewLength = view => (tagOf(view) === undefined ? dataLength(view) : byteLength(view));
const viewOffset = view => (tagOf(view) === undefined ? dataOffset(view) : byteOffset(view));
const viewBuffer = view => (tagOf(view) === undefined ? dataBuffer(view) : bufferOf(view));

const isBytes = value => isView(value) && tagOf(value) === "Uint8Array";

function toIndex(value, size, missing) {
    if (value === undefined) return missing;
    const index = trunc(value) || 0;
    return index < 0 ? (index + size < 0 ? 0 : index + size) : min(index, size);
}

function part(bytes, start, end) {
    const size = length(bytes);
    const from = toIndex(start, size, 0);
    const to = toIndex(end, size, size);
    return new $Uint8Array(bufferOf(bytes), byteOffset(bytes) + from, to > from ? to - from : 0);
}

function subarray(typed, start, end) {
    return isBytes(typed) ? part(typed, start, end) : typedSubarray(typed, start, end);
}

function sliceTyped(typed, start, end) {
    if (!isBytes(typed)) return typedSlice(typed, start, end);
    const view = part(typed, start, end);
    const copy = new $Uint8Array(length(view));
    typedSet(copy, view);
    return copy;
}

function sliceArray(list, start, end) {
    const from = toIndex(start, list.length, 0);
    const to = toIndex(end, list.length, list.length);
    const copy = [];
    for (let i = from; i < to; i++) copy[i - from] = list[i];
    return copy;
}

function mapArray(list, convert, self) {
    const mapped = [];
    for (let i = 0; i < list.length; i++) mapped[i] = call(convert, self, list[i], i, list);
    return mapped;
}

function filterArray(list, wanted, self) {
    const kept = [];
    for (let i = 0; i < list.length; i++)
        if (call(wanted, self, list[i], i, list)) kept[kept.length] = list[i];
    return kept;
}

function flatMapArray(list, convert, self) {
    const mapped = [];
    for (let i = 0; i < list.length; i++) {
        const made = call(convert, self, list[i], i, list);
        if (!isArray(made)) mapped[mapped.length] = made;
        else for (let j = 0; j < made.length; j++) mapped[mapped.length] = made[j];
    }
    return mapped;
}

// --- Regular expressions: without `exec`, `flags` and the like, which can be replaced ---

const exec = method("RegExp.prototype.exec");
const isGlobal = getter("RegExp.prototype.global");
const substring = method("String.prototype.substring");
const indexOfText = method("String.prototype.indexOf");
const codePointAt = method("String.prototype.codePointAt");
const isUnicode = getter("RegExp.prototype.unicode");
const isUnicodeSets = getter("RegExp.prototype.unicodeSets");

function test(pattern, text) {
    return exec(pattern, text) !== null;
}

// Where to look for the next match after an empty one.
function stepOver(pattern, text) {
    const at = pattern.lastIndex;
    const whole = isUnicode(pattern) || isUnicodeSets(pattern);
    pattern.lastIndex = at + (whole && codePointAt(text, at) > 0xffff ? 2 : 1);
}

// Each match of a global pattern, else the first one alone.
function matches(pattern, text) {
    const found = [];
    if (!isGlobal(pattern)) {
        const match = exec(pattern, text);
        if (match !== null) found[0] = match;
        return found;
    }
    pattern.lastIndex = 0;
    for (let match = exec(pattern, text); match !== null; match = exec(pattern, text)) {
        found[found.length] = match;
        if (match[0] === "") stepOver(pattern, text);
    }
    return found;
}

// What stands for "$&", "$1" and so on.
function expand(replacement, match) {
    let text = "";
    for (let i = 0; i < replacement.length; i++) {
        const next = replacement[i + 1];
        if (replacement[i] !== "$" || next === undefined) text += replacement[i];
        else if (next === "$") ((text += "$"), i++);
        else if (next === "&") ((text += match[0]), i++);
        else if (next >= "1" && next <= "9") ((text += match[+next] ?? ""), i++);
        else text += "$";
    }
    return text;
}

function replaceMatches(text, pattern, replacement) {
    const found = matches(pattern, text);
    if (found.length === 0) return text;
    let result = "";
    let end = 0;
    for (let i = 0; i < found.length; i++) {
        const match = found[i];
        result += substring(text, end, match.index);
        if (typeof replacement === "function") {
            const values = [];
            for (let j = 0; j < match.length; j++) values[j] = match[j];
            values[values.length] = match.index;
            values[values.length] = text;
            result += apply(replacement, undefined, values);
        } else {
            result += expand(`${replacement}`, match);
        }
        end = match.index + match[0].length;
    }
    return result + substring(text, end);
}

// A string that is replaced or split by looks up a method of its own prototype: text is found here.
function replaceString(text, wanted, replacement, all) {
    let result = "";
    let end = 0;
    for (;;) {
        const at = indexOfText(text, wanted, end);
        if (at < 0 || (wanted === "" && end > 0)) break;
        result += substring(text, end, at);
        result += typeof replacement === "function" ? replacement(wanted, at, text) : replacement;
        end = at + wanted.length;
        if (!all || wanted === "") break;
    }
    return result + substring(text, end);
}

function replace(text, pattern, replacement) {
    if (instanceOf(pattern, $RegExp)) return replaceMatches(text, pattern, replacement);
    return replaceString(text, pattern, replacement, false);
}

function replaceAll(text, pattern, replacement) {
    if (instanceOf(pattern, $RegExp)) return replaceMatches(text, pattern, replacement);
    return replaceString(text, pattern, replacement, true);
}

function split(text, separator) {
    const parts = [];
    if (typeof separator === "string" && separator !== "") {
        let start = 0;
        for (;;) {
            const at = indexOfText(text, separator, start);
            if (at < 0) break;
            parts[parts.length] = substring(text, start, at);
            start = at + separator.length;
        }
        parts[parts.length] = substring(text, start);
        return parts;
    }
    if (separator === "") {
        for (let i = 0; i < text.length; i++) parts[i] = text[i];
        return parts;
    }
    throw new $TypeError("the built-in modules split by strings alone");
}

function match(text, pattern) {
    const found = matches(pattern, text);
    if (!isGlobal(pattern)) return found.length > 0 ? found[0] : null;
    return found.length > 0 ? mapArray(found, one => one[0]) : null;
}

function search(text, pattern) {
    pattern.lastIndex = 0;
    return exec(pattern, text)?.index ?? -1;
}

// --- Promises ---

const thenPromise = method("Promise.prototype.then");
const promiseMethods = $Promise.prototype;
const speciesKey = take("Symbol").species;
const isPromise = value => isObject(value) && instanceOf(value, $Promise);

// What a promise is resolved with in place of `value`: of another promise its `then` would be looked
// up, which can be replaced.
const settled = value =>
    isPromise(value)
        ? { __proto__: null, then: (resolve, reject) => void then(value, resolve, reject) }
        : value;
exports.settled = settled;

exports.newPromise = execute =>
    new $Promise((resolve, reject) => execute(value => resolve(settled(value)), reject));

exports.withResolvers = () => {
    const made = { promise: undefined, resolve: undefined, reject: undefined };
    made.promise = new $Promise((resolve, reject) => {
        made.resolve = value => resolve(settled(value));
        made.reject = reject;
    });
    return made;
};

// A promise for `value`, as `await` and Promise.resolve() have it.
exports.resolve = value =>
    isPromise(value) ? value : new $Promise(resolve => resolve(settled(value)));

// Promises are made with the constructor of the first one, which can be replaced; not by `await`.
async function thenAwaiting(promise, onValue, onError) {
    let value;
    try {
        value = await promise;
    } catch (error) {
        if (onError === undefined) throw error;
        return settled(onError(error));
    }
    return onValue === undefined ? value : settled(onValue(value));
}

function makesPromises() {
    try {
        return $Promise[speciesKey] === $Promise && promiseMethods.constructor === $Promise;
    } catch {
        return false;
    }
}

function then(promise, onValue, onError) {
    if (!makesPromises()) return thenAwaiting(promise, onValue, onError);
    return thenPromise(
        promise,
        onValue && (value => settled(onValue(value))),
        onError && (error => settled(onError(error)))
    );
}

// As a method: the same of a promise that is `this`.
exports.thenMethod = function (onValue, onError) {
    return then(this, onValue, onError);
};

const rescue = (promise, onError) => then(promise, undefined, onError);

// All values, in order.
exports.all = promises =>
    new $Promise((resolve, reject) => {
        const list = listOf(promises);
        const values = [];
        let left = list.length;
        if (left === 0) resolve(values);
        for (let i = 0; i < list.length; i++) {
            then(
                exports.resolve(list[i]),
                value => {
                    values[i] = value;
                    if (--left === 0) resolve(values);
                },
                reject
            );
        }
    });

// --- For the functions that the build adds to a module for methods; see rewrite.mjs ---

exports.isMap = value => instanceOf(value, $Map);
exports.isSet = value => instanceOf(value, $Set);
exports.isWeakMap = value => instanceOf(value, $WeakMap);
exports.isWeakSet = value => instanceOf(value, $WeakSet);
exports.isBuffer = value => instanceOf(value, $ArrayBuffer);
exports.isRegExp = value => instanceOf(value, $RegExp);
exports.isPromise = isPromise;
exports.isBindable = value => typeof value === "function" && !hasOwn(value, "bind");

exports.viewLength = viewLength;
exports.viewOffset = viewOffset;
exports.viewBuffer = viewBuffer;
exports.mapArray = mapArray;
exports.filterArray = filterArray;
exports.flatMapArray = flatMapArray;
exports.sliceArray = sliceArray;
exports.sliceTyped = sliceTyped;
exports.subarray = subarray;
exports.test = test;
exports.exec = exec;
exports.replace = replace;
exports.replaceAll = replaceAll;
exports.split = split;
exports.match = match;
exports.matchAll = (text, pattern) => matches(pattern, text);
exports.search = search;
exports.then = then;
exports.rescue = rescue;
