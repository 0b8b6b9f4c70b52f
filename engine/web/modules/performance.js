"use strict";
const { expose, illegalConstructor } = require("snapcell:idl");

class Performance {
    constructor(token) {
        if (token !== illegalConstructor) throw illegalConstructor();
    }

    get timeOrigin() {
        return native.timeOrigin();
    }

    now() {
        return native.now();
    }

    toJSON() {
        return { timeOrigin: native.timeOrigin() };
    }
}
expose(Performance);

exports.Performance = Performance;
exports.performance = new Performance(illegalConstructor);
