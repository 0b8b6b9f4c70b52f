"use strict";
const { expose } = require("snapcell:idl");

// Names in the order of their legacy codes; an empty place has no name any more.
const codes = [
    ["INDEX_SIZE", "IndexSizeError"],
    ["DOMSTRING_SIZE", ""],
    ["HIERARCHY_REQUEST", "HierarchyRequestError"],
    ["WRONG_DOCUMENT", "WrongDocumentError"],
    ["INVALID_CHARACTER", "InvalidCharacterError"],
    ["NO_DATA_ALLOWED", ""],
    ["NO_MODIFICATION_ALLOWED", "NoModificationAllowedError"],
    ["NOT_FOUND", "NotFoundError"],
    ["NOT_SUPPORTED", "NotSupportedError"],
    ["INUSE_ATTRIBUTE", "InUseAttributeError"],
    ["INVALID_STATE", "InvalidStateError"],
    ["SYNTAX", "SyntaxError"],
    ["INVALID_MODIFICATION", "InvalidModificationError"],
    ["NAMESPACE", "NamespaceError"],
    ["INVALID_ACCESS", "InvalidAccessError"],
    ["VALIDATION", ""],
    ["TYPE_MISMATCH", "TypeMismatchError"],
    ["SECURITY", "SecurityError"],
    ["NETWORK", "NetworkError"],
    ["ABORT", "AbortError"],
    ["URL_MISMATCH", "URLMismatchError"],
    ["QUOTA_EXCEEDED", "QuotaExceededError"],
    ["TIMEOUT", "TimeoutError"],
    ["INVALID_NODE_TYPE", "InvalidNodeTypeError"],
    ["DATA_CLONE", "DataCloneError"],
];

class DOMException extends Error {
    #name;

    constructor(message = "", name = "Error") {
        super(String(message));
        this.#name =
            typeof name === "object" && name !== null ? String(name.name ?? "Error") : String(name);
        if (typeof name === "object" && name !== null && "cause" in name) {
            Object.defineProperty(this, "cause", {
                value: name.cause,
                configurable: true,
                writable: true,
            });
        }
    }

    get name() {
        return #name in this ? this.#name : "Error";
    }

    get code() {
        const index = codes.findIndex(code => code[1] === this.name);
        return this.name === "" ? 0 : index + 1;
    }
}
expose(DOMException);

codes.forEach(([name], index) => {
    const key = `${name}_ERR`;
    const property = { value: index + 1, enumerable: true };
    Object.defineProperty(DOMException, key, property);
    Object.defineProperty(DOMException.prototype, key, property);
});

exports.DOMException = DOMException;
