# shellcheck shell=bash disable=SC2034
# What the scripts of the bed share: where its state lives, how it talks, which daemon is its own.
# Sourced, never run.

# Other uids read what is made here, whatever the caller's own mask.
umask 022
if [[ ${EUID} -eq 0 ]]; then
    bed_state=/var/lib/ai-bed
else
    bed_state=${XDG_CACHE_HOME:-${HOME}/.cache}/ai-bed
fi
bed_pidfile=${bed_state}/dockerd.pid
bed_podman=${bed_state}/podman
bed_rootless=${bed_state}/rootless
bed_user=ai-bed

say() {
    printf 'bed: %s\n' "$*" >&2
}

die() {
    say "$@"
    exit 1
}

# One caller at a time; a second one waits, then finds everything made. The descriptor must not reach a daemon.
bed_lock() {
    mkdir -p "${bed_state}"
    exec 9>"${bed_state}/lock"
    flock -w 900 9 || die "cannot lock \`${bed_state}\`: another run holds it for 15 minutes"
}

# Prints the pid of the daemon that the bed itself started, fails if there is none.
own_dockerd() {
    own_process "${bed_pidfile}" "--pidfile ${bed_pidfile} "
}

own_rootless() {
    own_process "${bed_rootless}/run/rootlesskit.pid" "--state-dir=${bed_rootless}/run/rootlesskit "
}

# Prints the pid in a file, if that process has these words. They are compared because a pid file outlives a reboot and
# its number may by then be anybody's.
own_process() {
    local pid
    pid=$(cat "$1" 2>/dev/null) || return 1
    [[ -n ${pid} && -r /proc/${pid}/cmdline ]] || return 1
    tr '\0' ' ' 2>/dev/null <"/proc/${pid}/cmdline" | grep -F -e "$2" >/dev/null || return 1
    printf '%s\n' "${pid}"
}
