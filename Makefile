# Everything a developer types. `make` alone lists it.

.DEFAULT_GOAL := help
SHELL := /bin/sh

# One uv for all: the one on PATH, else our own copy from PyPI in .tools/.
UV := $(shell command -v uv 2>/dev/null || echo .tools/uv/bin/uv)

# The folder of this file.
HERE := $(shell cd "$$(dirname "$(strip $(MAKEFILE_LIST))")" && pwd)

# What installs takes the files of the locks and no source, for what builds one has no
# hash there; should somebody's settings ask for source, a uv that knows this refuses.
LOCKED := --quiet --require-hashes --only-binary :all:
export UV_REQUIRE_BUILD_HASHES = 1

# Another Home Assistant than the newest, such as RELEASE=2025.1.4; for tests several.
RELEASE :=
RELEASES = $(foreach release,$(RELEASE),--release '$(release)')

# How many processes share the tests: one a core, and no more than this; 0 for none.
WORKERS := 2
SHARED = $(if $(filter 0,$(WORKERS)),,-n auto --maxprocesses $(WORKERS))

# Tests start hundreds of Pythons, which need not compile all packages each time.
test live quick: export PYTHONDONTWRITEBYTECODE =

# `make quick PYTHON=3.14` uses another Python, in an environment of its own.
PYTHON :=
VENV := $(if $(PYTHON),.tools/venv-$(PYTHON),.venv)

# Where Pythons lie that uv or .ci/python-from-debian brought.
BROUGHT := UV_PYTHON_INSTALL_DIR="$(HERE)/.tools/python" \
  PATH="$(if $(PYTHON),$(HERE)/.tools/python/debian-$(PYTHON)/usr/bin:)$$PATH"

.PHONY: help install demo page pictures bench test live quick check docs deploy-check package \
  one-file audit sbom release release-check lock format clean \
  build-HaBridge build-TokenFunction

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/.command ## install the command into .venv, and nothing for developers

demo: .venv/.command ## watch directives switch things in a real Home Assistant
	@.venv/bin/ha-bridge demo $(if $(RELEASE),--release '$(firstword $(RELEASE))')

page: .venv/.installed ## a real Home Assistant as Alexa sees it, in your browser
	@.venv/bin/ha-bridge page --demo

pictures: .venv/.installed ## take the pictures of the page anew, for README and docs
	@.venv/bin/python -m tests.pictures

bench: .venv/.installed ## how fast it is, beside what is usual and what is possible
	@.venv/bin/ha-bridge bench

test: .venv/.installed ## every test, with a real Home Assistant and the real runtime
	@.venv/bin/python -m pytest $(SHARED) $(RELEASES)

live: .venv/.installed ## just the tests with a real Home Assistant; RELEASE=2025.1.4
	@.venv/bin/python -m pytest -m release $(SHARED) $(RELEASES)

quick: $(VENV)/.installed ## the core without Home Assistant and Lambda, in seconds
	@$(VENV)/bin/python -m pytest -q $(SHARED) -m "not live and not runtime and not slow" \
	  --ignore tests/contract/test_package.py tests/unit tests/wire tests/contract

