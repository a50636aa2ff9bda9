// As the tables have it: lower case, without brackets or a final dot.
function plainHost(host) {
    return host.toLowerCase().replace(/^\[/, "").replace(/\]$/, "").replace(/\.$/, "");
}

// What never leaves one's own network. A number alone, such as 2130706433, is no name but an address.
function isOwn(host) {
    if (gateways[host] === true)
        return true;
    if (host.indexOf(":") >= 0)
        return /^((0*:)+0*1|f[cd][0-9a-f][0-9a-f]:.*|fe[89ab][0-9a-f]:.*)$/.test(host);
    if (host.indexOf(".") < 0)
        return !/^(0x[0-9a-f]*|[0-9]+)$/.test(host);
    return /\.(localhost|local|internal|home\.arpa)$/.test(host) ||
        /^(127\.[0-9]+|10\.[0-9]+|192\.168|169\.254|172\.(1[6-9]|2[0-9]|3[01]))\.[0-9]+\.[0-9]+$/.test(host);
}
