# `make` alone lists what can be made: the first words of a target's comment, behind `##`.
# test, demo and bench install or start what they need where they may (root on Debian), and say elsewhere what is missing.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
MAKEFLAGS += --no-print-directory
CARGO := $(shell command -v cargo || echo $(HOME)/.cargo/bin/cargo)
RELEASE := target/release/ai

.PHONY: help check demo test tools lint audit bench faults mutants hostile monitoring fuzz install release cargo

help: ## this list
	@echo 'make WHAT, where WHAT is one of'
	sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12

check: cargo ## format, clippy, unit tests, documents: no engine, no network, changes nothing
	$(CARGO) fmt --check
	$(CARGO) clippy --quiet --all-targets --all-features -- -D warnings
	$(CARGO) test --quiet --bin ai
	$(CARGO) test --quiet --test it -- cases:: documents:: formats:: tidy:: transcripts::

demo: release ## the main job, once, on real parts
	tests/demo

test: cargo ## everything that must hold, with a real engine and the real tools
	bed="$$(tests/bed/up programs busybox tools podman)"
	# A machine may forbid user namespaces: then the bed says why, and the tests that need them say that they are skipped.
	rootless="$$(tests/bed/up rootless)" || true
	set -a; eval "$$bed"; eval "$$rootless"; AI_REQUIRE=zsh,bash,fish,docker,bed,python3,strace; set +a
	$(MAKE) lint
	if $(CARGO) nextest --version >/dev/null 2>&1; then
		$(CARGO) nextest run --cargo-quiet --features faults
	else
		$(CARGO) test --quiet --features faults
	fi

# Downloads five programs of some hundred MiB, which `make test` does without.
tools: cargo ## the tools that are added by a word, as real programs; writes docs/tools.md
	bed="$$(tests/bed/up programs tools)"
	set -a; eval "$$bed"; set +a
	$(CARGO) build --quiet
	tests/tools

lint: cargo ## format, clippy, shell text, dependencies, licences
	$(CARGO) fmt --check
	$(CARGO) clippy --quiet --all-targets --all-features -- -D warnings
	PATH="$(dir $(CARGO)):$$PATH" tests/lint

audit: cargo ## known vulnerabilities, licences, sources of what we depend on; needs a network
	PATH="$(dir $(CARGO)):$$PATH" tests/audit

# Medians and ratios of one run.
bench: release ## times against named peers; writes docs/performance.md
	tests/bench/run

# Every fault at every call, more random cases, mutants of the engine; writes its section of docs/reliability.md.
faults: cargo ## settings under faults at every call; writes docs/reliability.md
	export PATH="$(dir $(CARGO)):$$PATH" AI_REQUIRE=strace
	tests/faults/run

# Shows that the tests can fail: one change to the sources at a time, each must be caught.
mutants: cargo ## shows that the tests can fail
	bed="$$(tests/bed/up)"
	set -a; eval "$$bed"; set +a
	tests/mutants

hostile: cargo ## attacks on the border, each as often as it takes; writes docs/hostile.md
	bed="$$(tests/bed/up)"
	set -a; eval "$$bed"; set +a
	PATH="$(dir $(CARGO)):$$PATH" AI_HOSTILE=full tests/hostile/run

monitoring: cargo ## rules, routes and counters in Prometheus' own programs, until an alert arrives
	$(CARGO) build --quiet
	tests/monitoring target/debug/ai

fuzz: cargo ## the fuzzer at every parser of hostile bytes, a minute each
	PATH="$(dir $(CARGO)):$$PATH" tests/fuzz

# Half of what a dynamically linked program does at its start is being linked, so on Linux this one is linked beforehand,
# where the C library comes in that form. What a machine of any kind runs is otherwise the same. A panic ends the program, so the
# tables by which one would unwind are left out; functions of the same code are one, where the linker can do that, and code that
# stands in many places is a function where that saves 13 bytes and more (LLVM's outliner; for less it makes loops slow).
# A home is what HOME says: the C library's search for another one (getpwuid_r, here a function that never returns 0, so nothing is
# found) would need modules of the system's, which a program linked like this cannot load, and weighs 90 kB.
release: cargo ## target/release/ai
	@echo 'building target/release/ai'
	host="$$(rustc -vV | sed -n 's/^host: //p')"
	mkdir -p target/tmp
	unwinding="$$PWD/target/tmp/unwinding.ld"
	echo 'SECTIONS { /DISCARD/ : { *(.eh_frame) *(.eh_frame_hdr) *(.gcc_except_table*) } } INSERT AFTER .rodata;' > "$$unwinding"
	static='-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs -C link-arg=-Wl,--no-eh-frame-hdr'
	small="$$static -C link-arg=-Wl,-T,$$unwinding -C link-arg=-Wl,--icf=all -C link-arg=-Wl,--defsym=getpwuid_r=getpid"
	outlined="$$small -C llvm-args=-enable-machine-outliner=always -C llvm-args=-machine-outliner-reruns=1"
	outlined="$$outlined -C llvm-args=-outliner-benefit-threshold=8"
	flags=
	for try in "$$outlined" "$$small" "$$static"; do
		if [[ -z $$flags && $$host == *-linux-gnu ]] && rustc $$try -o target/tmp/probe - <<<'fn main() {}' &>/dev/null; then flags="$$try"; fi
	done
	RUSTFLAGS="$$flags" $(CARGO) build --release --quiet --target "$$host"
	cp -f "target/$$host/release/ai" $(RELEASE)

install: release ## into ~/.local/bin, or PREFIX=DIR
	install -D -m 0755 $(RELEASE) "$${PREFIX:-$$HOME/.local}/bin/ai"

cargo:
	@$(CARGO) --version >/dev/null 2>&1 || { echo "cargo is missing: install Rust 1.88 or newer (rustup, or Debian's package cargo)" >&2; exit 1; }
