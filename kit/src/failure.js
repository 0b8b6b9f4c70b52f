// What ends a command: one line that says what was expected, what was there, what to do.

/** The exit statuses of all commands, as the native program has them. */
export const statuses = { done: 0, failed: 1, usage: 2, files: 3, refused: 4, limit: 5 };

/**
 * @typedef {object} Place
 * @property {string} [file]
 * @property {number} [line] from 1
 * @property {number} [column] from 1
 */

export class Failure extends Error {
    /**
     * @param {string} message
     * @param {Place & { status?: number, code?: string, stack?: string, errors?: object[] }} [details]
     */
    constructor(message, details = {}) {
        super(message);
        const { status = statuses.failed, code = "E_BUNDLE", stack, ...rest } = details;
        this.name = "Failure";
        this.status = status;
        this.code = code;
        if (stack) this.scriptStack = stack;
        Object.assign(this, rest);
    }

    /** As the native program's JSON has errors. */
    toJSON() {
        const { code, message, file, line, column, scriptStack, errors } = this;
        const stack = scriptStack;
        return { code, message, file, line, column, stack, errors, console: this.console };
    }
}

/** @param {string} message */
export const usageFailure = message =>
    new Failure(message, { status: statuses.usage, code: "E_USAGE" });

/** @param {string} message */
export const fileFailure = (message, place = {}) =>
    new Failure(message, { status: statuses.files, code: "E_IO", ...place });

/** @param {Place} place */
export function placeText({ file, line, column }) {
    return [file, line, column].filter(part => part !== undefined).join(":");
}

/** One line for a terminal: `message (file:line:column)`. @param {Failure} failure */
export function failureLine(failure) {
    const place = placeText(failure);
    return place && !failure.message.includes(place)
        ? `${failure.message} (${place})`
        : failure.message;
}

/** An error of the system, such as a folder that may not be written, as a failure; others as they are. @param {any} error */
export const asFailure = error =>
    !(error instanceof Failure) && error?.syscall && error.code
        ? fileFailure(error.message)
        : error;
