"use strict";
// Splits the stream of a cloned body: as ReadableStream.tee(), but that each branch has chunks of its
// own (Streams, 9.1.2, with a true cloneForBranch2).
const { ReadableStream, nextChunk } = require("snapcell:streams");

class Splitter {
    #reader;
    #branches = []; // {controller, live, reason}
    #cancelled = Promise.withResolvers();
    #reading = null;

    constructor(stream) {
        this.#reader = stream.getReader();
        this.#reader.closed.catch(error => this.#fail(error));
    }

    newBranch() {
        const branch = { controller: null, live: true, reason: undefined };
        this.#branches.push(branch);
        return new ReadableStream(
            {
                start: controller => void (branch.controller = controller),
                pull: () => (this.#reading ??= this.#read()),
                cancel: reason => this.#cancel(branch, reason),
            },
            { __proto__: null }
        );
    }

    async #read() {
        try {
            const found = { chunk: undefined };
            const more = await nextChunk(this.#reader, found);
            this.#reading = null;
            if (more) this.#give(found.chunk);
            else this.#close();
        } catch {
            // the reader's `closed` tells
        }
    }

    #live() {
        return this.#branches.filter(({ live }) => live);
    }

    #close() {
        for (const { controller } of this.#live()) controller.close();
        this.#cancelled.resolve();
    }

    #fail(error) {
        for (const { controller } of this.#live()) controller.error(error);
        this.#cancelled.resolve();
    }

    #give(chunk) {
        const [first, second] = this.#branches;
        let copy;
        try {
            if (second.live) copy = require("snapcell:clone").cloneWith(chunk, []).value;
        } catch (error) {
            this.#fail(error);
            this.#cancelled.resolve(this.#reader.cancel(error));
            return;
        }
        if (first.live) first.controller.enqueue(chunk);
        if (second.live) second.controller.enqueue(copy);
    }

    // The stream is cancelled when both branches are.
    #cancel(branch, reason) {
        branch.live = false;
        branch.reason = reason;
        if (this.#live().length === 0) {
            const reasons = this.#branches.map(one => one.reason);
            this.#cancelled.resolve(this.#reader.cancel(reasons));
        }
        return this.#cancelled.promise;
    }
}

exports.split = stream => {
    const splitter = new Splitter(stream);
    return [splitter.newBranch(), splitter.newBranch()];
};
