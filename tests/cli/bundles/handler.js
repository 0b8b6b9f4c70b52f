export default function handler(event, context) {
    if (event.fail) throw new RangeError("no such event");
    return { event };
}
