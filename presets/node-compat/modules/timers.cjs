"use strict";
const later = (callback, ...args) => setTimeout(callback, 0, ...args);

module.exports = {
    clearImmediate: id => clearTimeout(id),
    clearInterval: id => clearInterval(id),
    clearTimeout: id => clearTimeout(id),
    setImmediate: later,
    setInterval: (...args) => setInterval(...args),
    setTimeout: (...args) => setTimeout(...args),
};
