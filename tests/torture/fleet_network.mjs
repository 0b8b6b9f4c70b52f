// What a fleet is connected by. As root: a namespace of the network for each host, and one with a bridge and the registry,
// joined by pairs of virtual interfaces, whose counters tell the bytes on the wire. Elsewhere: the loopback, and for each host a
// proxy of TCP that counts. Nothing of the machine's own network is touched.
import { spawnSync } from "node:child_process";
import { connect, createServer } from "node:net";

function ip(args, input) {
    const done = spawnSync("ip", args, { encoding: "utf8", input });
    if (done.status !== 0) throw new Error(`ip ${args.join(" ")}: ${done.stderr ?? done.error}`);
    return done.stdout;
}

// Several at once: 50 hosts are many processes as it is.
const within = (name, ...commands) => ip(["-n", name, "-batch", "-"], commands.join("\n") + "\n");

const own = `snapcell-fleet-${process.pid}`;

class Namespaces {
    kind = "network namespaces";
    hub = `${own}-hub`;
    registry = { host: "10.77.0.1", port: 5000, prefix: this.enter(this.hub) };
    names = [];

    enter(name) {
        return ["ip", "netns", "exec", name];
    }

    add(name) {
        ip(["netns", "add", name]);
        this.names.push(name);
    }

    open() {
        this.add(this.hub);
        within(
            this.hub,
            "link set lo up",
            "link add hub type bridge",
            "address add 10.77.0.1/16 dev hub",
            "link set hub up"
        );
    }

    // Gives the words before its commands, and where its registry is.
    addHost(number) {
        const name = `${own}-${number}`;
        const address = `10.77.${1 + (number >> 7)}.${1 + (number & 127)}/16`;
        this.add(name);
        within(
            this.hub,
            `link add host${number} type veth peer name up0 netns ${name}`,
            `link set host${number} master hub up`
        );
        within(name, "link set lo up", `address add ${address} dev up0`, "link set up0 up");
        return { prefix: this.enter(name), host: "10.77.0.1", port: 5000 };
    }

    setLink(number, state) {
        within(this.hub, `link set host${number} ${state}`);
    }

    // How many bytes each host was sent, by number.
    bytes() {
        const links = JSON.parse(ip(["-n", this.hub, "-s", "-j", "link", "show"]));
        return new Map(
            links
                .filter(link => /^host\d+$/.test(link.ifname))
                .map(link => [Number(link.ifname.slice(4)), link.stats64.tx.bytes])
        );
    }

    close() {
        for (const name of this.names.splice(0)) spawnSync("ip", ["netns", "delete", name]);
    }
}

class Loopback {
    kind = "the loopback";
    registry = {};
    hosts = new Map();

    open() {}

    async addHost(number) {
        const host = { bytes: 0, isUp: true, sockets: new Set() };
        const keep = socket => {
            host.sockets.add(socket);
            socket.on("close", () => host.sockets.delete(socket)).on("error", () => {});
        };
        const server = createServer(near => {
            if (!host.isUp) return near.destroy();
            const far = connect(this.registry.port, "127.0.0.1");
            keep(near);
            keep(far);
            far.on("data", data => (host.bytes += data.length));
            near.pipe(far).pipe(near);
            near.on("close", () => far.destroy());
            far.on("close", () => near.destroy());
        });
        await new Promise(resolve => server.listen(0, "127.0.0.1", resolve));
        host.server = server;
        this.hosts.set(number, host);
        return { prefix: [], host: "127.0.0.1", port: server.address().port };
    }

    setLink(number, state) {
        const host = this.hosts.get(number);
        host.isUp = state === "up";
        if (!host.isUp) host.sockets.forEach(socket => socket.destroy());
    }

    bytes() {
        return new Map([...this.hosts].map(([number, host]) => [number, host.bytes]));
    }

    close() {
        for (const host of this.hosts.values()) {
            host.server.close();
            host.sockets.forEach(socket => socket.destroy());
        }
    }
}

export function openNetwork() {
    const network = new Namespaces();
    try {
        network.open();
        network.addHost(0); // whether all of it can be made
        return network;
    } catch {
        network.close();
        return new Loopback();
    }
}
