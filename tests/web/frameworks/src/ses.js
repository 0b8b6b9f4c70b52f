import "ses";

// Freezes all built-ins, and takes away those that it does not know.
lockdown({ errorTaming: "unsafe", consoleTaming: "unsafe" });
const compartment = new Compartment({ globals: { double: harden(n => 2 * n) }, __options__: true });

export default {
    fetch(request) {
        const source = new URL(request.url).searchParams.get("source");
        const frozen = [Promise, Math, RegExp.prototype, Error].map(Object.isFrozen);
        let result;
        try {
            result = compartment.evaluate(source);
        } catch (error) {
            result = `${error}`;
        }
        return new Response(JSON.stringify({ frozen, result }));
    },
};
