# SPDX-License-Identifier: GPL-2.0-or-later
# Test programs. Layers: unit, scenario, golden, bpf, netns, vm, fuzz (smoke), each under tests/LAYER.

# tests/unit mirrors userspace/: DIR_NAME_test.c or NAME_test.c under tests/unit/DIR
# links the folders that DIR may use.
uses_base := base
uses_proto := proto base
uses_policy := policy base
uses_conf := conf policy base
uses_render := render conf policy base
uses_sys := sys base
uses_ipc := ipc sys policy base
uses_proxy := proxy render conf proto policy ipc sys base
uses_scan := scan proto policy ipc sys base
uses_store := store ipc sys policy base
uses_appctl := appctl proto policy base
uses_sluicectl := store ipc sys policy base
uses_roles := render ipc sys policy base
libs_conf := -lconfuse
libs_sys := -lnetfilter_queue -lnftnl -lmnl -lcap-ng -lseccomp
libs_ipc := -lcap-ng -lseccomp
libs_proxy := -lcrypto -lcap-ng -lseccomp
libs_scan := -lclamav -lcrypto -lz -lbrotlidec -lzstd -lcap-ng -lseccomp
libs_store := -ljson-c -lcap-ng -lseccomp
libs_appctl := -lndpi -lcrypto
libs_sluicectl := -ljson-c
libs_roles := -ljson-c -lcap-ng -lseccomp

