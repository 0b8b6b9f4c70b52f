// Plots as SVG text, without dependencies. Colours are classes (s0, s1, ...) that the page's style
// sheet sets, so that a plot follows a light or a dark page.
const width = 640;
const margin = { top: 12, right: 16, bottom: 44, left: 64 };

export const escape = text =>
    String(text).replace(
        /[&<>"]/g,
        c => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]
    );

const round = x => Math.round(x * 10) / 10;

// As 0.83, 12.4, 1500.
export function short(value) {
    if (value === 0) return "0";
    const digits =
        Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
    return String(Number(value.toFixed(digits)));
}

function linearTicks(max, count = 5) {
    const rough = max / count;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map(m => m * power).find(s => s >= rough);
    const ticks = [];
    for (let tick = 0; tick <= max + step / 1e6; tick += step)
        ticks.push(Number(tick.toPrecision(6)));
    return ticks;
}

function logTicks(min, max) {
    const ticks = [];
    for (let power = Math.floor(Math.log10(min)); power <= Math.ceil(Math.log10(max)); power++)
        for (const m of [1, 2, 5]) ticks.push(Number((m * 10 ** power).toPrecision(3)));
    const inside = ticks.filter(tick => tick >= min && tick <= max);
    return inside.length > 8 ? inside.filter(tick => /^[.0]*1[.0]*$/.test(String(tick))) : inside;
}

export const linear = (min, max) => ({
    min,
    max,
    of: x => (x - min) / (max - min || 1),
    ticks: linearTicks(max),
});
export const log = (min, max) => {
    const [low, high] = [Math.log10(min), Math.log10(max)];
    return {
        min,
        max,
        of: x => (Math.log10(x) - low) / (high - low || 1),
        ticks: logTicks(min, max),
    };
};

function frame(height, title, content) {
    return (
        `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(title)}">` +
        `<title>${escape(title)}</title>${content}</svg>`
    );
}

const text = (x, y, words, attributes = "") =>
    `<text x="${round(x)}" y="${round(y)}" ${attributes}>${escape(words)}</text>`;

function axes({ height, x, y, xLabel, yLabel, xFormat = short, yFormat = short }) {
    const [w, h] = [width - margin.left - margin.right, height - margin.top - margin.bottom];
    const px = value => margin.left + x.of(value) * w;
    const py = value => margin.top + (1 - y.of(value)) * h;
    const marks = [
        ...y.ticks.map(
            tick =>
                `<line class="grid" x1="${margin.left}" x2="${margin.left + w}" y1="${round(py(tick))}" ` +
                `y2="${round(py(tick))}"/>` +
                text(margin.left - 8, py(tick) + 4, yFormat(tick), 'class="tick" text-anchor="end"')
        ),
        ...x.ticks.map(
            tick =>
                `<line class="tickmark" x1="${round(px(tick))}" x2="${round(px(tick))}" ` +
                `y1="${margin.top + h}" y2="${margin.top + h + 4}"/>` +
                text(
                    px(tick),
                    margin.top + h + 18,
                    xFormat(tick),
                    'class="tick" text-anchor="middle"'
                )
        ),
        `<line class="axis" x1="${margin.left}" x2="${margin.left + w}" ` +
            `y1="${margin.top + h}" y2="${margin.top + h}"/>`,
        text(margin.left + w / 2, height - 6, xLabel, 'class="label" text-anchor="middle"'),
        text(
            -(margin.top + h / 2),
            14,
            yLabel,
            'class="label" text-anchor="middle" transform="rotate(-90)"'
        ),
    ];
    return { px, py, marks: marks.join("") };
}

const path = points =>
    points.map(([x, y], i) => `${i ? "L" : "M"}${round(x)} ${round(y)}`).join("");

