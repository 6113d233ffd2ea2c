# shellcheck shell=bash
# The engines of the bed: the docker that answers, else a dockerd of our own; podman beside it.
# Sourced by `up`, never run; uses its `bed`, `bed_state`, `begin`, `say`.
# shellcheck disable=SC2154

default_socket=/var/run/docker.sock
own_socket=${bed_state}/docker.sock

engine_answers() {
    timeout 10 docker info >/dev/null 2>&1
}

# Leaves DOCKER_HOST set if and only if the client would not find the engine by itself.
start_engine() {
    engine_answers && return
    if own_dockerd >/dev/null && DOCKER_HOST=unix://${own_socket} engine_answers; then
        export DOCKER_HOST=unix://${own_socket}
        return
    fi
    [[ ${EUID} -eq 0 ]] || die "no engine answers \`docker info\`, and only root can start one"
    if DOCKER_HOST=unix://${default_socket} engine_answers; then
        export DOCKER_HOST=unix://${default_socket}
        return
    fi
    start_dockerd
}

# Everything that the daemon keeps is under our own directories, and it reads no configuration but ours.
start_dockerd() {
    local socket=${default_socket} tries
    # A name that is taken may belong to a daemon that is still starting: it is never taken over while somebody listens.
    if [[ -S ${socket} ]] && grep -q ' \(/var\)\?/run/docker\.sock$' /proc/net/unix; then socket=${own_socket}; fi
    begin dockerd "start dockerd on ${socket}"
    forget_stale
    echo '{}' >"${bed_state}/daemon.json"
    setsid dockerd --pidfile "${bed_pidfile}" --config-file "${bed_state}/daemon.json" --host "unix://${socket}" \
        --data-root "${bed_state}/docker" --exec-root "${bed_state}/exec" \
        &>"${bed_log}" </dev/null 9>&- &
    disown
    [[ ${socket} == "${default_socket}" && -z ${DOCKER_HOST-} ]] || export DOCKER_HOST=unix://${socket}
    for ((tries = 300; tries > 0; tries--)); do
        engine_answers && return
        [[ -d /proc/$! ]] || return 1
        sleep 0.1
    done
    return 1
}

# Pid files that outlived their processes stop dockerd and its containerd from starting. A zombie has no program.
forget_stale() {
    local file pid
    for file in "${bed_pidfile}" "${bed_state}/exec/containerd/containerd.pid"; do
        pid=$(cat "${file}" 2>/dev/null) || continue
        case $(readlink "/proc/${pid}/exe") in
            */dockerd | */containerd) ;;
            *) rm -f "${file}" ;;
        esac
    done
}

# --- podman ------------------------------------------------------------------------------------------

# What differs from Debian's defaults, and why: runc because crun refuses a machine with both cgroup versions
# mounted, wrapped for its limits; cgroupfs because systemd may not run; networks in a directory of our own.
podman_configuration() {
    local boot
    mkdir -p "${bed_podman}/networks"
    # podman takes what it finds in its run-time directories for alive, and these outlive a reboot.
    boot=$(cat /proc/sys/kernel/random/boot_id)
    [[ $(cat "${bed_podman}/boot" 2>/dev/null) == "${boot}" ]] || rm -rf --one-file-system "${bed_podman}"/{run,tmp}
    printf '%s\n' "${boot}" >"${bed_podman}/boot"
    cat >"${bed_podman}/containers.conf" <<EOF
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "bed"
tmp_dir = "${bed_podman}/tmp"
[engine.runtimes]
bed = ["${bed_podman}/runc-within-limits"]
[network]
network_config_dir = "${bed_podman}/networks"
EOF
    install -m 0755 "${bed}/runc-within-limits" "${bed_podman}/runc-within-limits"
}

# Takes a tag of docker's and leaves the same image with podman.
copy_to_podman() {
    podman_configuration
    "${bed}/bin/podman" image exists "$1" && return
    begin podman "copy $1 to podman"
    docker save "$1" | "${bed}/bin/podman" load &>"${bed_log}"
}
