"use strict";
// node:v8: the engine's heap is not to be looked at from inside.
const { missingAll } = require("./errors.cjs");

const absent = ["cachedDataVersionTag", "deserialize", "getHeapSnapshot", "getHeapSpaceStatistics"];
absent.push(
    "getHeapStatistics",
    "queryObjects",
    "serialize",
    "setFlagsFromString",
    "writeHeapSnapshot"
);
absent.push("Deserializer", "Serializer", "takeCoverage", "stopCoverage");

absent.push("DefaultDeserializer", "DefaultSerializer", "GCProfiler", "getCppHeapStatistics");
absent.push("getHeapCodeStatistics", "isStringOneByteRepresentation", "promiseHooks");
absent.push("setHeapSnapshotNearHeapLimit");

const ofSnapshots = [
    "addAfterUserSerializeCallback",
    "addDeserializeCallback",
    "addSerializeCallback",
];
ofSnapshots.push("setDeserializeMainFunction");

// Node's own snapshots are not those that functions become.
const startupSnapshot = {
    ...missingAll("v8.startupSnapshot", ofSnapshots),
    isBuildingSnapshot: () => false,
};

module.exports = { ...missingAll("v8", absent), startupSnapshot };
