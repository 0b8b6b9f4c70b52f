# Root file systems of Debian's releases, made by debootstrap and entered in namespaces of their own, so that no mount and
# no process outlives a command. Sourced by run, and by tests/platforms.

root_home=/srv/home
root_certificates=$root_home/certificates.pem

# root_needs: what the machine must have, in a line where it has not.
root_needs() {
    [ "$(id -u)" -eq 0 ] || { echo "$0: must be run as root: it makes root file systems" >&2; exit 1; }
    for tool in "$@"; do
        command -v "$tool" >/dev/null && continue
        echo "$0: $tool is missing; scripts/install-dependencies --packages installs it" >&2
        exit 1
    done
}

# root_settings ROOT: names, certificates, and how apt reaches its archive, as on this machine.
root_settings() {
    cp -L /etc/resolv.conf /etc/hosts "$1/etc/"
    apt-config dump | grep -E '^Acquire::(https?|Check-[A-Za-z-]+|Retries|ForceIPv[46])' >"$1/etc/apt/apt.conf.d/90host" || :
    echo force-unsafe-io >"$1/etc/dpkg/dpkg.cfg.d/90fast"
    mkdir -p "$1$root_home"
    # Not where the package ca-certificates has its own.
    for file in "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" "${NODE_EXTRA_CA_CERTS:-}"; do
        [ ! -s "$file" ] || cat "$file"
    done >"$1$root_certificates"
    [ ! -s "$HOME/.npmrc" ] || cp "$HOME/.npmrc" "$1$root_home/.npmrc"
}

# root_make RELEASE FOLDER: a minimal root, unless it is there.
root_make() {
    [ -e "$2/.made" ] && return
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Label: Debian' 2>/dev/null | head -n 1)
    echo "making a root of $1"
    rm -rf "$2"
    mkdir -p "$2"
    # shellcheck disable=SC2086 # none, or one
    debootstrap --variant=minbase "$1" "$2" $mirror >"$2.log" 2>&1 || { tail "$2.log" >&2; return 1; }
    root_settings "$2"
    touch "$2/.made"
}

# root_copy FROM TO: a fresh copy.
root_copy() {
    rm -rf "$2"
    cp -a "$1" "$2"
    root_settings "$2"
}

# root_source ROOT SOURCE: the sources, with what is not committed yet, at the same path as outside.
root_source() {
    mkdir -p "$1$2"
    git -C "$2" ls-files -z --cached --others --exclude-standard --deduplicate |
        (cd "$2" && xargs -0 sh -c 'for file; do [ ! -e "$file" ] || printf "%s\\0" "$file"; done' sh) |
        tar -C "$2" --null -T - -c | tar -C "$1$2" -x
}

# root_run ROOT BINDS COMMAND...: runs a command in it. BINDS is a list of OUTSIDE:INSIDE. Variables that say where
# caches are go along.
root_run() {
    root=$1 binds=$2
    shift 2
    kept=$(env | grep -E '^(SOURCE_DATE_EPOCH|CCACHE_[A-Z]+)=' || :)
    # shellcheck disable=SC2016,SC2086 # the inner shell's; a list of words
    unshare --mount --pid --fork --kill-child sh -euc '
        root=$1 binds=$2
        shift 2
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        for bind in $binds; do
            mkdir -p "$root${bind#*:}"
            mount --bind "${bind%%:*}" "$root${bind#*:}"
        done
        exec chroot "$root" /usr/bin/env -i "$@"' sh "$root" "$binds" \
        PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="$root_home" LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        SSL_CERT_FILE="$root_certificates" NODE_EXTRA_CA_CERTS="$root_certificates" $kept "$@"
}
