# Each target is one Python command, so a desk without make types that command instead.
PYTHON ?= python3
export PYTHON

.PHONY: demo test test-all lint format
demo test test-all lint format:
	@$(PYTHON) .ci/bootstrap.py $@
