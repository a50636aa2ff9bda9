// Proxy auto-configuration, made by tlsfloor from its settings ([pac]): change those, not this.
//
// Everything goes through the gateway, but for: the endpoints of Microsoft 365 that are in the tables below, by
// name and port; names without a dot; the gateway itself; loopback, link-local and private addresses.
//
// There is no "; DIRECT" behind the proxies on purpose: when none can be reached, the browser is to say so, and
// not to go past them.

function FindProxyForURL(url, host) {
    host = plainHost(host);
    if (isOwn(host) || isDirectEndpoint(host, portOf(url)))
        return "DIRECT";
    return proxies;
}

// Browsers cut off the path of https addresses, but leave the port. 0: it is not known.
function portOf(url) {
    var parts = /^([a-z]+):\/\/([^\/?#]*)/i.exec(url);
    var port = parts ? /:([0-9]+)$/.exec(parts[2]) : null;
    if (port)
        return parseInt(port[1], 10);
    switch (parts ? parts[1].toLowerCase() : "") {
    case "http":
    case "ws":
        return 80;
    case "https":
    case "wss":
        return 443;
    }
    return 0;
}

// What is looked up has a dot in it, as no property has that an object is born with.
function isDirectEndpoint(host, port) {
    var i;
    if (havePort(names[host], port))
        return true;
    for (i = host.indexOf(".", 1); i > 0; i = host.indexOf(".", i + 1))
        if (havePort(names[host.substring(i)], port))
            return true;
    for (i = 0; i < endings.length; i++)
        if (endsWith(host, endings[i][0]) && havePort(endings[i][1], port))
            return true;
    for (i = 0; i < tenants.length; i++)
        if (isTenant(host, tenants[i][0], tenants[i][1]) && havePort(tenants[i][2], port))
            return true;
    return false;
}

// Whether one of the sets, if there are any, has a port.
function havePort(sets, port) {
    var i, j, ranges;
    for (i = 0; sets && i < sets.length; i++) {
        ranges = ports[sets[i]];
        for (j = 0; j < ranges.length; j += 2)
            if (port >= ranges[j] && port <= ranges[j + 1])
                return true;
    }
    return false;
}

function endsWith(host, tail) {
    return host.length >= tail.length && host.substring(host.length - tail.length) == tail;
}

// Whether a host is head, one label, and tail.
function isTenant(host, head, tail) {
    return host.length > head.length + tail.length && host.substring(0, head.length) == head &&
        endsWith(host, tail) && host.substring(head.length, host.length - tail.length).indexOf(".") < 0;
}

