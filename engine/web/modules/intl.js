"use strict";
// Lets formatters and their like be kept from the top level. V8 cannot put one into a snapshot: each
// holds an object of ICU. So what a bundle makes while it is built is a stand-in, which makes the
// formatter of the same arguments when it is used: at run time once, while building every time.
// The engine evaluates this before a bundle whose text names Intl, and at no other time.

const { cloners, copyMember, copyMembers } = require("snapcell:idl");

const held = new WeakMap(); // stand-in -> { Class, args, made, bound }

// Formatters have no copies, and neither have their stand-ins.
cloners.push(object => {
    if (!held.has(object)) return undefined;
    const { DOMException } = require("snapcell:exception");
    const tag = Object.prototype.toString.call(object);
    throw new DOMException(`structuredClone: ${tag} cannot be cloned`, "DataCloneError");
});

// What a method is to be called on: the formatter itself, or that of a stand-in.
function actual(value) {
    const entry = held.get(value);
    if (entry === undefined) return value;
    if (native.building()) return Reflect.construct(entry.Class, entry.args);
    entry.made ??= Reflect.construct(entry.Class, entry.args);
    return entry.made;
}

// Arguments as they are now: locales and options may be changed later.
const copied = value => {
    if (Array.isArray(value)) return [...value];
    return Object.getPrototypeOf(Object(value)) === Object.prototype ? { ...value } : value;
};

function standInFor(made, Class, args) {
    const standIn = Object.create(Object.getPrototypeOf(made));
    held.set(standIn, { Class, args: args.map(copied), made: undefined, bound: undefined });
    return standIn;
}

// `format` of a number format and `compare` of a collator are functions that are bound to it.
function boundOf(value, getter) {
    const entry = held.get(value);
    if (entry === undefined) return Reflect.apply(getter, value, []);
    entry.bound ??= (...args) => Reflect.apply(getter, actual(value), [])(...args);
    return entry.bound;
}

const isBound = name => name === "format" || name === "compare";

function forwarding(key, descriptor) {
    const { get, value, ...rest } = Object.setPrototypeOf(descriptor, null);
    if (get && isBound(key))
        return { __proto__: null, ...rest, get: named(get, self => boundOf(self, get)) };
    if (get)
        return {
            __proto__: null,
            ...rest,
            get: named(get, self => Reflect.apply(get, actual(self), [])),
        };
    if (typeof value !== "function") return undefined;
    return {
        __proto__: null,
        ...rest,
        value: named(value, (self, args) => Reflect.apply(value, actual(self), args)),
    };
}

// A method that replaces another one.
function named(original, call) {
    const method = {
        method(...args) {
            return call(this, args);
        },
    }.method;
    for (const key of ["name", "length"]) copyMember(method, original, key);
    return method;
}

// A stand-in of a Locale would tell the built-in constructors nothing: they get its tag.
const asTag = value => (held.has(value) ? `${value}` : value);

function constructorOf(Class) {
    const replacement = function (locales, ...rest) {
        const args = [Array.isArray(locales) ? locales.map(asTag) : asTag(locales), ...rest];
        // NumberFormat and some older ones can be called without `new`.
        const made = new.target
            ? Reflect.construct(Class, args, new.target)
            : Reflect.apply(Class, this, args);
        return native.building() ? standInFor(made, Class, args) : made;
    };
    copyMembers(replacement, Class);
    return replacement;
}

function define(owner, key, value) {
    Object.defineProperty(owner, key, { value, writable: true, configurable: true });
}

function replace(name, Class) {
    const { prototype } = Class;
    const members = Object.getOwnPropertyDescriptors(prototype);
    for (const key of Reflect.ownKeys(members)) {
        const member = key === "constructor" ? undefined : forwarding(key, members[key]);
        if (member) Object.defineProperty(prototype, key, member);
    }
    const replacement = constructorOf(Class);
    define(prototype, "constructor", replacement);
    define(Intl, name, replacement);
}

// A class is replaced when it is first looked at: what is not costs a snapshot little.
function replaceLater(name, Class) {
    Object.defineProperty(Intl, name, {
        get() {
            define(Intl, name, Class);
            if (native.building()) replace(name, Class);
            return Intl[name];
        },
        set(value) {
            define(Intl, name, value);
        },
        configurable: true,
    });
}

for (const name of Object.getOwnPropertyNames(Intl)) {
    const value = Intl[name];
    if (typeof value === "function" && value.prototype) replaceLater(name, value);
}
