# Set-up, tests and builds. `make test` is everything that must pass.

GO ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
FUZZTIME ?= 30s

LINT := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# Two cores are enough, but not for two of these at a time.
.NOTPARALLEL:

.PHONY: test
test: needs vet lint unit e2e ## everything that must pass

.PHONY: needs
needs: ## install the real programs the tests drive, where they are missing
	@sh e2e/needs.sh

.PHONY: vet
vet:
	$(GO) vet ./...

.PHONY: lint
lint:
	$(LINT) run ./...

.PHONY: unit
unit: ## all packages but e2e under the race detector; fuzz seeds are run too
	$(GO) test -race $$($(GO) list ./... | grep -v '/e2e\(/\|$$\)')

# -count=1: the programs and the binary under test are no inputs that go's test
# cache knows of.
.PHONY: e2e
e2e: ## the built binary with real encoders and players
	$(GO) test -count=1 -timeout=20m ./e2e/...

.PHONY: build
build: ## bin/headwater
	$(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/headwater ./cmd/headwater

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME (30s)
	@set -e; for pkg in $$($(GO) list ./... | grep -v '/e2e\(/\|$$\)'); do \
		targets=$$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); \
		for target in $$targets; do \
			echo "$$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done

.PHONY: clean
clean:
	rm -rf bin

.PHONY: help
help:
	@sed -n 's/^\([a-z0-9]*\):.*## /\1\t/p' $(MAKEFILE_LIST)
