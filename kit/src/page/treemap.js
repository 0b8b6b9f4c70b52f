/* global functions, document, addEventListener */
const measures = {
    snapshot_bytes: "snapshot",
    bundle_bytes: "bundle",
    top_level_ms: "time of the top level",
};
const element = id => document.getElementById(id);
const bytes = value =>
    value < 1e3
        ? `${value} B`
        : value < 1e6
          ? `${(value / 1e3).toFixed(1)} kB`
          : `${(value / 1e6).toFixed(2)} MB`;
const text = (value, measure) =>
    value === null || value === undefined
        ? "-"
        : measure === "top_level_ms"
          ? `${value.toFixed(2)} ms`
          : bytes(Math.round(value));

let measure = "snapshot_bytes";

// Squarified: rows along the shorter side, as long as that makes rectangles less elongated.
function layout(items, box) {
    const total = items.reduce((sum, { size }) => sum + size, 0);
    const scale = (box.width * box.height) / total;
    const placed = [];
    let { left, top, width, height } = box;
    let row = [];
    const worst = list => {
        const side = Math.min(width, height);
        const area = list.reduce((sum, { size }) => sum + size * scale, 0);
        const sizes = list.map(({ size }) => size * scale);
        return Math.max(
            (side * side * Math.max(...sizes)) / (area * area),
            (area * area) / (side * side * Math.min(...sizes))
        );
    };
    const place = () => {
        const area = row.reduce((sum, { size }) => sum + size * scale, 0);
        const across = width >= height;
        const thick = area / (across ? height : width);
        let at = across ? top : left;
        for (const item of row) {
            const long = (item.size * scale) / thick;
            placed.push({
                item,
                left: across ? left : at,
                top: across ? at : top,
                width: across ? thick : long,
                height: across ? long : thick,
            });
            at += long;
        }
        if (across) [left, width] = [left + thick, width - thick];
        else [top, height] = [top + thick, height - thick];
        row = [];
    };
    for (const item of items) {
        if (row.length > 0 && worst([...row, item]) > worst(row)) place();
        row.push(item);
    }
    if (row.length > 0) place();
    return placed;
}

function sized(list) {
    return list.filter(({ size }) => size > 0).sort((a, b) => b.size - a.size);
}

function groupsOf({ items }) {
    const groups = new Map();
    for (const item of items) {
        const size = item[measure] ?? 0;
        const group = groups.get(item.group) ?? { name: item.group, size: 0, items: [] };
        group.size += size;
        group.items.push({ ...item, size });
        groups.set(item.group, group);
    }
    return sized([...groups.values()]);
}

// Neighbours differ: each group turns the color by the golden angle. What is not the bundle's is gray.
const hueOf = (name, index) => (/^\((V8|web)/.test(name) ? undefined : (200 + index * 137.5) % 360);

function rectangle(kind, { left, top, width, height }) {
    const node = document.createElement("div");
    node.className = kind;
    Object.assign(node.style, {
        left: `${left}px`,
        top: `${top}px`,
        width: `${width}px`,
        height: `${height}px`,
    });
    return node;
}

function describe(node, title, item, whole) {
    node.dataset.tip = [
        title,
        ...Object.entries(measures)
            .filter(([name]) => item[name] !== undefined)
            .map(([name, label]) => `${label}: ${text(item[name], name)}`),
        `${((100 * item.size) / whole).toFixed(1)} % of what is shown`,
    ].join("\n");
}

function totals(group) {
    const sums = {};
    for (const name of Object.keys(measures))
        for (const item of group.items)
            if (typeof item[name] === "number") sums[name] = (sums[name] ?? 0) + item[name];
    return sums;
}

function drawGroup(map, spot, whole) {
    const group = spot.item;
    const node = rectangle("group", spot);
    const hue = hueOf(group.name, spot.index);
    node.style.background = hue === undefined ? "#aab2bd" : `hsl(${hue} 60% 72%)`;
    const title = document.createElement("b");
    title.textContent = `${group.name}  ${text(group.size, measure)}`;
    node.append(title);
    describe(node, group.name, { ...totals(group), size: group.size }, whole);
    map.append(node);
    const room = { left: 2, top: 20, width: spot.width - 6, height: spot.height - 24 };
    if (room.width < 20 || room.height < 12 || group.items.length < 2) return;
    for (const inner of layout(sized(group.items), room)) {
        const module = rectangle("module", inner);
        const name = inner.item.path.split("/").slice(-2).join("/");
        if (inner.width > 40 && inner.height > 14) module.textContent = name;
        describe(module, inner.item.path, inner.item, whole);
        node.append(module);
    }
}

function draw() {
    const map = element("map");
    const shown = functions[element("function").selectedIndex];
    map.replaceChildren();
    if (!shown) return;
    element("facts").textContent =
        `${shown.kind}: bundle ${bytes(shown.bundle_bytes)}, snapshot ${bytes(shown.snapshot_bytes)}, ` +
        `artifact ${bytes(shown.artifact_bytes)}, top level ${text(shown.top_level_ms, "top_level_ms")}`;
    const groups = groupsOf(shown);
    const whole = groups.reduce((sum, { size }) => sum + size, 0);
    if (whole === 0) {
        map.textContent = `No ${measures[measure]} was measured.`;
        return;
    }
    const box = { left: 0, top: 0, width: map.clientWidth, height: map.clientHeight };
    layout(groups, box).forEach((spot, index) => drawGroup(map, { ...spot, index }, whole));
}

for (const { name } of functions) element("function").append(new Option(name));
for (const [name, label] of Object.entries(measures)) {
    const input = Object.assign(document.createElement("input"), {
        type: "radio",
        name: "measure",
        checked: name === measure,
    });
    input.onchange = () => {
        measure = name;
        draw();
    };
    const holder = document.createElement("label");
    holder.append(input, ` ${label}`);
    element("measures").append(holder);
}
element("function").onchange = draw;
addEventListener("resize", draw);
addEventListener("mousemove", event => {
    const tip = element("tip");
    const told = event.target.closest?.("[data-tip]")?.dataset.tip;
    tip.hidden = !told;
    if (!told) return;
    tip.textContent = told;
    tip.style.left = `${Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.min(event.clientY + 12, innerHeight - tip.offsetHeight - 8)}px`;
});
draw();
