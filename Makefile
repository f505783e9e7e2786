# SPDX-License-Identifier: GPL-2.0-or-later
# Sluice. `make help` lists the targets. Everything built goes under $(O).
O      ?= build
V      ?= 0
PREFIX ?= /usr
DESTDIR ?=
CC     ?= gcc

VERSION := $(shell sed -n 's/^\#\# \([0-9][0-9.]*\).*/\1/p' CHANGELOG.md 2>/dev/null | head -1)

WARN   := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	  -Wformat=2 -Wpointer-arith -Wwrite-strings -Wundef
HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fPIE
LDHARDEN := -pie -Wl,-z,relro,-z,now,-z,noexecstack
OPT    ?= -O2 -g
ifdef CI
WARN   += -Werror
endif
ifdef SANITIZE
OPT    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
HARDEN := -fPIE
LDHARDEN := -pie
SANDBOX := off
endif
SANDBOX ?= on
CFLAGS ?=
ALLCFLAGS = -std=gnu11 -D_GNU_SOURCE -Iuserspace -Ikmod -iquote . -I$(O)/gen -DSLUICE_VERSION='"$(or $(VERSION),0)"' \
	$(OPT) $(WARN) $(HARDEN) $(CFLAGS)
ALLLDFLAGS = $(OPT) $(LDHARDEN) -Wl,--as-needed $(LDFLAGS)

ifeq ($(V),0)
Q := @
say = @printf '  %-5s %s\n' $(1) $(2)
else
Q :=
say =
endif

.DEFAULT_GOAL := all
.SUFFIXES:
.DELETE_ON_ERROR:

