# shellcheck shell=bash
# Engines without root, of a user whom the bed makes: a docker in the user's own namespaces, and that user's podman.
# Sourced by `up`, never run; uses its `bed`, `bed_state`, `begin`, `say`.
# shellcheck disable=SC2154

rootless_socket=${bed_rootless}/run/docker.sock

# The user, with a range of uids to map; nobody logs in as it.
rootless_user() {
    local boot
    if ! id "${bed_user}" &>/dev/null; then
        begin rootless "make the user ${bed_user}"
        useradd --user-group --no-create-home --home-dir "${bed_rootless}" --shell /usr/sbin/nologin "${bed_user}" &>"${bed_log}"
    fi
    grep -q "^${bed_user}:" /etc/subuid || usermod --add-subuids 200000-265535 --add-subgids 200000-265535 "${bed_user}"
    # Sockets and pid files outlive a reboot, and what they meant does not.
    boot=$(cat /proc/sys/kernel/random/boot_id)
    [[ $(cat "${bed_rootless}/boot" 2>/dev/null) == "${boot}" ]] || rm -rf --one-file-system "${bed_rootless}/run"
    install -d -o "${bed_user}" -g "${bed_user}" -m 0755 "${bed_rootless}" "${bed_rootless}"/.config{,/containers}
    install -d -o "${bed_user}" -g "${bed_user}" -m 0700 "${bed_rootless}/run"
    printf '%s\n' "${boot}" >"${bed_rootless}/boot"
    printf '[storage]\ndriver = "overlay"\n' >"${bed_rootless}/.config/containers/storage.conf"
}

# Runs a command as that user, in a view of the machine where everybody may make a network device of their own, as udev
# allows on any machine that has it. The node is made in a file system that only this view has. podman wants mounts shared.
as_rootless() {
    # shellcheck disable=SC2016
    unshare --mount --propagation private bash -euc '
        mount --make-rshared /
        mount -t tmpfs -o mode=0755 tmpfs /mnt
        mknod -m 0666 /mnt/tun c 10 200
        mount --bind /mnt/tun /dev/net/tun
        umount --lazy /mnt
        user=$1 home=$2
        shift 2
        cd "${home}"
        exec setpriv --reuid "${user}" --regid "${user}" --init-groups env --ignore-environment \
            HOME="${home}" XDG_RUNTIME_DIR="${home}/run" PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin "$@"
    ' bash "${bed_user}" "${bed_rootless}" "$@"
}

rootless_answers() {
    DOCKER_HOST=unix://${rootless_socket} engine_answers
}

start_rootless() {
    local script tries
    rootless_answers && return
    script=$(command -v dockerd-rootless.sh || echo /usr/share/docker.io/contrib/dockerd-rootless.sh)
    begin rootless "start a dockerd without root on ${rootless_socket}"
    # `exec` all the way: the pid is the one of rootlesskit, which ends everything below it.
    # Servers on the machine's loopback are reached, as with DOCKERD_ROOTLESS_ROOTLESSKIT_DISABLE_HOST_LOOPBACK=false.
    # shellcheck disable=SC2016
    as_rootless DOCKERD_ROOTLESS_ROOTLESSKIT_FLAGS="--state-dir=${bed_rootless}/run/rootlesskit --disable-host-loopback=false" \
        setsid sh -c 'echo "$$" >"${HOME}/run/rootlesskit.pid"; exec sh "$1"' sh "${script}" \
        &>"${bed_log}" </dev/null 9>&- &
    disown
    for ((tries = 300; tries > 0; tries--)); do
        rootless_answers && return
        sleep 0.1
    done
    return 1
}

# Takes a tag of docker's and leaves the same image with both engines of the user. podman's first call also makes the
# namespaces that all its later ones join.
copy_to_rootless() {
    if ! DOCKER_HOST=unix://${rootless_socket} image_exists "$1"; then
        begin rootless "copy $1 to docker without root"
        docker save "$1" | DOCKER_HOST=unix://${rootless_socket} docker load &>"${bed_log}"
    fi
    if ! as_rootless podman image exists "$1" 9>&-; then
        begin rootless "copy $1 to podman without root"
        docker save "$1" | as_rootless podman load &>"${bed_log}" 9>&-
    fi
}
