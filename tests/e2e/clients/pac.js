// Asks a PAC script as a browser does. Standard input: {"script", "addresses": {"plain", "all"}, "questions": [[url,
// host]...]}; `all` is what myIpAddressEx answers, without it there is neither that nor isInNetEx. Standard output: the
// answers. A script that is no ECMAScript 3 is an error, where this node has its parser to offer (--expose-internals).
"use strict";
const net = require("net");
const vm = require("vm");

const { script, addresses, questions } = JSON.parse(require("fs").readFileSync(0, "utf8"));

function number(address) {
    return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

function isInNet(address, base, mask) {
    if (!net.isIPv4(address))
        throw new Error(`isInNet would look ${address} up`);
    return ((number(address) ^ number(base)) & number(mask)) === 0;
}

function isInNetEx(address, block) {
    const [base, bits] = block.split("/");
    const list = new net.BlockList();
    list.addSubnet(base, Number(bits), net.isIPv6(base) ? "ipv6" : "ipv4");
    return list.check(address, net.isIPv6(address) ? "ipv6" : "ipv4");
}

function never(name) {
    return () => {
        throw new Error(`${name} is called: it blocks the browser until DNS has answered`);
    };
}

const given = { isInNet, myIpAddress: () => addresses.plain };
if ("all" in addresses)
    Object.assign(given, { isInNetEx, myIpAddressEx: () => addresses.all });
for (const name of ["dnsResolve", "isResolvable", "dnsResolveEx"])
    given[name] = never(name);

try {
    require("internal/deps/acorn/acorn/dist/acorn").parse(script, { ecmaVersion: 3 });
} catch (error) {
    if (error.code !== "MODULE_NOT_FOUND")
        throw error;
}
const context = vm.createContext(given);
vm.runInContext(script, context);
process.stdout.write(JSON.stringify(questions.map(([url, host]) => context.FindProxyForURL(url, host))));
