"use strict";
const { brands, dictionary, expose } = require("snapcell:idl");
const { DOMException } = require("snapcell:exception");

class QuotaExceededError extends DOMException {
    #amounts;

    static {
        brands.quota = value => (#amounts in value ? value.#amounts : undefined);
    }

    constructor(message = "", options = undefined) {
        message = `${message}`;
        const amounts = amountsOf(dictionary(options, "QuotaExceededError"));
        super(message, "QuotaExceededError");
        this.#amounts = amounts;
    }

    get quota() {
        return this.#amounts.quota;
    }

    get requested() {
        return this.#amounts.requested;
    }
}
expose(QuotaExceededError);

function amountsOf(options) {
    const amount = name => {
        const value = options[name];
        if (value === undefined) return null;
        return require("snapcell:convert").finite(value, `QuotaExceededError: the ${name}`);
    };
    const amounts = { quota: amount("quota"), requested: amount("requested") };
    const { quota, requested } = amounts;
    if (quota < 0 || requested < 0 || (quota !== null && requested !== null && requested < quota)) {
        throw new RangeError(
            "QuotaExceededError: neither amount may be negative, nor what was requested below the quota"
        );
    }
    return amounts;
}

exports.withAmounts = (message, { quota, requested }) =>
    new QuotaExceededError(message, {
        quota: quota ?? undefined,
        requested: requested ?? undefined,
    });

exports.QuotaExceededError = QuotaExceededError;