# --- what is built -----------------------------------------------------------
# A folder of userspace/ becomes one archive; a program is its main file(s), the
# folders it may use (nothing else is linked), and its libraries.
DIRS := base proto policy conf render sys ipc proxy scan store appctl
lib = $(O)/lib/lib$(1).a
objs = $(patsubst userspace/%.c,$(O)/obj/%.o,$(1))
src_base := $(wildcard userspace/base/*.c)
src_sys := $(filter-out userspace/sys/sandbox_%.c,$(wildcard userspace/sys/*.c)) \
	userspace/sys/sandbox_$(SANDBOX).c
$(foreach d,$(filter-out base sys,$(DIRS)),$(eval src_$(d) := $(wildcard userspace/$(d)/*.c)))

PROGRAMS := bin/sluiced bin/sluicectl libexec/sluice-net libexec/sluice-relay \
	libexec/sluice-scan libexec/sluice-log libexec/sluice-app libexec/sluice-resolve

main_bin/sluiced := $(wildcard userspace/roles/sluiced/*.c)
use_bin/sluiced := conf render ipc sys policy base
libs_bin/sluiced := -lconfuse -ljson-c -lcap-ng

main_bin/sluicectl := $(if $(wildcard userspace/sluicectl/main.c),$(wildcard userspace/sluicectl/*.c))
use_bin/sluicectl := store ipc conf render sys policy base
libs_bin/sluicectl := -lconfuse -ljson-c

main_libexec/sluice-net := $(wildcard userspace/roles/net/*.c)
use_libexec/sluice-net := render conf ipc sys policy base
libs_libexec/sluice-net := -lnftnl -lmnl -lcap-ng -lseccomp

main_libexec/sluice-relay := userspace/roles/relay.c
use_libexec/sluice-relay := proxy render conf proto policy ipc sys base
libs_libexec/sluice-relay := -lcrypto -lcap-ng -lseccomp

main_libexec/sluice-scan := userspace/roles/scan.c
use_libexec/sluice-scan := scan proto policy ipc sys base
libs_libexec/sluice-scan := -lclamav -lcrypto -lz -lbrotlidec -lzstd -lcap-ng -lseccomp

main_libexec/sluice-log := $(wildcard userspace/roles/log/*.c)
use_libexec/sluice-log := store ipc sys policy base
libs_libexec/sluice-log := -ljson-c -lcap-ng -lseccomp

main_libexec/sluice-app := $(wildcard userspace/roles/app/*.c)
use_libexec/sluice-app := appctl proto render conf policy ipc sys base
libs_libexec/sluice-app := -lndpi -lcrypto -lbpf -lnetfilter_queue -lnftnl -lmnl -lcap-ng -lseccomp

main_libexec/sluice-resolve := $(wildcard userspace/roles/resolve/*.c)
use_libexec/sluice-resolve := proto ipc sys policy base
libs_libexec/sluice-resolve := -lcares -lcap-ng -lseccomp

BUILT := $(foreach p,$(PROGRAMS),$(if $(wildcard $(main_$(p))),$(O)/$(p)))

## all: build every program into build/bin and build/libexec
all: $(BUILT)

define archive
$(call lib,$(1)): $(call objs,$(src_$(1)))
endef
$(foreach d,$(DIRS),$(eval $(call archive,$(d))))
$(O)/lib/%.a:
	$(call say,AR,$@)
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)ar rcs $@ $(filter %.o,$^)

define program
$(O)/$(1): $(call objs,$(main_$(1))) $(foreach d,$(use_$(1)),$(call lib,$(d)))
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALLLDFLAGS) -o $$@ $$(filter %.o,$$^) \
		-Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $(libs_$(1))
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p))))

$(O)/obj/%.o: userspace/%.c $(O)/.flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLCFLAGS) -MMD -MP -c -o $@ $<

# Pages that ship with the program: config/pages/NAME.html as a C string.
PAGES := $(wildcard config/pages/*.html)
$(O)/gen/pages.inc: $(PAGES) tools/embed-pages
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q)tools/embed-pages $(PAGES) >$@
$(call objs,$(src_render) $(src_conf)): | $(O)/gen/pages.inc

# BPF: bpf/NAME.bpf.c -> NAME.bpf.o -> a header with the object in it, so that
# nothing is read at run time. kernel.h names the kernel's fields that are read;
# the build needs no header and no BTF of the kernel that it will run on.
BPF_CC ?= clang
BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g -Wall -Wextra $(if $(CI),-Werror) \
	-idirafter /usr/include/$(shell $(CC) -print-multiarch)
$(O)/bpf/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/*.h)
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(BPF_CC) $(BPF_CFLAGS) -c -o $@ $<
	$(Q)! command -v llvm-strip >/dev/null || llvm-strip -g $@
$(O)/gen/%.skel.inc: $(O)/bpf/%.bpf.o
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q)PATH=$$PATH:/usr/sbin bpftool gen skeleton $< name $*_bpf >$@
$(call objs,userspace/sys/bpf.c): | $(O)/gen/acct.skel.inc

# Rebuild everything when the flags change.
FLAGS_NOW := $(CC) $(ALLCFLAGS) $(ALLLDFLAGS)
$(O)/.flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' "$$FLAGS_NOW" | cmp -s - $@ || printf '%s\n' "$$FLAGS_NOW" >$@
export FLAGS_NOW
FORCE:

-include $(shell find $(O)/obj $(O)/tests -name '*.d' 2>/dev/null)

# --- tests -------------------------------------------------------------------
include tests/tests.mk

# --- housekeeping ------------------------------------------------------------
## deps: install the Debian packages for building, running and testing (as root)
deps:
	$(Q)tools/install-packages build run test

## kmod: the accounting module for the running kernel, or KVER=VERSION
kmod:
	$(call say,KMOD,$(O)/kmod)
	$(Q)O="$(O)" KVER="$(KVER)" V="$(V)" CI="$(CI)" kmod/build_nfq_ko.sh

## demo: client, gateway and server in namespaces; the main job on real traffic
demo:
	$(Q)tools/install-packages build run test
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) all
	$(Q)tools/demo

## test: install what is missing, build, run every layer this machine can run
test:
	$(Q)tools/install-packages build run test lint vm
	$(Q)tests/run

## install: programs, configuration, pages and man pages under DESTDIR and PREFIX
install: all
	$(call say,INST,$(DESTDIR)$(PREFIX))
	$(Q)tools/install-files "$(O)" "$(DESTDIR)" "$(PREFIX)"

## clean: remove everything built
clean:
	$(Q)rm -rf $(O)

## help: this list
help:
	@sed -n 's/^## \([a-z-]*\): /\1\t/p' $(MAKEFILE_LIST) | sort | \
		awk -F'\t' '{ printf "  make %-10s %s\n", $$1, $$2 }'

.PHONY: all deps kmod demo test install clean help FORCE
