import fs from "left-pad-unresolved";
export default { fetch: () => new Response(fs) };
