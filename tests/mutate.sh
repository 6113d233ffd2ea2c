# shellcheck shell=bash
# For scripts that show that the tests can fail. A mutant is the program with one thing changed, in a copy of the crate; the tests
# that should notice are run against it.
#   only=("$@"); . tests/mutate.sh         the names of the wanted mutants, all if there is none
#   baseline TESTS...                      these must hold without a change
#   mutant NAME FILE PERL TESTS...         changes FILE by the expression PERL; prints a row: name, result, tests that failed
#   summary                                prints how many were caught; fails unless all were
# TESTS are filters of the integration tests, or `unit:FILTER`. An engine is never asked.
# `AI_MUTANTS=look` only looks whether each expression still finds what it changes: a second instead of an hour.

mutants=${PWD}/target/mutants
pristine=${mutants}/pristine
crate=${mutants}/crate
shopt -s extglob
caught=0
missed=0

# The program has the entry by which tests call the sync engine alone.
build() {
    RUSTFLAGS='' cargo "$@" --quiet --features faults --manifest-path "${crate}/Cargo.toml" --target-dir "${mutants}/build"
}

# Makes the copy: the crate as git knows it, with what is not committed yet. Who edits meanwhile disturbs nothing. The integration
# tests are built once and call `ai` by its path: most mutants cost one build of the program alone.
prepare() {
    rm -rf "${pristine}" "${crate}"
    mkdir -p "${pristine}"
    git ls-files --cached --others --exclude-standard -z | xargs -0 cp --parents --no-dereference -t "${pristine}"
    cp -r "${pristine}" "${crate}"
    build test --no-run --test it
    integration=$(find "${mutants}/build/debug/deps" -name 'it-*' -type f -executable -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d ' ' -f 2-)
}

# hold TESTS...: whether they hold. A test that does not end is one that fails.
hold() {
    local filter unit=() those=()
    for filter in "$@"; do
        if [[ ${filter} == unit:* ]]; then unit+=("${filter#unit:}"); else those+=("${filter}"); fi
    done
    local surroundings=(env -u AI_BED_BUSYBOX -u AI_BED_TOOLS -u AI_BED_PODMAN 'AI_REQUIRE=zsh,bash,fish,python3,strace'
        RUSTFLAGS= RUST_BACKTRACE=0 PROPTEST_CASES=64 timeout 600)
    if ((${#unit[@]})); then
        build test --no-run --bin ai || return
        "${surroundings[@]}" cargo test --quiet --features faults --manifest-path "${crate}/Cargo.toml" --target-dir "${mutants}/build" --bin ai -- \
            "${unit[@]}" --format pretty || return
    fi
    if ((${#those[@]})); then
        (cd "${crate}" && "${surroundings[@]}" "${integration}" "${those[@]}") || return
    fi
}

row() {
    printf '%-28s %-9s %s\n' "$@"
}

looks() {
    [[ ${AI_MUTANTS-} == look ]]
}

# has_test FILTER: whether the last word of a filter is a part of a test's name, or a module.
has_test() {
    local name=${1#unit:}
    name=${name%%+(:)}
    name=${name##*:}
    grep -rqE "fn [a-z0-9_]*${name}|mod [a-z_]*${name}[a-z_]*;" tests/it src
}

baseline() {
    if looks; then return; fi
    prepare
    if ! hold "$@" &>"${mutants}/baseline.log"; then
        cat "${mutants}/baseline.log" >&2
        echo "the tests fail without a mutant" >&2
        exit 2
    fi
}

mutant() {
    local name=$1 file=$2 change=$3 log=${mutants}/$1.log failed
    shift 3
    # shellcheck disable=SC2154 # the script that sources this sets it
    [[ ${#only[@]} -eq 0 || " ${only[*]} " == *" ${name} "* ]] || return 0
    if looks; then
        if perl -0pe "${change}" "${file}" | cmp -s - "${file}"; then
            missed=$((missed + 1))
            row "${name}" UNCHANGED "${file}"
        fi
        local filter
        for filter in "$@"; do
            if ! has_test "${filter}"; then
                missed=$((missed + 1))
                row "${name}" UNTESTED "no test has such a name: ${filter}"
            fi
        done
        return
    fi
    perl -0pi -e "${change}" "${crate}/${file}"
    if cmp -s "${pristine}/${file}" "${crate}/${file}"; then
        missed=$((missed + 1))
        row "${name}" UNCHANGED "${file}"
    elif ! build build &>"${log}"; then
        missed=$((missed + 1))
        row "${name}" BROKEN "see ${log}"
    elif hold "$@" &>"${log}"; then
        missed=$((missed + 1))
        if grep -q '^test .* ok$' "${log}"; then row "${name}" SURVIVED "$*"; else row "${name}" UNTESTED "no test has such a name: $*"; fi
    elif failed=$(sed -n 's/^test \([^ ]*\).* \.\.\. FAILED$/\1/p' "${log}" | sort) && [[ -n ${failed} ]]; then
        caught=$((caught + 1))
        row "${name}" caught "$(head -n 3 <<<"${failed}" | paste -sd ' ')$(tail -n +4 <<<"${failed}" | awk 'END { if (NR) printf " and %d more", NR }')"
    else
        missed=$((missed + 1))
        row "${name}" BROKEN "no test failed by name: see ${log}"
    fi
    cp "${pristine}/${file}" "${crate}/${file}"
}

summary() {
    echo "${caught} caught, ${missed} not"
    ((missed == 0))
}

# table: the caught ones of the rows on stdin, for a document.
table() {
    printf '| without or with | noticed by |\n|---|---|\n'
    sed -n 's/^\([a-z0-9-]*\)  *caught  *\(.*\)$/| \1 | \2 |/p; s/^\([a-z0-9-]*\)  *\([A-Z][A-Z]*\)  *.*$/| \1 | **\2** |/p'
}
