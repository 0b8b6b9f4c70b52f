"use strict";
function start(callback, delay, repeat, values) {
    if (typeof callback !== "function") {
        throw new TypeError(`The callback must be a function. Received ${typeof callback}`);
    }
    return native.setTimer(callback, +delay, repeat, values);
}

const functions = {
    setTimeout(callback, delay = 0, ...values) {
        return start(callback, delay, false, values);
    },
    setInterval(callback, delay = 0, ...values) {
        return start(callback, delay, true, values);
    },
    // Both take the number of either kind, and ignore one that there is not.
    clearTimeout(id = 0) {
        native.clearTimer(+id);
    },
    clearInterval(id = 0) {
        native.clearTimer(+id);
    },
    queueMicrotask(callback) {
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
    },
};
exports.setTimeout = functions.setTimeout;
exports.setInterval = functions.setInterval;
exports.clearTimeout = functions.clearTimeout;
exports.clearInterval = functions.clearInterval;
exports.queueMicrotask = functions.queueMicrotask;
