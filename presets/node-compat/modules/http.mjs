// node:http for who imports names: a bundle then has what they need, and no more.
export { METHODS, STATUS_CODES } from "./http_tables.cjs";
export { validateHeaderName, validateHeaderValue } from "./http_checks.cjs";
export { IncomingMessage } from "./http_message.cjs";
export { OutgoingMessage } from "./http_outgoing.cjs";
export { ServerResponse } from "./http_response.cjs";
export { Server, createServer } from "./http_server.cjs";
export { Agent, ClientRequest, get, globalAgent, request } from "./http_client_plain.cjs";
export {
    CloseEvent,
    MessageEvent,
    WebSocket,
    maxHeaderSize,
    setMaxIdleHTTPParsers,
} from "./http.cjs";
export { default } from "./http.cjs";
