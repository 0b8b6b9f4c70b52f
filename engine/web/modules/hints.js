"use strict";
// What is worth saying of a function when it is compiled.

// Signs of a function that takes a Request: its parameter's name, or that it makes a Response.
const signs =
    /^(async\s*)?(function\b[^(]*)?\(?\s*(req|request)\b|\bnew\s+Response\b|\bResponse\s*\.|\.fetch\(/;

exports.mayTakeRequest = method => signs.test(Function.prototype.toString.call(method));
