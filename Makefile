# The menu. Everything behind it is in Rust, in xtask/ (`cargo xtask --help`).

.DEFAULT_GOAL := menu
.PHONY: menu setup demo dev test chaos bench bench-leases bench-yield bench-desk bench-dashboard simulate lint audit openapi agent-package bench-tray clean-demo rust

# `make demo VIDEO=film.mov` passes these on, those that are given.
$(foreach name,VIDEO PROFILE DETACH RUNS SEED MINUTES UPLOAD_MIB AGENTS HOURS LOAD OPTIONS BUNDLES TRIES,$(if $($(name)),$(eval export $(name))))

menu:
	@echo 'make demo         start everything, encode a video on two engines, watch it in a browser'
	@echo '                    VIDEO=path    a film of yours instead of the test film'
	@echo '                    PROFILE=name  another profile than hls-h264'
	@echo '                    DETACH=1      end when the job is over, 0 if it completed'
	@echo 'make dev          start a server and one engine, for working on Offpeak'
	@echo 'make test         run every test'
	@echo 'make lint         check formatting, lints, types and licences'
	@echo 'make audit        ask what is known against our dependencies (needs the network)'
	@echo 'make bench        compare the system with one plain ffmpeg command (RUNS=3, UPLOAD_MIB=1024)'
	@echo 'make bench-leases  measure leasing on both databases (OPTIONS=--quick: minutes instead of half an hour)'
	@echo 'make bench-yield  measure how fast an engine makes room for its person (TRIES=100)'
	@echo 'make bench-desk   measure what a person notices of an engine that works or waits'
	@echo 'make bench-dashboard  measure how soon the dashboard is there (TRIES=9)'
	@echo 'make chaos        encode while programs die and the network breaks (MINUTES=1.5, SEED=number)'
	@echo 'make simulate     a day of fleets of 10 to 10,000 machines in virtual time (AGENTS=100,1000 HOURS=24 LOAD=0.3 SEED=1)'
	@echo 'make agent-package  an installer of the tray app with engine and ffmpeg in it (BUNDLES=deb,rpm)'
	@echo 'make bench-tray   memory, processor time and wake-ups of the idle tray app with its engine'
	@echo 'make openapi      write openapi/openapi.json and the clients in openapi/sdk anew'
	@echo 'make setup        only install what is missing'
	@echo 'make clean-demo   remove what demos have left behind'

setup demo dev test chaos bench bench-leases bench-yield bench-desk bench-dashboard simulate lint audit openapi agent-package bench-tray clean-demo: rust
	@cargo xtask $@

# What xtask itself needs before it can look after the rest.
rust:
	@command -v cargo >/dev/null || { echo 'error: Rust is missing; install it from https://rustup.rs' >&2; exit 1; }
	@command -v cc >/dev/null || { \
		echo '▸ Installing a C compiler with apt' >&2; \
		if [ "$$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi; \
		{ $$sudo apt-get update -q && $$sudo apt-get install -q -y --no-install-recommends build-essential; } || \
			{ echo 'error: a C compiler (cc) is missing; install one (Debian: build-essential)' >&2; exit 1; }; }
	@[ -n "$$(find "$${CARGO_TARGET_DIR:-target}/debug" -maxdepth 1 -name 'xtask*' 2>/dev/null)" ] || \
		echo '▸ Building the commands behind this menu (once, about a minute)' >&2
