// Shows that each rule of rules.mjs finds what it is there for, and is silent otherwise.
import { maxColumns, maxLines, rules } from "./rules.mjs";

const bad = {
    includes: [
        { path: "compiler/a.c", text: '#include "loader_cell.h"\n' },
        { path: "loader/loader_cell.h", text: "" },
        { path: "loader/b.c", text: "#include <lmdb.h>\n" },
        { path: "store/c.c", text: "#include <zstd.h>\n" },
        { path: "engine/d.h", text: "#include <v8-isolate.h>\n" },
        { path: "engine/e.h", text: '#include "d.h"\n' },
        { path: "engine/f.c", text: '#include "e.h"\n' },
        { path: "cli/g.c", text: '#include "e.h"\n' },
        { path: "workers/h.c", text: '#include "loader_cell.h"\n' },
    ],
    names: [
        { path: "store/Bad.c", text: "" },
        { path: "store/x.c", text: "" },
        { path: "cli/x.c", text: "" },
    ],
    spellings: [
        "    x = sizeof *y;\n",
        "    int code = f();\n",
        "    int rc = f();\n",
        "    clock_gettime(CLOCK_MONOTONIC, &now);\n",
    ].map((text, i) => ({ path: `store/s${i}.c`, text })),
    circles: [
        { path: "store/k.c", text: "int k(void)\n{\n    return l();\n}\n" },
        { path: "store/l.c", text: "int l(void)\n{\n    return m();\n}\n" },
        {
            path: "store/m.c",
            text:
                "static int n(void)\n{\n    return k();\n}\n" +
                "int m(int a,\n      int b)\n{\n    return n();\n}\n",
        },
    ],
    quiet: [
        "abort();",
        "exit(1);",
        'printf("x");',
        'fprintf(stderr, "x");',
        'perror("x");',
        "_exit(1);",
        "assert(x);",
        "write(2, x, 1);",
        "std::abort();",
    ].map((text, i) => ({ path: `store/q${i}.c`, text })),
    comments: [
        {
            path: "a/include/snapcell/a.h",
            text: "/* Purpose: x. Errors: none. */\nSNAPCELL_API int snapcell_a(void);\n",
        },
        {
            path: "a/include/snapcell/b.h",
            text: "/* Purpose: x. Thread: any. */\nSNAPCELL_API int snapcell_b(void);\n",
        },
        {
            path: "a/include/snapcell/c.h",
            text:
                "/* Purpose: x. Thread: any. Errors: none. */\nint y;\n" +
                "SNAPCELL_API int snapcell_c(\n  void);\n",
        },
    ],
    sizes: [
        { path: "store/a.c", text: "\n".repeat(maxLines + 1) },
        { path: "store/b.c", text: "x".repeat(maxColumns + 1) },
        { path: "engine/web/c.mjs", text: `    // ${"x".repeat(maxColumns + 20)}/g,` },
    ],
    prose: [
        "It is drawn anew.",
        "/* Borrowed for\n * ever. */",
        "// Whoever opens it waits.",
        "The key that was asked for.",
        "The text stands behind the size.",
        "Of what no frame did, nothing is known.",
        "What a parser makes of it.",
        "It belongs into the handler.",
        "The map lies beside the bundle.",
        "It is called in the place of V8's.",
        "A process for strangers' code.",
        "A fault that was mended.",
        "All but for the last.",
        "Mappings are dear.",
        "By the host's leave.",
        "Memory of cells that are gone.",
    ].map((text, i) => ({ path: `docs/p${i}.md`, text })),
    machines: [
        { path: "a.md", text: "see /wo" + "rk/main" },
        { path: "package-lock.json", text: '"resol' + 'ved": 1' },
    ],
};
const good = [
    {
        path: "store/a.c",
        text: '/* abort() */ int f(void) { return snprintf(b, 1, "exit(1)"); } static_assert(1);',
    },
    { path: "store/e.c", text: "int f(int code) { int status = sizeof(x); } /* sizeof x */\n" },
    { path: "store/b.c", text: "if (fork() == 0) _exit(1); x->exit(1); my_exit(2);" },
    {
        path: "docs/a.md",
        text: "Timers that a request leaves behind. The host is gone. It fell behind.",
    },
    {
        path: "docs/b.md",
        text: "V8 asks for its source. Timers leave nothing. A cell asked for its name.",
    },
    { path: "engine/web/c.mjs", text: `    /${"x".repeat(maxColumns + 20)}/g,` },
    { path: "engine/make_x.c", text: 'int main(void) { printf("x"); }\n' },
    { path: "cli/c.c", text: '#include "snapcell/store.h"\nint main(void) { printf("x"); }' },
    {
        path: "store/include/snapcell/store.h",
        text: "/* Purpose: x. Thread and errors: as y(). */\nSNAPCELL_API int snapcell_x(void);\n",
    },
];

function selfTest() {
    return Object.entries(rules).flatMap(([name, rule]) => {
        const found = rule(bad[name]).join("\n");
        const faulty =
            name === "includes"
                ? ["compiler/a.c", "loader/b.c", "store/c.c", "engine/f.c", "cli/g.c"]
                : bad[name].map(({ path }) => path);
        const expected = name === "names" ? ["store/Bad.c", "cli/x.c"] : faulty;
        const missed = expected.filter(path => !found.includes(path));
        return [
            ...missed.map(path => `rule ${name} did not find what is wrong in ${path}`),
            ...rule(good).map(problem => `rule ${name} complains without cause: ${problem}`),
        ];
    });
}

const problems = selfTest();
for (const problem of problems) console.log(problem);
console.log(`self-test: ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
