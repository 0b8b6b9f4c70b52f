"use strict";
function start(callback, delay, repeat, values) {
    if (typeof callback !== "function") {
        throw new TypeError(`The callback must be a function. Received ${typeof callback}`);
    }
    return native.setTimer(callback, Number(delay), repeat, values);
}

exports.setTimeout = function setTimeout(callback, delay = 0, ...values) {
    return start(callback, delay, false, values);
};

exports.setInterval = function setInterval(callback, delay = 0, ...values) {
    return start(callback, delay, true, values);
};

// Both take the number of either kind, and ignore one that there is not.
exports.clearTimeout = function clearTimeout(id = 0) {
    native.clearTimer(Number(id));
};

exports.clearInterval = function clearInterval(id = 0) {
    native.clearTimer(Number(id));
};

exports.queueMicrotask = function queueMicrotask(callback) {
    if (typeof callback !== "function") {
        throw new TypeError(`The callback must be a function. Received ${typeof callback}`);
    }
    native.queueMicrotask(() => {
        try {
            callback();
        } catch (error) {
            require("snapcell:idl").report(error, "a microtask");
        }
    });
};
