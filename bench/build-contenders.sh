#!/bin/sh
# Builds Caddy and Traefik into the cache of `make bench-wire`, at low priority and on one
# core: about 3 and 11 minutes. Those that are there already are left alone.
set -eu
cache=${WEFT_BENCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/weft-bench}
mkdir -p "$cache/bin"
export GOFLAGS=-p=1 GOMAXPROCS=1 GOBIN="$cache/bin" CGO_ENABLED=0

if [ ! -x "$cache/bin/caddy" ]; then
	nice -n 19 go install -trimpath -ldflags '-s -w' github.com/caddyserver/caddy/v2/cmd/caddy@v2.11.9
fi

if [ ! -x "$cache/bin/traefik" ]; then
	version=3.7.9 # the newest whose modules the public proxy has
	src=$cache/src/traefik-$version
	go mod download "github.com/traefik/traefik/v3@v$version"
	rm -rf "$src"
	mkdir -p "$cache/src"
	cp -r "$(go env GOMODCACHE)/github.com/traefik/traefik/v3@v$version" "$src"
	chmod -R u+w "$src"
	cd "$src"
	# What the module's archive lacks: a nested module, and the dashboard, which is built with npm.
	mkdir -p pkg/config/dynamic/ext webui/static
	printf 'module github.com/traefik/traefik/dynamic/ext\n\ngo 1.26.0\n' >pkg/config/dynamic/ext/go.mod
	printf 'package ext\n\ntype HTTP struct{}\n\ntype Router struct{}\n' >pkg/config/dynamic/ext/ext.go
	echo '<!doctype html><title>no UI</title>' >webui/static/index.html
	GOFLAGS='-p=1 -mod=mod' nice -n 19 go build -trimpath \
		-ldflags "-s -w -X github.com/traefik/traefik/v3/pkg/version.Version=v$version" -o "$cache/bin/traefik" ./cmd/traefik
	cd / && rm -rf "$src"
fi
ls -l "$cache/bin"
