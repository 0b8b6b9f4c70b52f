export default function handler(event) {
    return { event };
}
