# Each target does what it needs first, Debian packages included; what is done already takes no time.

.PHONY: help setup setup-gpu build demo test examples fuzz bless lint format bench bench-gpu accuracy vscode clean

help:
	@echo "make demo       set up, build, train on MNIST and show the predictions"
	@echo "make test       set up, build, run the tests"
	@echo "make examples   run all examples in full, and write what they print into their READMEs, with new pictures;"
	@echo "                takes about ten minutes; make examples ONLY=\"iris rbf\" does some"
	@echo "make fuzz       run GRAPHS=100 random graphs from SEED=1 on: against the reference, between guard pages, under AddressSanitizer;"
	@echo "                and so many random samples of each op: gradients, shapes, native code"
	@echo "make bless      bring diagnostics and printed forms in test/language up to date"
	@echo "make lint       check style, imports between folders, and what the npm package would contain"
	@echo "make bench      measure against the peaks and floors of this machine, and beside other programs (bench/README.md);"
	@echo "                make bench ONLY=\"W4 W6\" PEERS=pytorch does some; PEERS=none leaves the others out"
	@echo "make bench-gpu  its rows of devices, on the first GPU that works; make bench-gpu DEVICE=webgpu asks for one"
	@echo "make accuracy   measure the largest errors of f32 on a device, as docs/gpu.md has them; make accuracy DEVICE=headlessgl"
	@echo "make vscode     package the extension for Visual Studio Code: editor/vscode/graphc-*.vsix"
	@echo "make setup-gpu  install devices in software, so that no test of a GPU is skipped"
	@echo "make setup | build | format | clean"

setup:
	@command -v node >/dev/null && command -v npm >/dev/null || \
	  { echo "graphc needs Node 20.19 or later, with npm: https://nodejs.org" >&2; exit 1; }
	@node scripts/setup.mjs

setup-gpu: setup
	@node scripts/setup-gpu.mjs

build: setup
	@npm run --silent build

demo: build
	@node dist/examples/demo.js

test: setup
	@npm test --silent

examples: build
	@node scripts/examples.mjs $(ONLY)

GRAPHS ?= 100
SEED ?= 1

fuzz: export GRAPHC_FUZZ_FOLDER ?= $(CURDIR)/fuzz-failures
fuzz: build
	GRAPHC_FUZZ_RUNS=$(GRAPHS) GRAPHC_FUZZ_SEED=$(SEED) npx ava --timeout 60m dist/test/fuzz/fuzz.test.js
	GRAPHC_FUZZ_RUNS=$(GRAPHS) GRAPHC_FUZZ_SEED=$(SEED) npx ava --timeout 60m "dist/test/backends/*-samples.test.js" \
	  dist/test/backends/gpu/samples.test.js dist/test/ops/gradients.test.js dist/test/ops/shapes.test.js dist/test/ops/table.test.js
	node dist/test/backends/guarded.js $(GRAPHS) $(SEED)
	node dist/test/backends/sanitized.js $(GRAPHS) $(SEED)

bless: build
	@npm run --silent bless

lint: build
	@npm run --silent lint

format: setup
	@npm run --silent format

bench: build
	@node dist/bench/main.js $(ONLY) $(if $(PEERS),--peers "$(PEERS)")

bench-gpu: build
	@node dist/bench/gpu.js $(DEVICE)

accuracy: build
	@node dist/test/backends/gpu/accuracy_main.js $(DEVICE)

vscode: build
	@npm run --silent package:vscode

clean:
	rm -rf dist editor/vscode/dist editor/vscode/*.vsix
