"use strict";
const { cloners, expose } = require("snapcell:idl");

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

// No subclass of Error, whose instances V8 would clone as errors; but it inherits as if it were.
class DOMException {
    #name;
    #message;

    static {
        exports.isException = value => #name in value;
    }

    constructor(message = "", name = "Error") {
        const options = typeof name === "object" && name !== null ? name : undefined;
        this.#message = `${message}`;
        this.#name = `${options ? (options.name ?? "Error") : name}`;
        if (options && "cause" in options) {
            Object.defineProperty(this, "cause", {
                value: options.cause,
                configurable: true,
                writable: true,
            });
        }
        Error.captureStackTrace(this, new.target);
    }

    get name() {
        return #name in this ? this.#name : "Error";
    }

    get message() {
        return #name in this ? this.#message : "";
    }

    get code() {
        const index = codes.findIndex(code => code[1] === this.name);
        return this.name === "" ? 0 : index + 1;
    }
}
Object.setPrototypeOf(DOMException.prototype, Error.prototype);
expose(DOMException);

codes.forEach(([name], index) => {
    const key = `${name}_ERR`;
    const property = { value: index + 1, enumerable: true };
    Object.defineProperty(DOMException, key, property);
    Object.defineProperty(DOMException.prototype, key, property);
});

const { isException } = exports;
delete exports.isException;

cloners.push(object => {
    if (!isException(object)) return undefined;
    const { message, name, stack } = object;
    return () => {
        const copy = new DOMException(message, name);
        Object.defineProperty(copy, "stack", { value: stack, configurable: true, writable: true });
        return copy;
    };
});

exports.DOMException = DOMException;
