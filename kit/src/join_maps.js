// One source map of two, for texts that follow each other: an index map (ECMA-426), with a section of each.

// As a comment with the map may have it.
const escaped = text => text.replace(/[%"`\s]/g, encodeURIComponent);

const lineCount = text => text.split("\n").length - 1;

/** A map that others can be joined to: of a text that ends with the end of a line. */
export class FirstMap {
    /** @param {string} map JSON @param {string} text */
    constructor(map, text) {
        this.begin = escaped(
            `{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":${map}},` +
                `{"offset":{"line":${lineCount(text)},"column":0},"map":`
        );
    }

    /** @param {string} map JSON, of the text that follows @returns {string} of both, as a URL */
    joined(map) {
        return `data:application/json,${this.begin}${escaped(`${map}}]}`)}`;
    }
}