// series: [{ name, color, points: [[x, y], ...] }], joined by lines; `dots` marks each point.
export function lines({
    title,
    series,
    x,
    y,
    xLabel,
    yLabel,
    xFormat,
    yFormat,
    dots = false,
    height = 320,
}) {
    const { px, py, marks } = axes({ height, x, y, xLabel, yLabel, xFormat, yFormat });
    const drawn = series.map(({ name, color, points }) => {
        const placed = points.map(([a, b]) => [px(a), py(b)]);
        const circles = dots
            ? placed.map(([a, b], i) => {
                  const [vx, vy] = points[i];
                  const says = `${name}: ${(yFormat ?? short)(vy)} at ${(xFormat ?? short)(vx)}`;
                  return `<circle cx="${round(a)}" cy="${round(b)}" r="4"><title>${escape(says)}</title></circle>`;
              })
            : [];
        const line = `<path d="${path(placed)}"><title>${escape(name)}</title></path>`;
        return `<g class="s${color}">${line}${circles.join("")}</g>`;
    });
    return frame(height, title, marks + drawn.join(""));
}

// Steps of an empirical distribution, thinned to what a screen can show.
export function distribution(samples, count = 200) {
    const sorted = [...samples].sort((a, b) => a - b);
    const step = Math.max(1, Math.floor(sorted.length / count));
    const points = sorted.map((value, i) => [value, (i + 1) / sorted.length]);
    return points.filter((_, i) => i % step === 0 || i === points.length - 1);
}

// rows: [{ name, parts: [{ name, color, value, note }], whisker: [low, high] }]; a bar each, parts end to end.
export function bars({ title, rows, xLabel, unit = "", totalOf = null }) {
    // Some 6.4 units a letter, as there is nothing here to measure text with.
    const left = 16 + 6.4 * Math.max(16, ...rows.map(({ name }) => name.length));
    const line = 26;
    const height = margin.top + rows.length * line + margin.bottom;
    const totals = rows.map(({ parts }) => parts.reduce((sum, part) => sum + part.value, 0));
    const max = Math.max(...totals, ...rows.map(({ whisker }) => whisker?.[1] ?? 0)) * 1.12 || 1;
    const scale = (width - left - margin.right - 30) / max;
    const bottom = margin.top + rows.length * line;
    const ticks = linearTicks(max).filter(tick => tick <= max);
    const grid = ticks.map(
        tick =>
            `<line class="grid" x1="${round(left + tick * scale)}" x2="${round(left + tick * scale)}" ` +
            `y1="${margin.top}" y2="${bottom}"/>` +
            text(left + tick * scale, bottom + 18, short(tick), 'class="tick" text-anchor="middle"')
    );
    const drawn = rows.map(({ name, parts, whisker }, i) => {
        const y = margin.top + i * line;
        let at = left;
        const boxes = parts.map(part => {
            const w = part.value * scale;
            const says = `${name}: ${part.name} ${short(part.value)} ${unit}`;
            const box =
                `<rect class="f${part.color}" x="${round(at)}" y="${y + 5}" width="${round(Math.max(w - 1, 0.5))}" ` +
                `height="${line - 10}" rx="1.5"><title>${escape(says)}</title></rect>`;
            at += w;
            return box;
        });
        const end = whisker ? Math.max(at, left + whisker[1] * scale) : at;
        const range = whisker
            ? `<line class="whisker" x1="${round(left + whisker[0] * scale)}" ` +
              `x2="${round(left + whisker[1] * scale)}" ` +
              `y1="${y + line / 2}" y2="${y + line / 2}"/>`
            : "";
        const value = short(totalOf ? totalOf(i) : totals[i]);
        return (
            text(left - 8, y + line / 2 + 4, name, 'class="name" text-anchor="end"') +
            boxes.join("") +
            range +
            text(end + 6, y + line / 2 + 4, value, 'class="value"')
        );
    });
    const label = text(
        left + (width - left) / 2,
        height - 6,
        xLabel,
        'class="label" text-anchor="middle"'
    );
    return frame(height, title, grid.join("") + drawn.join("") + label);
}

export function legend(entries, shape = "line") {
    const item = ({ name, color }) =>
        `<li><i class="${shape === "line" ? "l" : "b"}${color}"></i>${escape(name)}</li>`;
    return `<ul class="legend">${entries.map(item).join("")}</ul>`;
}
