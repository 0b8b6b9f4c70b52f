import path, { join, posix } from "node:path";
import { outcomes } from "./outcome.js";

const paths = [
    "",
    "/",
    "a",
    "a/b.txt",
    "/a/../b/./c.tar.gz",
    "../..//x/",
    ".hidden",
    "a\\b",
    "x.y.",
];

export const handler = () =>
    Object.assign(
        Object.fromEntries(
            ["basename", "dirname", "extname", "normalize", "isAbsolute", "parse"].map(name => [
                name,
                paths.map(value => path[name](value)),
            ])
        ),
        outcomes({
            join: () => [join("/a", "../b", "c"), join(), join("a\\b", "c"), join("a/", "/b")],
            resolve: () => [path.resolve("/a", "b", "../c"), path.resolve("/x", "/y")],
            relative: () => [path.relative("/a/b/c", "/a/d"), path.relative("/a", "/a")],
            format: () => path.format({ dir: "/d", name: "n", ext: ".e" }),
            ends: () => path.basename("/a/b.html", ".html"),
            constants: () => [path.sep, path.delimiter, posix.sep],
            notText: () => path.join(1),
        })
    );
