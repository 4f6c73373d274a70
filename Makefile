# weft: `make help` lists what there is to do.

GO        ?= go
PKG       ?= ./...
FUZZTIME  ?= 30s
BENCH     ?= .
BENCHOUT  ?= bench.txt
UI        := proxy/admin/ui
# Tests of namers with as many names and changes as large installations have.
DISCOVERY := ./naming/k8s ./naming/consul ./naming/etcd ./naming/zk
# Packages whose tests keep the machine busy with real servers: one after the other, and
# not beside tests that measure time.
SERVERS   := naming/k8s|naming/consul|naming/etcd|naming/zk|naming/dns|namerd/store/etcd|namerd/store/consul|namerd/store/zk|namerd/store/k8s|telemetry/prom|telemetry/influx|telemetry/statsd|telemetry/zipkin|telemetry/otlp|internal/servers|internal/uitest|internal/uitools|internal/e2e
# Tests of child processes, in which the race detector would see nothing, and of thousands
# of writers, for which it is too slow.
CHILDREN  := ./internal/conformance ./internal/realclients ./internal/streaming ./internal/soak ./namerd/store/memory ./namerd/store/file
SOAK      ?= 10m
# The race detector needs a C compiler on Linux.
RACE      := $(if $(shell command -v gcc || command -v clang || command -v cc),-race,)
LINT       = $(GO) tool -modfile=tools/go.mod golangci-lint
BENCHSTAT  = $(GO) tool -modfile=tools/go.mod benchstat

.DEFAULT_GOAL := help

.PHONY: help
help: ## print this list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build the static binary bin/weft
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o bin/weft ./cmd/weft

.PHONY: test
test: ## run every test with the race detector, in random order
	$(if $(RACE),,@echo "no C compiler: testing WITHOUT the race detector (install gcc to have it)")
	$(MAKE) tools
	$(GO) vet $(PKG)
ifeq ($(PKG),./...)
	$(GO) test $(RACE) -shuffle=on -timeout 15m $$($(GO) list ./... | grep -vE '/($(SERVERS))$$')
	$(GO) test $(RACE) -shuffle=on -timeout 20m -p 1 $$($(GO) list ./... | grep -E '/($(SERVERS))$$')
else
	$(GO) test $(RACE) -shuffle=on -timeout 20m $(PKG)
endif
	$(if $(filter ./...,$(PKG)),$(if $(RACE),$(MAKE) real))

.PHONY: tools
tools: ## build the programs that tests need: API server, Consul, etcd, CoreDNS, Jaeger, statsd_exporter, conformance suites (once, 20 minutes)
	$(GO) run ./internal/testtool/fetch

.PHONY: real
real: ## run conformance suites, real clients and mixed load against child processes
	$(GO) test -shuffle=on -timeout 15m $(CHILDREN)
	$(GO) test -p 1 -timeout 15m -run Load $(DISCOVERY)
	$(GO) test -timeout 15m -run TestHundredRouters ./internal/e2e

.PHONY: soak
soak: ## run mixed load with dying, paused and returning upstreams for SOAK
	WEFT_SOAK=$(SOAK) $(GO) test -count=1 -v -timeout 0 -run TestMixedLoad ./internal/soak

.PHONY: test-short
test-short: ## run the tests without the race detector and without load tests
	$(GO) test -short $(PKG)

.PHONY: alloc
alloc: ## run the tests that the race detector distorts: allocations, memory and costs of hot paths
	$(GO) test -run 'Alloc|Cost|Memory' . ./balancer ./circuit ./dtab ./naming ./retry ./telemetry ./transport ./propagation ./transport/meshhttp

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME each
	@for pkg in $$($(GO) list $(PKG)); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
	    echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
	  done; \
	done

.PHONY: bench
bench: ## run the benchmarks ten times into BENCHOUT
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -count=10 $(PKG) | tee $(BENCHOUT)
	$(BENCHSTAT) $(BENCHOUT)

# Settings are environment variables: docs/performance.md.
.PHONY: bench-wire
bench-wire: ## compare the proxy with nginx, HAProxy and others, for docs/performance.md (QUICK=1: 3 minutes, else 30)
	cd bench && $(GO) run .

.PHONY: bench-wire-build
bench-wire-build: ## build Caddy and Traefik for bench-wire (once, 15 minutes)
	./bench/build-contenders.sh

.PHONY: pgo
pgo: ## make cmd/weft/default.pgo anew, from which the compiler knows the hot paths (quiet machine, a minute)
	./bench/profile.sh

.PHONY: bench-wire-test
bench-wire-test: ## test the programs of bench-wire
	cd bench && $(GO) vet ./... && $(GO) test ./...

.PHONY: lint
lint: ## run golangci-lint, pinned in tools/go.mod
	$(LINT) run $(PKG)

.PHONY: fmt
fmt: ## format the sources
	$(LINT) fmt

.PHONY: tidy-check
tidy-check: ## fail if go.mod or go.sum are not tidy
	$(GO) mod tidy -diff

.PHONY: golden
golden: ## rewrite the expected output of the datadriven scripts
	$(GO) test ./naming -rewrite
	$(GO) test ./internal/viz -rewrite

.PHONY: examples
examples: ## run every program in examples/
	$(GO) test -count=1 ./examples/...

.PHONY: demo
demo: ## start the demo mesh
	$(GO) run ./cmd/weft demo

.PHONY: ui
ui: ## build the admin pages' scripts and style into proxy/admin/files (needs node)
	cd $(UI) && npm ci --no-audit --no-fund && npm run build

.PHONY: ui-check
ui-check: ## fail if proxy/admin/files is not what proxy/admin/ui makes, and test its modules
	cd $(UI) && npm ci --no-audit --no-fund && npm run check && npm test
	dir=$$(mktemp -d) && (cd $(UI) && npx vite build --logLevel warn --emptyOutDir --outDir $$dir) && diff -r $$dir proxy/admin/files && rm -r $$dir

.PHONY: check
check: lint test alloc tidy-check ## everything that must be green before a commit lands
