"use strict";
// The constructor's string of the URL Pattern standard, cut into components.
const { tokenize } = require("snapcell:pattern_parts");

// The order in which components follow each other, up to the one whose absence means the empty text.
const beforePath = ["protocol", "authority", "username", "password"];
const beforeSearch = [...beforePath, "hostname", "port"];
const beforeHash = [...beforeSearch, "pathname"];

const plainTypes = ["char", "escaped", "invalid"];
const beforeModifier = ["name", "regexp", "close", "asterisk"];

class TextParser {
    constructor(text, isSpecial) {
        this.characters = [...text];
        this.tokens = tokenize(this.characters, true);
        this.isSpecial = isSpecial; // tells whether a protocol's pattern matches a special scheme
        this.special = false;
        this.result = { __proto__: null };
        this.state = "init";
        this.start = 0; // of the component, a number of a token
        this.index = 0;
        this.step = 1;
        this.depth = 0;
        this.brackets = 0;
    }

    token(index) {
        return this.tokens[Math.min(index, this.tokens.length - 1)];
    }

    is(value, index = this.index) {
        const token = this.token(index);
        return token.value === value && plainTypes.includes(token.type);
    }

    isSearch() {
        if (this.is("?")) return true;
        if (this.tokens[this.index].value !== "?") return false;
        return this.index === 0 || !beforeModifier.includes(this.tokens[this.index - 1].type);
    }

    component() {
        const { index: from } = this.token(this.start);
        return this.characters.slice(from, this.tokens[this.index].index).join("");
    }

    rewind(state = this.state) {
        this.index = this.start;
        this.step = 0;
        this.state = state;
    }

    change(state, skip) {
        const { result, state: old } = this;
        if (old !== "init" && old !== "authority") result[old] = this.component();
        if (old !== "init" && state !== "done") this.fillIn(old, state);
        this.state = state;
        this.index += skip;
        this.start = this.index;
        this.step = 0;
    }

    fillIn(old, state) {
        const { result } = this;
        if (beforePath.includes(old) && ["port", "pathname", "search", "hash"].includes(state)) {
            result.hostname ??= "";
        }
        if (beforeSearch.includes(old) && ["search", "hash"].includes(state)) {
            result.pathname ??= this.special ? "/" : "";
        }
        if (beforeHash.includes(old) && state === "hash") result.search ??= "";
    }

    // One of the components that follow begins here.
    follow(path, search = true) {
        if (path && this.is("/")) this.change("pathname", 0);
        else if (search && this.isSearch()) this.change("search", 1);
        else if (this.is("#")) this.change("hash", 1);
    }

    protocol() {
        if (!this.is(":")) return;
        this.special = this.isSpecial(this.component());
        const slashes = this.is("/", this.index + 1) && this.is("/", this.index + 2);
        if (slashes) this.change("authority", 3);
        else this.change(this.special ? "authority" : "pathname", 1);
    }

    hostname() {
        if (this.is("[")) this.brackets++;
        else if (this.is("]")) this.brackets--;
        else if (this.is(":") && this.brackets === 0) this.change("port", 1);
        else this.follow(true);
    }

    look() {
        switch (this.state) {
            case "init":
                if (this.is(":")) this.rewind("protocol");
                break;
            case "protocol":
                this.protocol();
                break;
            case "authority":
                if (this.is("@")) this.rewind("username");
                else if (this.is("/") || this.isSearch() || this.is("#")) this.rewind("hostname");
                break;
            case "username":
                if (this.is(":")) this.change("password", 1);
                else if (this.is("@")) this.change("hostname", 1);
                break;
            case "password":
                if (this.is("@")) this.change("hostname", 1);
                break;
            case "hostname":
                this.hostname();
                break;
            case "port":
                this.follow(true);
                break;
            case "pathname":
                this.follow(false);
                break;
            case "search":
                this.follow(false, false);
        }
    }

    // Whether the text goes on: where no protocol or no host was found, what was read is read again.
    end() {
        if (this.state === "init") {
            this.rewind();
            if (this.is("#")) this.change("hash", 1);
            else if (this.isSearch()) this.change("search", 1);
            else this.change("pathname", 0);
            return true;
        }
        if (this.state === "authority") {
            this.rewind("hostname");
            return true;
        }
        this.change("done", 0);
        return false;
    }

    parse() {
        for (; this.index < this.tokens.length; this.index += this.step) {
            this.step = 1;
            const { type } = this.tokens[this.index];
            if (type === "end") {
                if (!this.end()) break;
            } else if (type === "open") {
                this.depth++;
            } else if (this.depth > 0 && type === "close") {
                this.depth--;
                this.look();
            } else if (this.depth === 0) {
                this.look();
            }
        }
        if (this.result.hostname !== undefined) this.result.port ??= "";
        return this.result;
    }
}

exports.parseText = (text, isSpecial) => new TextParser(text, isSpecial).parse();