check: .venv/.installed ## format, lint and types; the workflows too
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/check-jsonschema --quiet --builtin-schema vendor.github-workflows \
	  .github/workflows/*.yml
	@.venv/bin/check-jsonschema --quiet --builtin-schema vendor.dependabot \
	  .github/dependabot.yml
	@.venv/bin/check-jsonschema --quiet --builtin-schema vendor.github-issue-config \
	  .github/ISSUE_TEMPLATE/config.yml
	@.venv/bin/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms \
	  .github/ISSUE_TEMPLATE/[!c]*.yml
	@.venv/bin/zizmor --quiet --offline --no-progress --persona pedantic .github
	@for system in win32 darwin; do .venv/bin/mypy --platform $$system \
	  --no-warn-unreachable --cache-dir .mypy_cache/$$system \
	  lambda_function.py token_function.py ha_bridge ha_bridge_ops || exit 1; done

lock: $(filter .tools/%,$(UV)) ## resolve the requirements anew from pyproject.toml
	@$(UV) pip compile --quiet --universal --no-annotate --upgrade --generate-hashes \
	  --group dev pyproject.toml --constraint requirements.txt \
	  --custom-compile-command "make lock" --output-file requirements-dev.txt
	@$(UV) pip compile --quiet --universal --no-annotate --generate-hashes \
	  --group build pyproject.toml --constraint requirements.txt --constraint requirements-dev.txt \
	  --custom-compile-command "make lock" --output-file requirements-command.txt

docs: .venv/.installed ## write the pages that are generated from the code
	@.venv/bin/python -m ha_bridge_ops.reference

format: .venv/.installed ## write the format, and what lint can mend by itself
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

deploy-check: .venv/.installed ## template and package, as SAM and AWS will judge them
	@.venv/bin/python -m ha_bridge_ops.local.sam validate --lint
	@.venv/bin/cfn-lint --regions us-east-1 eu-west-1 us-west-2 -- template.yaml
	@.venv/bin/python -m pytest -q tests/contract/test_template.py \
	  tests/contract/test_package.py tests/aws

package: .venv/.command ## write dist/ha-bridge.zip, for the Lambda console
	@rm -rf dist/package
	@$(MAKE) --no-print-directory build-HaBridge ARTIFACTS_DIR="$(HERE)/dist/package"
	@.venv/bin/python -m ha_bridge_ops.local.package dist/package dist/ha-bridge.zip
	@rm -rf dist/package

audit: .tools/supply/.installed ## ask PyPI what is known against the packages we use
	@for file in requirements.txt requirements-command.txt requirements-dev.txt \
	    ha_bridge_ops/local/locks/builders.txt; do \
	  echo "$$file" >&2; .tools/supply/bin/pip-audit --strict --disable-pip --require-hashes \
	  --progress-spinner off --requirement $$file || exit 1; done

sbom: .tools/supply/.installed dist/ha-bridge.zip ## write dist/ha-bridge.cdx.json: what is in the zip
	@.tools/supply/bin/python .ci/sbom "$$(.venv/bin/python -c \
	  'import ha_bridge; print(ha_bridge.__version__)')" \
	  dist/ha-bridge.zip requirements.txt >dist/ha-bridge.cdx.json
	@echo "dist/ha-bridge.cdx.json" >&2

dist/ha-bridge.zip: package

one-file: .venv/.command ## write dist/lambda_function.py and dist/ha-bridge.yaml
	@.venv/bin/ha-bridge package dist/lambda_function.py
	@.venv/bin/ha-bridge package dist/ha-bridge.yaml

release: package one-file sbom ## write dist/packages for PyPI, and dist/files to attach
	@rm -rf dist/packages dist/files && mkdir -p dist/files
	@.venv/bin/python -m ha_bridge_ops.local.published dist/ha-bridge.zip
	@$(UV) build --quiet --no-build-isolation --python .venv/bin/python --out-dir dist/packages
	@rm -f dist/packages/.gitignore
	@cp dist/ha-bridge.zip dist/lambda_function.py dist/ha-bridge.yaml dist/ha-bridge.cdx.json \
	  dist/files
	@cd dist/files && sha256sum * >SHA256SUMS && cat SHA256SUMS

release-check: check deploy-check release ## all that a release needs and no account has
	@.venv/bin/python -m pytest -q tests/contract
	@cd dist/files && sha256sum --check --quiet SHA256SUMS
	@.venv/bin/python -m zipfile --test dist/ha-bridge.zip >/dev/null
	@git diff --quiet -- ha_bridge_ops/local/published.txt || echo "Now commit \
	ha_bridge_ops/local/published.txt, which has the checksum of this release." >&2

# What `sam build` ships.  SAM runs it in a scratch folder, with any Python.
build-HaBridge:
	@test -n "$(ARTIFACTS_DIR)" || { \
	  echo "This is for SAM: run sam build, or set ARTIFACTS_DIR." >&2; exit 2; }
	@python3 "$(HERE)/ha_bridge_ops/local/build.py" "$(ARTIFACTS_DIR)"

# Both functions have the same package.
build-TokenFunction: build-HaBridge

clean: ## remove all that the other targets made
	rm -rf .venv .tools .aws-sam dist

%/.installed: pyproject.toml requirements-dev.txt $(filter .tools/%,$(UV))
	@echo "Installing into $* (once, some seconds)..." >&2
	@$(BROUGHT) $(UV) venv --quiet --allow-existing \
	  --python "$(if $(filter .venv,$*),>=3.11,$(PYTHON))" $*
	@$(UV) pip sync $(LOCKED) --python $*/bin/python requirements-dev.txt || { \
	  echo "The packages cannot be installed: is PyPI reachable?" >&2; exit 1; }
	@$(UV) pip install --quiet --python $*/bin/python --no-deps --no-build-isolation \
	  --editable . # by the hatchling of the lock file
	@touch $@ $*/.command

.venv/.command: pyproject.toml requirements-command.txt $(filter .tools/%,$(UV))
	@echo "Installing into .venv (once, some seconds)..." >&2
	@$(BROUGHT) $(UV) venv --quiet --allow-existing --python ">=3.11" .venv
	@$(UV) pip install $(LOCKED) --python .venv/bin/python \
	  --requirement requirements-command.txt || { \
	  echo "The packages cannot be installed: is PyPI reachable?" >&2; exit 1; }
	@$(UV) pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation \
	  --editable .
	@touch $@

.tools/supply/.installed: .ci/supply.txt $(filter .tools/%,$(UV))
	@$(UV) venv --quiet --clear --python ">=3.11" .tools/supply
	@$(UV) pip sync $(LOCKED) --python .tools/supply/bin/python .ci/supply.txt
	@touch $@

.tools/uv/bin/uv:
	@echo "Fetching uv, the package installer, into .tools (once)..." >&2
	@python3 -m venv .tools/uv || { rm -rf .tools/uv; \
	  echo "python3 cannot make virtual environments: install python3-venv, or uv." >&2; exit 1; }
	@.tools/uv/bin/pip install $(LOCKED) --disable-pip-version-check --retries 1 \
	  --requirement .ci/uv.txt || { echo "uv cannot be installed: is PyPI reachable? \
	Behind a proxy set HTTPS_PROXY or PIP_INDEX_URL, or install uv yourself." >&2; exit 1; }
