"use strict";
// node:vm: code runs in the global context, which is the only one.
const { checkString, missing, missingAll } = require("./errors.cjs");

// An indirect eval: its code sees the global object alone.
const evaluate = (0, eval);

// A wrong script is a SyntaxError at once. Evaluating one that is wrong runs nothing.
function checkSyntax(code) {
    try {
        new Function(code);
    } catch {
        evaluate(code);
    }
}

class Script {
    #code;

    constructor(code) {
        checkString((this.#code = `${code}`), "code");
        checkSyntax(this.#code);
    }

    runInThisContext() {
        return evaluate(this.#code);
    }
}
const ofContexts = ["runInContext", "runInNewContext"];
for (const name of [...ofContexts, "createCachedData"])
    Object.defineProperty(Script.prototype, name, {
        value: missing("vm.Script", name),
        writable: true,
        configurable: true,
    });

module.exports = {
    ...missingAll("vm", [...ofContexts, "compileFunction", "createContext", "measureMemory"]),
    Script,
    constants: {
        __proto__: null,
        USE_MAIN_CONTEXT_DEFAULT_LOADER: Symbol("vm_dynamic_import_main_context_default"),
        DONT_CONTEXTIFY: Symbol("vm_context_no_contextify"),
    },
    createScript: code => new Script(code),
    isContext: () => false,
    runInThisContext: code => new Script(code).runInThisContext(),
};
