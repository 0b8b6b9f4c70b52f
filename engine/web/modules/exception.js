"use strict";
const { brands, expose, met } = require("snapcell:idl");

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

// An exception is an Error, made by Error itself, with a private field put onto it: a constructor
// that returns another object makes that the one which gets the fields of its subclasses.
class State extends function (error) {
    return error;
} {
    #state;

    constructor(error, state) {
        super(error);
        this.#state = state;
    }

    static {
        brands.exception = value => (#state in value ? value.#state : undefined);
    }
}

function stateOf(exception) {
    const state = brands.exception(exception);
    if (!state) throw new TypeError("Illegal invocation");
    return state;
}

class DOMException {
    constructor(message = "", name = "Error") {
        const options = typeof name === "object" && name !== null ? name : undefined;
        const given = options ? (options.name ?? "Error") : name;
        const state = { message: `${message}`, name: `${given}` };
        const error = Reflect.construct(Error, [state.message], new.target);
        new State(error, state);
        fixStack(error, new.target);
        if (options && "cause" in options) define(error, "cause", options.cause);
        return error;
    }

    get name() {
        met.exception = true;
        return stateOf(this).name;
    }

    get message() {
        return stateOf(this).message;
    }

    get code() {
        const { name } = stateOf(this);
        return name === "" ? 0 : codes.findIndex(code => code[1] === name) + 1;
    }
}
Object.setPrototypeOf(DOMException.prototype, Error.prototype);
expose(DOMException);

// V8 writes a stack's head when it is first read, and takes an error's own message alone for it. The
// property has no other use.
function fixStack(error, Class) {
    Error.captureStackTrace(error, Class);
    define(error, "stack", error.stack);
    delete error.message;
}

function define(object, key, value) {
    Object.defineProperty(object, key, { value, configurable: true, writable: true });
}

// A copy for structuredClone().
exports.copyOf = error => {
    const { message, name } = brands.exception(error);
    const amounts = brands.quota?.(error);
    const copy = amounts
        ? require("snapcell:quota").withAmounts(message, amounts)
        : new DOMException(message, name);
    define(copy, "stack", error.stack);
    return copy;
};

codes.forEach(([name], index) => {
    const key = `${name}_ERR`;
    const property = { __proto__: null, value: index + 1, enumerable: true };
    Object.defineProperty(DOMException, key, property);
    Object.defineProperty(DOMException.prototype, key, property);
});

exports.DOMException = DOMException;
