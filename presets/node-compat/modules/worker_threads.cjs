"use strict";
// node:worker_threads of a program that has one thread.
const { missingAll } = require("./errors.cjs");

const absent = ["Worker", "getEnvironmentData", "markAsUncloneable", "markAsUntransferable"];
absent.push("moveMessagePortToContext", "postMessageToThread", "receiveMessageOnPort");
absent.push("setEnvironmentData", "BroadcastChannel", "isMarkedAsUntransferable");

module.exports = {
    ...missingAll("worker_threads", absent),
    isMainThread: true,
    isInternalThread: false,
    parentPort: null,
    resourceLimits: {},
    SHARE_ENV: Symbol.for("nodejs.worker_threads.SHARE_ENV"),
    threadId: 0,
    threadName: "",
    workerData: null,
    get MessageChannel() {
        return globalThis.MessageChannel;
    },
    get MessagePort() {
        return globalThis.MessagePort;
    },
};
