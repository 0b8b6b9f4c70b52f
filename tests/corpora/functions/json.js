export function handler(event) {
    return [event, JSON.stringify(event).length];
}
