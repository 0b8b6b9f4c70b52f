"use strict";
// Iterators of the interfaces that Web IDL calls iterable.
const iterators = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));

// A function that makes iterators of the interface `name`; each steps through a list that may change
// meanwhile. `at(index)` gives what is there, or undefined at the end.
exports.iteratorsOf = name => {
    class Iterator {
        #at;
        #index = 0;

        constructor(at) {
            this.#at = at;
        }

        next() {
            const value = this.#at(this.#index++);
            return { value, done: value === undefined };
        }
    }
    const { prototype } = Iterator;
    Object.setPrototypeOf(prototype, iterators);
    delete prototype.constructor;
    Object.defineProperty(prototype, "next", { enumerable: true });
    Object.defineProperty(prototype, Symbol.toStringTag, {
        value: `${name} Iterator`,
        configurable: true,
    });
    return at => new Iterator(at);
};
