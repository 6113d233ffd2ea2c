# shellcheck shell=bash
# The images of the bed. Each tag holds a hash of what the image is made from: one that exists is never
# made twice, and one whose inputs changed is made anew beside the old one.
# Sourced by `up`, never run; uses its `bed`, `bed_state`, `begin` and `scratch`.
# shellcheck disable=SC2154

suite=${AI_BED_SUITE:-bookworm}
node_version=22.23.3
npm_version=10.9.9

# 12 hex of the named functions as they stand and of stdin.
hash_with() {
    cat - <(declare -f "$@") | sha256sum | cut -c 1-12
}

image_exists() {
    docker image inspect "$1" >/dev/null 2>&1
}

# The tar on stdin as an image: `import_image TAG [CHANGE…]`.
import_image() {
    local tag=$1 change changes=()
    shift
    for change in 'LABEL ai.bed=1' "$@"; do changes+=(--change "${change}"); done
    docker import "${changes[@]}" - "${tag}" >/dev/null
}

# --- busybox: the least that a life-cycle test needs ------------------------------------------------

busybox_program() {
    command -v busybox
}

busybox_tag() {
    printf 'ai-bed/busybox:%s\n' "$(cat "$(busybox_program)" "${bed}/stub" | hash_with busybox_tree make_busybox import_image)"
}

busybox_tree() {
    local tree=$1 applet
    mkdir -p "${tree}"/{bin,etc,home,usr/bin,usr/local/bin,proc,sys,dev,root}
    mkdir -m 1777 "${tree}/tmp" "${tree}/workspace"
    mkdir -m 0777 "${tree}/home/ai"
    cp "$(busybox_program)" "${tree}/bin/busybox"
    for applet in $(busybox --list); do
        [[ ${applet} == busybox ]] || ln -s busybox "${tree}/bin/${applet}"
    done
    ln -s /bin/env "${tree}/usr/bin/env"
    install -m 0755 "${bed}/stub" "${tree}/usr/local/bin/claude"
    ln -s claude "${tree}/usr/local/bin/gemini"
    ln -s claude "${tree}/usr/local/bin/codex"
    printf 'root:x:0:0:root:/root:/bin/sh\n' >"${tree}/etc/passwd"
    printf 'root:x:0:\n' >"${tree}/etc/group"
}

make_busybox() {
    begin busybox "make $1"
    busybox_tree "${scratch}/busybox"
    # Made by any user, owned by root.
    tar -C "${scratch}/busybox" --owner 0 --group 0 -c . |
        import_image "$1" 'ENV PATH=/usr/local/bin:/usr/bin:/bin HOME=/home/ai' 'CMD ["/bin/sh"]'
}

# --- base: what `node:22-bookworm-slim` has, without a registry of images -----------------------------

# The mirror that this machine's apt uses, else Debian's own.
mirror() {
    local found
    found=$(apt-get indextargets --format "\$(REPO_URI)" 'Created-By: Packages' "Codename: ${suite}" 'Origin: Debian' | sed -n 1p) || true
    printf '%s\n' "${found:-http://deb.debian.org/debian}"
}

ca_bundle() {
    local candidate=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
    [[ ! -r ${candidate} ]] || cat "${candidate}"
}

# The files that name the mirror stand for it, because asking apt takes longer than all the rest of a second `up`.
base_tag() {
    local inputs
    inputs="${suite} ${node_version} ${npm_version} $(cat /etc/apt/sources.list{,.d/*} 2>/dev/null) $(ca_bundle)"
    printf 'ai-bed/base:%s\n' "$(hash_with base_tree base_node make_base import_image <<<"${inputs}")"
}

base_tree() {
    local tree=$1
    debootstrap --variant=minbase "${suite}" "${tree}" "$(mirror)"
    printf 'deb %s %s main\n' "$(mirror)" "${suite}" >"${tree}/etc/apt/sources.list"
    printf 'path-exclude /usr/share/%s/*\n' doc man info locale >"${tree}/etc/dpkg/dpkg.cfg.d/slim"
    rm -rf "${tree}"/usr/share/{doc,man,info,locale}/* "${tree}"/var/{cache/apt,lib/apt/lists,log}/*
    base_node "${tree}"
    # A registry may only be reachable through a proxy with its own certificate authority. Its bundle lies
    # where the package `ca-certificates` does not overwrite it, and only npm, pip and apt are told: a variable
    # would be seen by the tools as well.
    mkdir -p "${tree}/usr/local/share/ai-bed" "${tree}/usr/local/etc"
    ca_bundle >"${tree}/usr/local/share/ai-bed/ca.crt"
    printf 'cafile=/usr/local/share/ai-bed/ca.crt\nupdate-notifier=false\n' >"${tree}/usr/local/etc/npmrc"
    printf '[global]\ncert = /usr/local/share/ai-bed/ca.crt\n' >"${tree}/etc/pip.conf"
    printf 'Acquire::https::CAInfo "/usr/local/share/ai-bed/ca.crt";\n' >"${tree}/etc/apt/apt.conf.d/90ai-bed"
}

base_node() {
    local tree=$1 packed=${scratch}/packed program machine
    case $(uname -m) in
        aarch64) machine=arm64 ;;
        *) machine=x64 ;;
    esac
    mkdir "${packed}"
    (cd "${packed}" && npm pack --silent "node-linux-${machine}@${node_version}" "npm@${npm_version}")
    mkdir -p "${tree}/usr/local/lib/node_modules/npm"
    tar -xzf "${packed}"/node-linux-*.tgz -C "${tree}/usr/local" --strip-components 1 package/bin/node
    tar -xzf "${packed}"/npm-*.tgz -C "${tree}/usr/local/lib/node_modules/npm" --strip-components 1
    for program in npm npx; do
        ln -s "../lib/node_modules/npm/bin/${program}-cli.js" "${tree}/usr/local/bin/${program}"
    done
    chroot "${tree}" groupadd --gid 1000 node
    chroot "${tree}" useradd --uid 1000 --gid node --shell /bin/bash --create-home node
}

make_base() {
    begin base "make $1 (half a minute)"
    {
        base_tree "${scratch}/base"
        tar -C "${scratch}/base" --numeric-owner -c . |
            import_image "$1" 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' 'CMD ["node"]'
    } &>"${bed_log}"
}

# --- tools: the image that is shipped ------------------------------------------------------------------

dockerfile() {
    printf '%s\n' "${bed}/../../templates/Dockerfile"
}

# `tools_tag BASE`, where an empty base stands for the default in the file.
tools_tag() {
    printf 'ai-bed/tools:%s\n' "$(cat "$(dockerfile)" - <<<"$1" | hash_with make_tools)"
}

# Takes a tag and a base.
make_tools() {
    begin tools "make $1 (a minute)"
    docker build --network host --label ai.bed=1 ${2:+--build-arg "BASE=$2"} --tag "$1" - <"$(dockerfile)" &>"${bed_log}"
}
