// Runs bundled areas in Node, to see where a test asks for something that Node does not do either.
//   node run_in_node.mjs BUNDLE.mjs...
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

for (const path of process.argv.slice(2)) {
    const { default: area } = await import(pathToFileURL(resolve(path)));
    const response = await area.fetch(
        new Request("http://localhost/run?q=1"),
        {},
        { waitUntil() {} }
    );
    console.log(`${path}: ${await response.text()}`);
}
