// Uses a host function that embed.c adds: readSetting(name) gives a string, or throws.
const greeting = readSetting("greeting");

export default {
    fetch(request) {
        const { pathname } = new URL(request.url);
        return new Response(`${greeting}, ${pathname}! It is ${readSetting("weather")}.\n`);
    },
};
