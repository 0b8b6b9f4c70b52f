"use strict";
// What navigator says is the same for every instance of a snapshot.
const { expose, illegalConstructor } = require("snapcell:idl");

const languages = Object.freeze(["en-US"]);

class Navigator {
    #brand;

    constructor(token = undefined) {
        if (token !== illegalConstructor) throw illegalConstructor();
    }

    get userAgent() {
        this.#brand;
        return "snapcell";
    }

    get platform() {
        this.#brand;
        return "Linux";
    }

    get language() {
        this.#brand;
        return languages[0];
    }

    get languages() {
        this.#brand;
        return languages;
    }

    // A function has one thread.
    get hardwareConcurrency() {
        this.#brand;
        return 1;
    }
}
expose(Navigator);

exports.Navigator = Navigator;
exports.navigator = new Navigator(illegalConstructor);
