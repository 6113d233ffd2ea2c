# shellcheck shell=bash
# The engine of the bed: the one that answers, else a dockerd of our own.
# Sourced by `up`, never run; uses its `bed_state` and `begin`.
# shellcheck disable=SC2154

default_socket=/var/run/docker.sock
own_socket=${bed_state}/docker.sock

engine_answers() {
    docker info >/dev/null 2>&1
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
    if [[ -S ${socket} ]] && grep -q -F " ${socket}" /proc/net/unix; then socket=${own_socket}; fi
    begin dockerd "start dockerd on ${socket}"
    forget_stale
    echo '{}' >"${bed_state}/daemon.json"
    setsid --fork dockerd --pidfile "${bed_pidfile}" --config-file "${bed_state}/daemon.json" --host "unix://${socket}" \
        --data-root "${bed_state}/docker" --exec-root "${bed_state}/exec" \
        &>"${bed_log}" </dev/null 9>&-
    [[ ${socket} == "${default_socket}" && -z ${DOCKER_HOST-} ]] || export DOCKER_HOST=unix://${socket}
    for ((tries = 300; tries > 0; tries--)); do
        engine_answers && return
        sleep 0.1
    done
    return 1
}

# Pid files that outlived their processes stop dockerd and its containerd from starting.
forget_stale() {
    local file pid
    for file in "${bed_pidfile}" "${bed_state}/exec/containerd/containerd.pid"; do
        pid=$(cat "${file}" 2>/dev/null) || continue
        case $(cat "/proc/${pid}/comm" 2>/dev/null) in
            dockerd | containerd) ;;
            *) rm -f "${file}" ;;
        esac
    done
}
