# Two commands: `make demo` shows the assistant at work, `make test` checks it.
# Everything else is a part of one of them, or for those who work on the project.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test train bench faults lint lock clean chromium check-data test-nlu test-app nlu-eval

export RASA_TELEMETRY_ENABLED := false
export TF_CPP_MIN_LOG_LEVEL := 2

APP := .venv/.stamp
NLU := .venv-nlu/.stamp
PYTHON := .venv/bin/python
NLU_PYTHON := .venv-nlu/bin/python -W ignore::DeprecationWarning
COMPILE = uv=$$(scripts/environment --uv) && "$$uv" pip compile --quiet --generate-hashes \
	--no-emit-index-url --no-annotate --no-header

# $(call step,NAME,COMMAND): say what runs, and which one failed.
step = @echo "→ $(1)" && { $(2) || { echo "✗ $(1) failed" >&2; exit 1; }; }

help: ## Show the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 8

demo: $(APP) $(NLU) ## Install, train and start everything on loopback; Ctrl-C stops it
	@.venv/bin/trolydien demo

test: $(APP) $(NLU) chromium lint check-data train test-nlu test-app ## Everything that is checked; ends with pytest's summary

train: $(APP) $(NLU) ## Train the understanding unless its model is up to date
	$(call step,train,.venv/bin/trolydien train)

bench: $(APP) $(NLU) train ## Measure under load
	@$(PYTHON) -m tests.load

faults: $(APP) ## Break things while notices are sent, and count what arrives
	@$(PYTHON) -m tests.faults

nlu-eval: $(APP) $(NLU) train ## Measure the understanding on its test set beside stock Rasa; saves docs/nlu-report.json
	@$(NLU_PYTHON) -m nlu.report

lint: $(APP) ## ruff and mypy
	$(call step,ruff check,.venv/bin/ruff check .)
	$(call step,ruff format,.venv/bin/ruff format --check --exclude '*.md' .)
	$(call step,mypy of the app,.venv/bin/mypy)
	$(call step,mypy of the understanding,.venv/bin/mypy --strict --python-version 3.10 --ignore-missing-imports -p nlu)

check-data: $(NLU)
	$(call step,check of the training data,$(NLU_PYTHON) -m nlu.check_data)

test-nlu: $(NLU) train
	$(call step,pytest of the understanding,$(NLU_PYTHON) -m pytest --confcutdir=tests/nlu tests/nlu)

test-app: $(APP) $(NLU) chromium train
	$(call step,pytest of the app,$(PYTHON) -m pytest -n 2 --ignore=tests/nlu)

chromium:
	@scripts/chromium

lock: ## Rewrite requirements/ from pyproject.toml
	@printf 'setuptools\nuv\n' | { $(COMPILE) --universal --python-version 3.11 -o requirements/tools.txt -; }
	@$(COMPILE) --universal --python-version 3.11 -o requirements/app.txt pyproject.toml
	@$(COMPILE) --universal --python-version 3.11 --group dev -c requirements/app.txt -o requirements/dev.txt pyproject.toml
	@$(COMPILE) --python-version 3.10 --group nlu -o requirements/nlu.txt

clean: ## Remove the environments and caches; .data stays
	rm -rf .venv .venv-nlu .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info

$(APP): requirements/dev.txt requirements/tools.txt pyproject.toml
	@scripts/environment .venv 3.11 requirements/dev.txt
	@uv=$$(scripts/environment --uv) && "$$uv" pip install --quiet --python .venv --no-deps \
		--build-constraints requirements/tools.txt -e .
	@touch $@

$(NLU): requirements/nlu.txt requirements/tools.txt
	@scripts/environment .venv-nlu 3.10 requirements/nlu.txt
	@touch $@
