"use strict";
const { URLPattern } = require("urlpattern-polyfill/urlpattern");
require("snapcell:idl").expose(URLPattern);

exports.URLPattern = URLPattern;
