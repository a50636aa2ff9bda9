// client.js WAY PORT NAME VERSION CA_FILE: asks for a page with one version of TLS, prints the server's certificate and
// the page, or the error.
"use strict";
const fs = require("fs");
const http = require("http");
const tls = require("tls");

const [way, port, name, version, caFile] = process.argv.slice(2);

function fail(error) {
  console.log(`error: ${error.code} ${error.message}`);
  process.exitCode = 1;
}

function ask(options) {
  const socket = tls.connect({
    ...options,
    servername: name,
    ca: fs.readFileSync(caFile),
    minVersion: `TLSv${version}`.replace("1.0", "1"),
    maxVersion: `TLSv${version}`.replace("1.0", "1"),
    ciphers: "DEFAULT@SECLEVEL=0",
  });
  socket.on("error", fail);
  socket.on("data", (data) => process.stdout.write(data));
  socket.on("secureConnect", () => {
    process.stdout.write(socket.getPeerX509Certificate().toString());
    socket.write(`GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`);
  });
}

if (way === "sni") {
  ask({ host: "127.0.0.1", port });
} else {
  http
    .request({ host: "127.0.0.1", port, method: "CONNECT", path: `${name}:443` })
    .on("connect", (_response, socket) => ask({ socket }))
    .on("error", fail)
    .end();
}
