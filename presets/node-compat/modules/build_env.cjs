"use strict";
// What `env` of "cloudflare:workers" is while a snapshot is made; the plugin substitutes it.
module.exports = {};
