# shellcheck shell=bash
# What a run of a tool costs: the memory of its container, and its start beside the same program without a container.
# Sourced by `tests/tools`, never run; uses its `work`, `person` and `ours`.
# shellcheck disable=SC2154

# `memory_file CONTAINER`: where the kernel keeps the most that the container's cgroup has had, page cache that it was charged with included.
memory_file() {
    local pid path
    pid=$(docker inspect --format '{{.State.Pid}}' "$1" 2>/dev/null) && [[ ${pid} -gt 0 ]] || return
    path=$(sed -n 's/^[0-9]*:memory://p' "/proc/${pid}/cgroup")
    if [[ -n ${path} ]]; then
        echo "/sys/fs/cgroup/memory${path}/memory.max_usage_in_bytes"
    else
        path=$(sed -n 's/^0:://p' "/proc/${pid}/cgroup")
        echo "/sys/fs/cgroup${path}/memory.peak"
    fi
}

# `weigh PROJECT COMMAND…`: runs the command, whose words go to `${work}/said`, and prints the MiB that its container in this project had at most.
# The file ends with the container, so it is read until then.
weigh() {
    local project=$1 container file='' bytes most=0 running
    shift
    "$@" >"${work}/said" &
    running=$!
    while kill -0 "${running}" 2>/dev/null; do
        if [[ -z ${file} ]]; then
            container=$(docker ps --quiet --no-trunc --filter "label=ai.project=${project}")
            [[ -z ${container} ]] || file=$(memory_file "${container}") || file=''
        elif { read -r bytes <"${file}"; } 2>/dev/null; then
            most=${bytes}
        fi
        sleep 0.01
    done
    wait "${running}" || true
    [[ ${most} -gt 0 ]] && echo "$((most >> 20)) MiB"
}

# `native IMAGE`: takes the files of an image out of it, into `${work}/native`.
native() {
    local container
    rm -rf --one-file-system "${work}/native"
    mkdir "${work}/native"
    container=$(docker create "$1")
    docker export "${container}" | tar -x -C "${work}/native"
    docker rm "${container}" >/dev/null
    install -d -o 1000 -g 1000 "${work}/native/home/native"
}

# `outside COMMAND…`: runs it on those files as the same user, in no container. Mounts are this process's own, so that they end with it.
outside() {
    # shellcheck disable=SC2016
    unshare --mount bash -euc '
        tree=$1
        shift
        mount --bind /proc "${tree}/proc"
        mount --bind /dev "${tree}/dev"
        mount -t tmpfs -o mode=1777 none "${tree}/tmp"
        '"$(declare -f took)"'
        took chroot --userspec=1000:1000 --groups=1000 "${tree}" \
            env --ignore-environment --chdir=/home/native HOME=/home/native LANG=C.UTF-8 PATH=/usr/local/bin:/usr/bin:/bin "$@"
    ' outside "${work}/native" "$@"
}

# `took COMMAND…`: prints in how many microseconds a command succeeded.
took() {
    local from=${EPOCHREALTIME//[!0-9]/}
    "$@" &>/dev/null </dev/null || return
    echo "$((${EPOCHREALTIME//[!0-9]/} - from))"
}

median() {
    sort -n | sed -n "$((($1 + 1) / 2))p"
}

# `start TOOL IMAGE`: prints how long `TOOL --version` takes inside, as a multiple of the two of which it is made: the same outside of a
# container, and a container that does nothing. Medians of rounds that take turns; each once before, unmeasured.
start() {
    local tool=$1 rounds=7 round kind
    [[ ${EUID} -eq 0 ]] || { echo '–' && return; }
    native "$2"
    for round in $(seq 0 "${rounds}"); do
        for kind in outside container inside; do
            case ${kind} in
                outside) outside "${tool}" --version ;;
                container) AI_IMAGE=$2 took ours exec -- true ;;
                inside) took ours run "${tool}" -- --version ;;
            esac >"${work}/took" || { echo "${tool} --version: failed ${kind}" >&2 && return 1; }
            if [[ ${round} -gt 0 ]]; then cat "${work}/took" >>"${work}/${kind}"; fi
        done
    done
    for kind in outside container inside; do
        median "${rounds}" <"${work}/${kind}"
        rm "${work}/${kind}"
    done | LC_ALL=C awk '{ took[NR] = $1 / 1e6 } END { printf "%.2f × (%.2f + %.2f s)\n", took[3] / (took[1] + took[2]), took[1], took[2] }'
    rm -rf --one-file-system "${work}/native"
}
