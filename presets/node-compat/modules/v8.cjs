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
absent.push("Deserializer", "Serializer", "startupSnapshot", "takeCoverage", "stopCoverage");

absent.push("DefaultDeserializer", "DefaultSerializer", "GCProfiler", "getCppHeapStatistics");
absent.push("getHeapCodeStatistics", "isStringOneByteRepresentation", "promiseHooks");
absent.push("setHeapSnapshotNearHeapLimit");

module.exports = missingAll("v8", absent);
