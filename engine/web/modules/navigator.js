"use strict";
class Navigator {
    get userAgent() {
        return "snapcell";
    }
}
require("snapcell:idl").expose(Navigator);
exports.navigator = new Navigator();
