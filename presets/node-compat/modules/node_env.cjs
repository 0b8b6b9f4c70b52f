"use strict";
// What the bundler puts in place of this name counts for code that reads it in another way, too. If it
// puts nothing there, this asks the environment, which asks here.
let asking = false;

module.exports = () => {
    if (asking) return undefined;
    asking = true;
    try {
        return process.env.NODE_ENV;
    } finally {
        asking = false;
    }
};