UNIT_SRC := $(wildcard tests/unit/*/*_test.c)
UNIT_BIN := $(UNIT_SRC:%.c=$(O)/%)

define unit_test
$(O)/$(1:.c=): $(1) $(O)/tests/lib/guard.o $(foreach d,$(uses_$(2)),$(call lib,$(d))) $(O)/.flags
	$$(call say,TEST,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALLCFLAGS) -Wno-missing-prototypes -Itests/lib -MMD -MP $$(ALLLDFLAGS) \
		$$(TEST_CFLAGS) -o $$@ $(1) $$(filter %.o,$$^) \
		-Wl,--start-group $(foreach d,$(uses_$(2)),$(call lib,$(d))) -Wl,--end-group \
		$(libs_$(2)) -lcmocka
endef
$(foreach t,$(UNIT_SRC),$(eval $(call unit_test,$(t),$(notdir $(patsubst %/,%,$(dir $(t)))))))
# These start the real program.
$(filter $(O)/tests/unit/scan/role%,$(UNIT_BIN)): $(O)/libexec/sluice-scan

# llhttp_test holds our parser against the C that node-llhttp installs; without
# the package it skips itself.
ifneq ($(wildcard /usr/share/llhttp/llhttp.c),)
LLHTTP_FLAGS := -DLLHTTP_STRICT_MODE=1 -isystem /usr/share/include/llhttp
$(O)/tests/unit/proto/llhttp_test: private TEST_CFLAGS := -DHAVE_LLHTTP $(LLHTTP_FLAGS)
$(O)/tests/unit/proto/llhttp_test: $(addprefix $(O)/tests/llhttp/,api.o http.o llhttp.o)
$(O)/tests/llhttp/%.o: /usr/share/llhttp/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 -w -fPIE $(LLHTTP_FLAGS) -c -o $@ $<
endif

# A program's own files, without its main().
unit_ctl = $(O)/tests/unit/sluicectl/$(1)_test: $(call objs,$(addprefix userspace/sluicectl/,$(2)))
$(call unit_ctl,apps,amount.c apps.c apps_print.c tally.c options.c when.c)
$(call unit_ctl,events,events.c options.c when.c)
$(call unit_ctl,tally,amount.c tally.c)
unit_roles = $(O)/tests/unit/roles/$(1)_test: $(call objs,$(addprefix userspace/roles/,$(2)))
$(call unit_roles,asked,net/asked.c)
$(call unit_roles,child,sluiced/backoff.c sluiced/output.c sluiced/spawn.c)
$(call unit_roles,conn,sluiced/conn.c)
$(call unit_roles,pairs,net/pairs.c)
$(call unit_roles,pidfile,sluiced/pidfile.c)
$(call unit_roles,request,sluiced/request.c)
$(call unit_roles,resolve_answer,resolve/answer.c)
$(call unit_roles,resolve_cache,resolve/cache.c)
$(call unit_roles,resolve_questions,resolve/cache.c resolve/questions.c)
$(call unit_roles,usage,sluiced/child_msg.c sluiced/conn.c sluiced/inquiry.c sluiced/policy_json.c)

# These start the real role.
$(filter $(O)/tests/unit/store/log_%,$(UNIT_BIN)): | $(O)/libexec/sluice-log

$(O)/tests/lib/%.o: tests/lib/%.c $(O)/.flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLCFLAGS) -Itests/lib -MMD -MP -c -o $@ $<

# Scenario replay: the archives that a relay is linked from, their system calls
# renamed (tests/scenario/calls.c says why), and around them a network of ours.
$(O)/lib/libfake_%.a: $(O)/lib/lib%.a tests/scenario/calls.txt
	$(call say,SYMS,$@)
	$(Q)objcopy --redefine-syms=tests/scenario/calls.txt $< $@
SCENARIO_OBJ := $(patsubst tests/%.c,$(O)/tests/%.o,$(wildcard tests/scenario/*.c))
SCENARIO_LIBS := scenario $(addprefix fake_,$(uses_proxy))
$(call lib,scenario): $(filter-out %/main.o,$(SCENARIO_OBJ))
$(SCENARIO_OBJ): $(O)/tests/%.o: tests/%.c $(O)/.flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLCFLAGS) -Wno-missing-prototypes -MMD -MP -c -o $@ $<
$(O)/tests/scenario/replay: $(O)/tests/scenario/main.o $(foreach d,$(SCENARIO_LIBS),$(call lib,$(d)))
	$(call say,TEST,$@)
	$(Q)$(CC) $(ALLLDFLAGS) -o $@ $(filter %.o,$^) \
		-Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(libs_proxy)

# Helpers of the namespace tests; the golden test of the ruleset uses one too.
$(O)/tests/netns/rules_tool: $(addprefix tests/netns/helpers/,rules_tool.c relay.c relay.h) \
		$(foreach d,conf render policy sys base,$(call lib,$(d))) $(O)/.flags
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLCFLAGS) $(ALLLDFLAGS) -o $@ $(filter %.c,$^) \
		-Wl,--start-group $(filter %.a,$^) -Wl,--end-group -lconfuse -lnftnl -lmnl

# Drives the real sluice-net.
$(O)/tests/netns/net_tool: tests/netns/helpers/net_tool.c \
		$(foreach d,ipc conf policy sys base,$(call lib,$(d))) $(O)/.flags
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLCFLAGS) $(ALLLDFLAGS) -o $@ $(filter %.c,$^) \
		-Wl,--start-group $(filter %.a,$^) -Wl,--end-group -lconfuse -lcap-ng -lseccomp

# Reads the queue and labels by port.
$(O)/tests/netns/label_tool: tests/netns/helpers/label_tool.c \
		$(foreach d,proto render policy sys base,$(call lib,$(d))) $(O)/.flags
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLCFLAGS) $(ALLLDFLAGS) -o $@ $(filter %.c,$^) \
		-Wl,--start-group $(filter %.a,$^) -Wl,--end-group \
		-lnetfilter_queue -lnftnl -lmnl

# Of the resolve role's test: a sluiced that starts that role, and what asks it.
$(O)/tests/netns/sluiced_resolving: tests/netns/helpers/needs_resolver.c \
		$(call objs,$(main_bin/sluiced)) $(foreach d,$(use_bin/sluiced),$(call lib,$(d))) $(O)/.flags
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLCFLAGS) $(ALLLDFLAGS) -o $@ $(filter %.c %.o,$^) \
		-Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(libs_bin/sluiced)
$(O)/tests/netns/resolve_relay: tests/netns/helpers/resolve_relay.c \
		$(foreach d,$(uses_proxy),$(call lib,$(d))) $(O)/.flags
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLCFLAGS) $(ALLLDFLAGS) -o $@ $(filter %.c,$^) \
		-Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(libs_proxy)

$(O)/tests/netns/storm: tests/netns/helpers/storm.c $(O)/.flags
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLCFLAGS) $(ALLLDFLAGS) -o $@ $<

$(O)/tests/netns/flood: tests/netns/helpers/flood.c $(O)/.flags
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLCFLAGS) $(ALLLDFLAGS) -o $@ $<

$(O)/tests/vm/acct_tool: tests/vm/helpers/acct_tool.c $(call lib,sys) $(call lib,base) $(O)/.flags
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLCFLAGS) $(ALLLDFLAGS) -o $@ $(filter %.c,$^) \
		-Wl,--start-group $(filter %.a,$^) -Wl,--end-group -lmnl

$(O)/tests/netns/acct_tool: tests/netns/helpers/acct_tool.c \
		$(foreach d,conf render policy sys base,$(call lib,$(d))) $(O)/.flags
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLCFLAGS) $(ALLLDFLAGS) -o $@ $< \
		-Wl,--start-group $(filter %.a,$^) -Wl,--end-group -lbpf -lmnl

$(O)/tests/netns/ct_tool: tests/netns/helpers/ct_tool.c \
		$(foreach d,render conf sys base,$(call lib,$(d))) $(O)/.flags
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLCFLAGS) $(ALLLDFLAGS) -o $@ $< \
		-Wl,--start-group $(filter %.a,$^) -Wl,--end-group -lmnl

# tests/bpf runs the programs of bpf/ over packets made by hand.
BPF_SRC := $(wildcard tests/bpf/*_test.c)
BPF_BIN := $(BPF_SRC:%.c=$(O)/%)
define bpf_test
$(O)/$(1:.c=): $(1) tests/bpf/rig.c tests/bpf/rig.h $(O)/gen/acct.skel.inc $(call lib,base) \
		$(O)/.flags
	$$(call say,TEST,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALLCFLAGS) $$(ALLLDFLAGS) -pthread -o $$@ $$(filter %.c %.a,$$^) \
		-lbpf -lnetfilter_conntrack -lcmocka
endef
$(foreach t,$(BPF_SRC),$(eval $(call bpf_test,$(t))))

# Prints the table of keys for tests/golden/keys_test.sh.
$(O)/tests/golden/keys_dump: tests/golden/keys_dump.c $(call lib,conf) $(call lib,base) $(O)/.flags
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLCFLAGS) $(ALLLDFLAGS) -o $@ $< $(call lib,conf) $(call lib,base)

## unit: build the unit tests
unit: $(UNIT_BIN)

## scenario: build the scenario replay
scenario: $(O)/tests/scenario/replay

## bpf: build the programs for the kernel and their tests
bpf: $(patsubst bpf/%.bpf.c,$(O)/bpf/%.bpf.o,$(wildcard bpf/*.bpf.c)) $(BPF_BIN)

## check: unit, scenario and golden tests (seconds); what every commit passes
check: all unit scenario
	$(Q)O=$(O) tests/run unit scenario golden

## lint: layout, static analysis, include direction, lengths (errors in CI)
lint:
	$(Q)tools/install-packages build lint
	$(Q)tools/lint

## asan: unit, scenario and namespace tests on a build with ASan and UBSan
asan:
	$(Q)$(MAKE) --no-print-directory O=build/asan SANITIZE=1 all unit scenario
	$(Q)O=build/asan SANITIZE=1 tests/run unit scenario netns

## fuzz: run every fuzz target for FUZZ_SECONDS (default 60) each
fuzz:
	$(Q)tests/fuzz/run $${FUZZ_SECONDS:-60}

## bench: the shared harness on Sluice and its peers (BENCH=path of the harness)
bench: all
	$(Q)tools/install-packages bench
	$(Q)tests/bench/run

.PHONY: unit scenario bpf check lint asan fuzz bench
