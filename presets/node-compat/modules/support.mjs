// What only the engine can give to Node's modules; see docs/web-api.md, "Imports".
import support from "snapcell:node";

export default support;
