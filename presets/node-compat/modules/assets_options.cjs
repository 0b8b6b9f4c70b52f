"use strict";
// How assets are served; the plugin substitutes it.
module.exports = {
    binding: "ASSETS",
    workerFirst: false,
    html: "auto",
    missing: "none",
    navigation: true,
    headers: [],
    redirects: [],
};
