// JSON in, JSON out: called with an event, as queue and schedule triggers do.
const zones = { home: 21.5, office: 20 };

export async function handler(event) {
    const readings = event.readings ?? [];
    if (!Array.isArray(readings)) throw new TypeError("event.readings must be an array");
    const results = await Promise.all(
        readings.map(async ({ zone, celsius }) => ({
            zone,
            off_by: celsius - (zones[zone] ?? 20),
        }))
    );
    return {
        count: results.length,
        results,
        coldest: results.toSorted((a, b) => a.off_by - b.off_by)[0]?.zone ?? null,
    };
}
