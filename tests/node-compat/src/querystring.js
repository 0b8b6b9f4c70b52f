import querystring, { parse, stringify } from "querystring";
import { outcomes } from "./outcome.js";

export const handler = () =>
    outcomes({
        parse: () => ({ ...parse("a=1&a=2&b=%C3%BC+x&c&=d&%zz=1") }),
        separators: () => ({ ...parse("a:1;b:2", ";", ":") }),
        maxKeys: () => ({ ...parse("a=1&b=2&c=3", "&", "=", { maxKeys: 2 }) }),
        stringify: () =>
            stringify({ a: [1, "ü"], b: true, c: null, d: "x y&z", e: NaN, f: 10n, g: {} }),
        separated: () => stringify({ a: 1, b: [2, 3] }, ";", ":"),
        escape: () => [querystring.escape("a b&ü~!*()'"), querystring.unescape("%41+%zz")],
        empty: () => [stringify({}), stringify(""), stringify("text")],
        surrogate: () => stringify({ a: "\ud800" }),
    });
