// Says whose the objects of a heap are: reads V8's heap snapshot and gives each object to the code that alone keeps
// it alive.

const valuesPerEdge = 3;

/** A heap snapshot's tables, with the fields that are used here. */
class Heap {
    /** @param {any} json */
    constructor({ snapshot, nodes, edges, strings, locations }) {
        const { meta } = snapshot;
        this.fields = meta.node_fields.length;
        this.types = meta.node_types[0];
        this.edgeTypes = meta.edge_types[0];
        Object.assign(this, { nodes, edges, strings, locations });
        this.count = nodes.length / this.fields;
        this.firstEdge = new Uint32Array(this.count + 1);
        for (let i = 0; i < this.count; i++)
            this.firstEdge[i + 1] = this.firstEdge[i] + nodes[i * this.fields + 4];
    }

    size(node) {
        return this.nodes[node * this.fields + 3];
    }
    type(node) {
        return this.types[this.nodes[node * this.fields]];
    }
    name(node) {
        return this.strings[this.nodes[node * this.fields + 1]];
    }
    target(edge) {
        return this.edges[edge * valuesPerEdge + 2] / this.fields;
    }
    edgeType(edge) {
        return this.edgeTypes[this.edges[edge * valuesPerEdge]];
    }
    edgeName(edge) {
        return this.strings[this.edges[edge * valuesPerEdge + 1]];
    }

    /** The node that a named inner edge leads to. */
    inner(node, name) {
        for (let edge = this.firstEdge[node]; edge < this.firstEdge[node + 1]; edge++)
            if (this.edgeType(edge) === "internal" && this.edgeName(edge) === name)
                return this.target(edge);
        return undefined;
    }
}

// Nodes in the order in which a depth-first search leaves them; weak edges keep nothing alive.
function postorder(heap) {
    const order = [];
    const next = Uint32Array.from(heap.firstEdge.subarray(0, heap.count));
    const seen = new Uint8Array(heap.count);
    const stack = [0];
    seen[0] = 1;
    while (stack.length > 0) {
        const node = stack[stack.length - 1];
        if (next[node] === heap.firstEdge[node + 1]) {
            order.push(stack.pop());
            continue;
        }
        const edge = next[node]++;
        const target = heap.target(edge);
        if (seen[target] || heap.edgeType(edge) === "weak") continue;
        seen[target] = 1;
        stack.push(target);
    }
    return order;
}

function predecessors(heap, number) {
    const lists = Array.from({ length: heap.count }, () => []);
    for (let node = 0; node < heap.count; node++) {
        if (number[node] < 0) continue;
        for (let edge = heap.firstEdge[node]; edge < heap.firstEdge[node + 1]; edge++)
            if (heap.edgeType(edge) !== "weak") lists[heap.target(edge)].push(node);
    }
    return lists;
}

/**
 * The node through which all ways from the root to a node lead, for each node, by the algorithm of Cooper, Harvey and
 * Kennedy. `order`: postorder.
 */
function dominators(heap, order) {
    const number = new Int32Array(heap.count).fill(-1);
    order.forEach((node, i) => (number[node] = i));
    const before = predecessors(heap, number);
    const dominator = new Int32Array(heap.count).fill(-1);
    dominator[0] = 0;
    const meet = (a, b) => {
        while (a !== b) {
            while (number[a] < number[b]) a = dominator[a];
            while (number[b] < number[a]) b = dominator[b];
        }
        return a;
    };
    for (let changed = true; changed;) {
        changed = false;
        for (let i = order.length - 2; i >= 0; i--) {
            const node = order[i];
            const known = before[node].filter(one => dominator[one] >= 0);
            const found = known.reduce((a, b) => meet(a, b));
            if (dominator[node] === found) continue;
            dominator[node] = found;
            changed = true;
        }
    }
    return dominator;
}

// Closures by node: the place in the bundle, or the name of another script.
function closures(heap, script) {
    const found = new Map();
    for (let i = 0; i < heap.locations.length; i += 4) {
        const node = heap.locations[i] / heap.fields;
        const shared = heap.inner(node, "shared");
        const source = shared === undefined ? undefined : heap.inner(shared, "script");
        if (source === undefined) continue;
        const name = heap.name(source);
        const owner =
            name === script
                ? { line: heap.locations[i + 2] + 1, column: heap.locations[i + 3] + 1 }
                : { script: name };
        found.set(node, owner);
        // Its code may be kept alive by the code around it as well.
        if (!found.has(shared)) found.set(shared, owner);
    }
    return found;
}

// Where the bundle's functions look for their variables.
function contextsOf(heap, known) {
    const found = new Set();
    for (const [node, owner] of known)
        if (owner.line && heap.type(node) === "closure") found.add(heap.inner(node, "context"));
    return found;
}

// The variable of a context through which alone an object is kept.
function variableOf(heap, context, node) {
    for (let edge = heap.firstEdge[context]; edge < heap.firstEdge[context + 1]; edge++)
        if (heap.target(edge) === node && heap.edgeType(edge) === "context")
            return { variable: heap.edgeName(edge) };
    return undefined;
}

// The texts of scripts, which are outside of the blob.
function scriptTexts(heap) {
    const texts = new Set();
    for (let edge = 0; edge < heap.edges.length / valuesPerEdge; edge++)
        if (heap.edgeType(edge) === "internal" && heap.edgeName(edge) === "source")
            if (heap.type(heap.target(edge)) === "string") texts.add(heap.target(edge));
    return texts;
}

/**
 * What keeps the objects of a heap: [owner, bytes] with `owner` { line, column } of a function in the bundle,
 * { variable } of the bundle's top level, { script } of another script, or undefined for what V8 has itself or several
 * keep.
 * @param {any} json V8's heap snapshot
 * @param {string} script the bundle's name
 * @returns {[{ line?: number, column?: number, variable?: string, script?: string } | undefined, number][]}
 */
export function weighHeap(json, script) {
    const heap = new Heap(json);
    const order = postorder(heap);
    const dominator = dominators(heap, order);
    const known = closures(heap, script);
    const contexts = contextsOf(heap, known);
    const texts = scriptTexts(heap);
    const owners = new Map([[0, undefined]]);
    const weights = new Map();
    for (let i = order.length - 1; i >= 0; i--) {
        const node = order[i];
        const above = dominator[node];
        const inherited = owners.get(above);
        const own =
            known.get(node) ??
            inherited ??
            (contexts.has(above) ? variableOf(heap, above, node) : undefined);
        owners.set(node, own);
        weights.set(own, (weights.get(own) ?? 0) + (texts.has(node) ? 0 : heap.size(node)));
    }
    return [...weights];
}
