# The longer steps are small scripts in tools/: what brings up a bare machine is the same for a
# person and for the build server, which starts .ci/run.

IMAGE ?=
ROUNDS ?= 5
ONLY ?=
LIMIT ?= 60
BEFORE ?=
VENV_PYTHON := .venv/bin/python

# Debian keeps mkudffs where an ordinary user's PATH does not lead.
export PATH := $(PATH):/usr/sbin:/sbin

.PHONY: help setup demo test check lint test-setup lint-setup docs bench install uninstall clean
# One setup at a time may install into .venv.
.NOTPARALLEL:

# Where `make install` puts things, by the GNU standards' names; each can be said on the command
# line, and DESTDIR goes before all of them.
prefix = /usr/local
exec_prefix = $(prefix)
bindir = $(exec_prefix)/bin
libdir = $(exec_prefix)/lib
datarootdir = $(prefix)/share
datadir = $(datarootdir)
mandir = $(datarootdir)/man
man1dir = $(mandir)/man1
bashdir = $(datarootdir)/bash-completion/completions
zshdir = $(datarootdir)/zsh/site-functions
fishdir = $(datarootdir)/fish/vendor_completions.d
systemunitdir = $(prefix)/lib/systemd/system
userunitdir = $(prefix)/lib/systemd/user
udevdir = $(prefix)/lib/udev/rules.d
# The service reads its settings in isomount/ there.
sysconfdir = /etc
# mount(8) looks for helpers here and nowhere else.
helperdir = /sbin
INSTALL_FOLDERS = prefix bindir libdir datadir man1dir bashdir zshdir fishdir systemunitdir userunitdir \
	udevdir sysconfdir helperdir

help:
	@echo "make setup              install what is missing; leaves the command at .venv/bin/isomount"
	@echo "make demo               mount a small sample image, read it, unmount it"
	@echo "make demo IMAGE=path    the same with your own image"
	@echo "make test               lint, then every test"
	@echo "make check              lint, then the quick tests without mounts (under a minute)"
	@echo "make lint               ruff (format and rules) and mypy --strict"
	@echo "                        these two need Python alone: no compiler, no FUSE, no root"
	@echo "make install            for everybody on this machine (prefix=/usr/local, DESTDIR=)"
	@echo "make uninstall          remove what make install put there"
	@echo "make docs               write docs/options.md from the table of options"
	@echo "make bench              measure against every other way to mount (an hour; as root for all)"
	@echo "make bench ROUNDS=3 ONLY=find,tar LIMIT=60"
	@echo "                        fewer rounds, some workloads, seconds until a peer is given up"
	@echo "make bench BEFORE=path  with another checkout of isomount among the peers"
	@echo "make clean              remove .venv and the tools' caches"

setup:
	@tools/setup

test-setup:
	@tools/setup test

lint-setup:
	@tools/setup lint

demo: setup
	@tools/demo "$(IMAGE)"

lint: lint-setup
	@echo "==> lint: ruff and mypy"
	@$(VENV_PYTHON) -m ruff format --check --diff .
	@$(VENV_PYTHON) -m ruff check .
	@$(VENV_PYTHON) -m mypy

test: test-setup lint
	@echo "==> test: parsers, whole images, and what Linux shows of real ones, on every processor"
	@$(VENV_PYTHON) -m pytest -q -n auto tests/unit tests/formats tests/mount/test_parity.py
	@echo "==> test: mounts, the command and desktops, one after the other"
	@$(VENV_PYTHON) -m pytest --ignore tests/mount/test_parity.py tests/mount tests/cli tests/desktop

check: lint
	@echo "==> check: the quick tests"
	@ISOMOUNT_SKIP_TOOLS=1 $(VENV_PYTHON) -m pytest -q -n auto -m "not slow" tests/unit tests/formats

install: setup
	@$(foreach name,DESTDIR $(INSTALL_FOLDERS),$(name)="$($(name))") tools/install install

uninstall:
	@$(foreach name,DESTDIR $(INSTALL_FOLDERS),$(name)="$($(name))") tools/install uninstall

docs: lint-setup
	@$(VENV_PYTHON) -m isomount.cli.docs.reference >docs/options.md

bench:
	@tools/setup bench
	@$(VENV_PYTHON) -m tests.benchmarks --rounds "$(ROUNDS)" --only "$(ONLY)" --limit "$(LIMIT)" \
		--before "$(BEFORE)"

clean:
	rm -rf .venv build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find isomount tests -name __pycache__ -type d -exec rm -rf {} +
