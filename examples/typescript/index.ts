// TypeScript, with a source map next to the bundle: errors name this file and its lines.
enum Unit {
    Celsius = "C",
    Fahrenheit = "F",
}

interface Reading {
    readonly value: number;
    readonly unit: Unit;
}

function convert({ value, unit }: Reading): Reading {
    return unit === Unit.Celsius
        ? { value: value * 1.8 + 32, unit: Unit.Fahrenheit }
        : { value: (value - 32) / 1.8, unit: Unit.Celsius };
}

function parse(text: string | null): Reading {
    const match = /^(-?\d+(?:\.\d+)?)([CF])$/.exec(text ?? "");
    if (!match) throw new RangeError(`expected a temperature like 20C, got ${text}`);
    return { value: Number(match[1]), unit: match[2] as Unit };
}

export default {
    async fetch(request: Request): Promise<Response> {
        const reading = parse(new URL(request.url).searchParams.get("t") ?? "20C");
        return Response.json({ from: reading, to: convert(reading) });
    },
};
