// Proxy auto-configuration, made by tlsfloor from its settings ([pac]): change those, not this.
//
// Only what the clients below ask for goes through the gateway, and of that neither names without a dot, nor the
// gateway itself, nor loopback, link-local and private addresses. All other clients go direct.
//
// A client knows its address by myIpAddress, which may answer 127.0.0.1, or the address of another of its networks.
// Such a client goes direct: nothing tells it from those that the gateway is not for.
//
// There is no "; DIRECT" behind the proxies on purpose: when none can be reached, the browser is to say so, and
// not to go past them.

function FindProxyForURL(url, host) {
    return !isOwn(plainHost(host)) && isClient() ? proxies : "DIRECT";
}

// myIpAddressEx and isInNetEx, which know IPv6 and all addresses of a machine, are not everywhere.
function isClient() {
    var i, all, address = String(myIpAddress());
    if (/^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/.test(address))
        for (i = 0; i < masks.length; i++)
            if (isInNet(address, masks[i][0], masks[i][1]))
                return true;
    if (typeof myIpAddressEx == "undefined" || typeof isInNetEx == "undefined")
        return false;
    all = String(myIpAddressEx() || "").split(";");
    for (i = 0; i < all.length; i++)
        if (all[i] && isInBlock(all[i]))
            return true;
    return false;
}

function isInBlock(address) {
    for (var i = 0; i < blocks.length; i++)
        if (isInNetEx(address, blocks[i]))
            return true;
    return false;
}

