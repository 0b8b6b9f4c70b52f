// FNV-1a, 32 bits, over the characters' codes.
exports.createHash32 = text => {
    let hash = 0x811c9dc5;
    for (let i = 0; i < text.length; i++)
        hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
    return hash;
};
