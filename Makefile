# make demo: the main job, once, on real parts.   make test: everything that must hold.
# Both install or start what they need where they may (root on Debian), and say elsewhere what is missing.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
MAKEFLAGS += --no-print-directory
CARGO := $(shell command -v cargo || echo $(HOME)/.cargo/bin/cargo)
RELEASE := target/release/ai

.PHONY: demo test lint bench faults mutants install release cargo

demo: release
	tests/demo

test: cargo
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

lint: cargo
	$(CARGO) fmt --check
	$(CARGO) clippy --quiet --all-targets --all-features -- -D warnings
	tests/lint

# Against named peers, medians and ratios of one run; writes docs/performance.md.
bench: release
	tests/bench/run

# Every fault at every call, more random cases, mutants of the engine; writes its section of docs/reliability.md.
faults: cargo
	export PATH="$(dir $(CARGO)):$$PATH" AI_REQUIRE=strace
	tests/faults/run

# Shows that the tests can fail: one change to the sources at a time, each must be caught.
mutants: cargo
	bed="$$(tests/bed/up)"
	set -a; eval "$$bed"; set +a
	tests/mutants

# Half of what a dynamically linked program does at its start is being linked, so on Linux this one is linked beforehand,
# where the C library comes in that form. What a machine of any kind runs is otherwise the same. A panic ends the program, so the
# index by which one would unwind is left out.
release: cargo
	host="$$(rustc -vV | sed -n 's/^host: //p')"
	flags=
	if [[ $$host == *-linux-gnu ]] && cc -static -x c -o /dev/null - <<<'int main(void) { return 0; }' 2>/dev/null; then
		flags='-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs -C link-arg=-Wl,--no-eh-frame-hdr'
	fi
	RUSTFLAGS="$$flags" $(CARGO) build --release --quiet --target "$$host"
	cp -f "target/$$host/release/ai" $(RELEASE)

install: release
	install -D -m 0755 $(RELEASE) "$${PREFIX:-$$HOME/.local}/bin/ai"

cargo:
	@$(CARGO) --version >/dev/null 2>&1 || { echo "cargo is missing: install Rust 1.88 or newer (rustup, or Debian's package cargo)" >&2; exit 1; }
