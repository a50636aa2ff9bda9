#!/usr/bin/env bash
# Installs what is missing for a purpose: `build` (compile and run), `package` (build the Debian package), `test`, `k8s`
# (check docker/k8s), or `lint` (which is also what fuzzing needs). Asks apt only when something is missing; where there
# is no apt, says what is needed.
set -euo pipefail

missing=()
want() { # want PACKAGE CHECK...: the package is missing when the check fails
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}
has() { command -v "$1"; }
library() { pkg-config --exists "$1"; }
header() { [ -e "/usr/include/$1" ]; }
llhttp() { library libllhttp || header llhttp.h || [ -e /usr/share/llhttp/llhttp.c ]; }
# Debian 13 has a library; Debian 12 ships the C sources with the Node.js package.
llhttp_package() { if apt-cache show libllhttp-dev >/dev/null 2>&1; then echo libllhttp-dev; else echo node-llhttp; fi; }

# promtool checks metrics and rules. Debian 13 has a package of it; that of Debian 12 would start a server. So the one
# program is taken out, and nothing is installed. Without it, the tests that want it are skipped.
tools=${BUILD:-build}/tools
promtool_package() { if apt-cache show promtool >/dev/null 2>&1; then echo promtool; else echo prometheus; fi; }
take_promtool() {
    has promtool >/dev/null || [ -x "$tools/usr/bin/promtool" ] && return
    echo "tlsfloor: fetching promtool" >&2
    mkdir -p "$tools"
    (cd "$tools" && apt-get download -qq "$(promtool_package)" &&
        dpkg-deb --fsys-tarfile ./*.deb | tar -x ./usr/bin/promtool) >&2 || echo "tlsfloor: promtool cannot be had" >&2
    rm -f "$tools"/*.deb
}

case ${1-} in
build | package)
    want gcc has "${CC:-cc}"
    want libc6-dev header stdlib.h
    want libcrypt-dev header crypt.h
    want pkgconf has pkg-config
    want libuv1-dev library libuv
    want libssl-dev library openssl
    want libinih-dev library inih
    want libc-ares-dev library libcares
    want libjansson-dev library jansson
    want libsqlite3-dev library sqlite3
    want LLHTTP llhttp
    if [ "$1" = package ]; then
        want build-essential test -e /usr/share/doc/build-essential
        want debhelper has dh
        want lintian has lintian
    fi
    ;;
test)
    want libcmocka-dev header cmocka.h
    want python3 has python3
    want openssl has openssl
    want gnutls-bin has gnutls-cli
    want curl has curl
    want nodejs has node
    want python3-jsonschema /usr/bin/python3 -c "import jsonschema"
    want python3-yaml /usr/bin/python3 -c "import yaml"
    want systemd has systemd-analyze
    want logrotate test -x /usr/sbin/logrotate
    want swaks has swaks
    want haproxy has haproxy
    want python3-prometheus-client /usr/bin/python3 -c "import prometheus_client"
    want iproute2 has ip
    want nftables test -x /usr/sbin/nft
    want libnet-ssleay-perl perl -MNet::SSLeay -e 1
    want default-jdk-headless has javac
    want chromium has chromium
    want mandoc has mandoc
    want fish has fish
    want zsh has zsh
    ;;
k8s)
    want python3-yaml /usr/bin/python3 -c "import yaml"
    want nodejs has node
    want npm has npm
    want iproute2 has ip
    want openssl has openssl
    ;;
lint)
    want clang has clang
    want clang-format has clang-format
    want clang-tidy has clang-tidy
    want cppcheck has cppcheck
    want shellcheck has shellcheck
    want pyflakes3 has pyflakes3
    ;;
*)
    echo "usage: $0 build|package|test|k8s|lint" >&2
    exit 2
    ;;
esac
if [ ${#missing[@]} -eq 0 ]; then
    if [ "$1" = test ]; then take_promtool; fi
    exit 0
fi

if ! command -v apt-get >/dev/null; then
    echo "tlsfloor: to $1, these are needed, named as Debian names them: ${missing[*]/LLHTTP/libllhttp-dev}" >&2
    exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    # Without a terminal nobody can give sudo the password that it may ask for.
    if ! command -v sudo >/dev/null || { [ ! -t 2 ] && ! sudo -n true 2>/dev/null; }; then
        echo "tlsfloor: not root; install what is missing first:" >&2
        echo "    apt-get update && apt-get install ${missing[*]/LLHTTP/$(llhttp_package)}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
echo "tlsfloor: installing ${missing[*]/LLHTTP/llhttp}" >&2
{
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o DPkg::Lock::Timeout=300 \
        "${missing[@]/LLHTTP/$(llhttp_package)}"
} >&2
if [ "$1" = test ]; then take_promtool; fi
