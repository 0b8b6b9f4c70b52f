export default defineEventHandler(event => ({ x: getQuery(event).x }));
