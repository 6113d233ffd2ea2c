# make demo: the main job, once, on real parts.   make test: everything that must hold.
# Both install or start what they need where they may (root on Debian), and say elsewhere what is missing.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
MAKEFLAGS += --no-print-directory
CARGO := $(shell command -v cargo || echo $(HOME)/.cargo/bin/cargo)
RELEASE := target/release/ai

.PHONY: demo test faults lint bench install release cargo

demo: release
	tests/demo

test: cargo
	bed="$$(tests/bed/up)"
	set -a; eval "$$bed"; AI_REQUIRE=zsh,bash,fish,docker,bed; set +a
	$(MAKE) lint
	$(CARGO) build --quiet
	$(CARGO) test --quiet

# The full set of what `make test` samples: every fault, 100,000 random cases, every mutant. Writes docs/reliability.md.
faults: cargo
	export PATH="$(dir $(CARGO)):$$PATH" AI_REQUIRE=strace
	tests/faults/run

lint: cargo
	$(CARGO) fmt --check
	$(CARGO) clippy --quiet --all-targets -- -D warnings
	tests/lint

bench: release
	tests/bench/run

release: cargo
	$(CARGO) build --release --quiet

install: release
	install -D -m 0755 $(RELEASE) "$${PREFIX:-$$HOME/.local}/bin/ai"

cargo:
	@$(CARGO) --version >/dev/null 2>&1 || { echo "cargo is missing: install Rust 1.88 or newer (rustup, or Debian's package cargo)" >&2; exit 1; }
