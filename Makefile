# tlsfloor: build, run, test. `make help` lists the targets.
#
#   BUILD=dir     where everything built goes (build); a sanitizer's build has a directory of its own below it
#   SANITIZE=...  as in -fsanitize=; used by asan, tsan and fuzz
#   WERROR=       warnings do not end the build
#   V=1           show the commands

VERSION   := 0.1.0
BUILD     ?= build
PREFIX    ?= /usr/local
DESTDIR   ?=
SANITIZE  ?=
COVERAGE  ?=
WERROR    ?= -Werror
FUZZ_SECS ?= 60
SUITES    ?= bookworm trixie
CONF      ?= conf/tlsfloor.ini

MAKEFLAGS += --no-print-directory --no-builtin-rules
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += --jobs=$(shell nproc 2>/dev/null || echo 2)
endif
Q         := $(if $(V),,@)
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
.PHONY: all run test unit e2e demo fuzz asan tsan lint layers bench cover format reference help clean install uninstall \
        test-programs fuzz-programs test-tools lint-tools image image-test deb deb-test compose-test k8s-test fresh-test

# What is installed on this machine: found out once, by the recipe of config.mk, which installs what is missing;
# make then starts over with the file included. It is not needed for the goals that build nothing.
ifneq ($(filter-out help clean format uninstall image image-test deb deb-test compose-test fresh-test,$(or $(MAKECMDGOALS),all)),)
include $(BUILD)/config.mk
endif

LIB_C    := $(wildcard lib/*.c)
PROXY_C  := $(wildcard proxy/*.c)
UNIT_C   := $(wildcard tests/lib/test_*.c tests/proxy/test_*.c)
FUZZ_C   := $(wildcard tests/fuzz/fuzz_*.c)
PARTS_C  := $(filter-out proxy/main.c,$(PROXY_C))
HEADERS  := $(wildcard lib/*.h lib/*.def proxy/*.h proxy/*.def)
C_FILES  := $(LIB_C) $(PROXY_C) $(UNIT_C) $(FUZZ_C) $(wildcard tests/fuzz/replay_main.c tests/bench/*.c)

# FROM=TO: what `make install` puts beside the program, and `make uninstall` takes away; and what belongs to the
# machine's administrator from then on.
SHARE    := $(PREFIX)/share
UNITDIR  ?= $(PREFIX)/lib/systemd/system
ZSHDIR   ?= $(SHARE)/zsh/site-functions
under     = $(foreach file,$(2),$(file)=$(1)/$(notdir $(file)))
DATA     := $(call under,$(UNITDIR),$(wildcard conf/systemd/tlsfloor.*)) \
            $(call under,$(PREFIX)/lib/sysusers.d,conf/sysusers.d/tlsfloor.conf) \
            $(call under,$(PREFIX)/lib/tmpfiles.d,conf/tmpfiles.d/tlsfloor.conf) \
            $(call under,$(SHARE)/man/man5,conf/man/tlsfloor.ini.5) $(call under,$(SHARE)/man/man8,conf/man/tlsfloor.8) \
            conf/completion/tlsfloor.bash=$(SHARE)/bash-completion/completions/tlsfloor \
            conf/completion/_tlsfloor=$(ZSHDIR)/_tlsfloor \
            conf/completion/tlsfloor.fish=$(SHARE)/fish/vendor_completions.d/tlsfloor.fish \
            $(call under,$(SHARE)/tlsfloor,$(wildcard conf/*.schema.json)) \
            conf/grafana/tlsfloor.json=$(SHARE)/tlsfloor/grafana/tlsfloor.json \
            conf/prometheus/tlsfloor.rules=$(SHARE)/tlsfloor/prometheus/tlsfloor.rules \
            $(call under,$(SHARE)/doc/tlsfloor,README.md) $(call under,$(SHARE)/doc/tlsfloor/docker,docker/README.md) \
            $(call under,$(SHARE)/doc/tlsfloor/examples, \
                conf/tlsfloor.ini conf/systemd/tproxy.conf $(wildcard conf/examples/*.*))
SETTINGS := conf/tlsfloor.ini=/etc/tlsfloor/tlsfloor.ini conf/logrotate/tlsfloor=/etc/logrotate.d/tlsfloor

objects   = $(patsubst %.c,$(BUILD)/%.o,$(1))
LIB      := $(BUILD)/libtlsfloor.a
PARTS    := $(BUILD)/proxy.a
LLHTTP   := $(if $(LLHTTP_C),$(BUILD)/llhttp.a)
UNIT     := $(UNIT_C:%.c=$(BUILD)/%)
REPLAY   := $(FUZZ_C:tests/fuzz/fuzz_%.c=$(BUILD)/tests/fuzz/replay_%)
FUZZERS  := $(FUZZ_C:tests/fuzz/fuzz_%.c=$(BUILD)/tests/fuzz/fuzz_%)

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wformat=2 -Wvla -Wpointer-arith -Wstrict-prototypes \
            -Wwrite-strings $(QUIET) $(WERROR)
ifneq ($(SANITIZE),)
MODE     := -O1 -fno-omit-frame-pointer -fsanitize=$(SANITIZE) -fno-sanitize-recover=all
MODE_LD  := -fsanitize=$(SANITIZE)
else ifneq ($(COVERAGE),)
MODE     := -O0 --coverage
MODE_LD  := --coverage
else
MODE     := -O2 -fPIE -ffile-prefix-map=$(CURDIR)=. $(HARDENING)
MODE_LD  := -pie -Wl,-z,relro,-z,now,-z,noexecstack
endif

ALL_CFLAGS  = -std=c11 -D_GNU_SOURCE -g $(MODE) $(DEPS_CFLAGS) -MMD -MP $(CFLAGS)
ALL_LDFLAGS = $(MODE_LD) $(LDFLAGS)
ALL_LIBS    = $(DEPS_LIBS) -lcrypt -lpthread

all: $(BUILD)/tlsfloor ## build the gateway (build/tlsfloor)

run: all ## build and run the gateway on 127.0.0.1:3128 (CONF=conf/tlsfloor.ini)
	$(BUILD)/tlsfloor run -c $(CONF)

test: all test-tools test-programs ## everything that must hold: unit tests, corpora, real clients end to end
	BUILD=$(BUILD) tests/run $(TESTS)

unit: test-tools test-programs ## the unit tests and fuzz corpora only
	BUILD=$(BUILD) tests/run lib proxy fuzz

e2e: all test-tools ## the end-to-end scenarios only
	BUILD=$(BUILD) tests/run e2e

demo: all test-tools ## a stand-in for Microsoft 365, clients old and new, dashboard, report (DEMO="--seconds 60 --stay")
	BUILD=$(BUILD) tests/demo $(DEMO)

fuzz: | $(BUILD)/config.mk ## fuzz each parser for FUZZ_SECS seconds (60); needs clang
	@tests/install-deps.sh lint
	@$(MAKE) BUILD=$(BUILD)/fuzz CC=clang SANITIZE=fuzzer-no-link,address,undefined fuzz-programs
	@tests/fuzz/run $(BUILD)/fuzz $(FUZZ_SECS)

asan: ## the whole suite under AddressSanitizer and UndefinedBehaviorSanitizer
	$(MAKE) BUILD=$(BUILD)/asan SANITIZE=address,undefined test

tsan: ## the tests of proxy/ and the scenarios under ThreadSanitizer
	$(MAKE) BUILD=$(BUILD)/tsan SANITIZE=thread TESTS="proxy e2e" test

lint: lint-tools $(patsubst %,$(BUILD)/lint/%.ok,$(C_FILES) $(filter %.h,$(HEADERS))) $(BUILD)/lint/cppcheck.ok $(BUILD)/lint/scripts.ok ## format, clang-tidy, cppcheck, scripts

layers: $(LIB) ## lib/ must need nothing beyond libc's string functions and llhttp
	@tests/layers $(call objects,$(LIB_C))

bench: all ## side by side with other proxies (BENCH="--only tunnel-rate,block10 --rounds 5")
	tests/bench/run $(BENCH)

cover: ## line coverage of the whole suite, a file a line
	$(MAKE) BUILD=$(BUILD)/cover COVERAGE=1 test
	tests/cover $(BUILD)/cover

format: ## bring every C file into shape
	clang-format -i $(C_FILES) $(wildcard lib/*.h proxy/*.h)

reference: all ## bring the reference in README.md and in conf/man/tlsfloor.ini.5 into step with the program
	$(BUILD)/tlsfloor check --reference > $(BUILD)/reference.md
	sed -i -e '/^<!-- reference -->$$/r $(BUILD)/reference.md' -e '/^<!-- reference -->$$/,/^<!-- \/reference -->$$/{//!d}' README.md
	$(BUILD)/tlsfloor check --reference=man > $(BUILD)/reference.man
	sed -i -e '/^\.\\" reference$$/r $(BUILD)/reference.man' -e '/^\.\\" reference$$/,/^\.\\" end of reference$$/{//!d}' conf/man/tlsfloor.ini.5
	sed -n '/^groups:/,$${s/^./  &/;p}' conf/prometheus/tlsfloor.rules > $(BUILD)/prometheus-rule
	sed -i -e '/^spec:$$/r $(BUILD)/prometheus-rule' -e '/^spec:$$/,$${//!d}' docker/k8s/components/prometheus/prometheus-rule.yaml

install: all ## install into $(DESTDIR)$(PREFIX); what is in $(DESTDIR)/etc is kept as it is (state: /var/lib/tlsfloor)
	install -D -m 755 $(BUILD)/tlsfloor $(DESTDIR)$(PREFIX)/bin/tlsfloor
	@set -e; for pair in $(DATA) $(SETTINGS); do \
	    from=$${pair%%=*}; to=$(DESTDIR)$${pair#*=}; \
	    case $$to in $(DESTDIR)/etc/*) if [ -e $$to ]; then echo "kept $$to"; continue; fi ;; esac; \
	    echo "install $$to"; install -D -m 644 $$from $$to; \
	    sed -i -E -e 's:/usr/bin/tlsfloor:$(PREFIX)/bin/tlsfloor:' \
	        -e 's:^(directory|file) = var/:\1 = /var/lib/tlsfloor/:' $$to; \
	done

uninstall: ## remove what install has put there, but nothing from /etc and /var
	rm -f $(DESTDIR)$(PREFIX)/bin/tlsfloor $(foreach pair,$(DATA),$(DESTDIR)$(lastword $(subst =, ,$(pair))))
	@for dir in $(SHARE)/tlsfloor/grafana $(SHARE)/tlsfloor/prometheus $(SHARE)/tlsfloor \
	    $(SHARE)/doc/tlsfloor/examples $(SHARE)/doc/tlsfloor/docker $(SHARE)/doc/tlsfloor; do \
	    [ ! -d $(DESTDIR)$$dir ] || rmdir --ignore-fail-on-non-empty $(DESTDIR)$$dir; \
	done

image: ## the container image, with docker, podman or buildah (IMAGE="--suite bookworm --platform linux/arm64")
	docker/build-image $(IMAGE)

# exec: a signal that ends make is for these themselves, which then leave nothing behind.
image-test: ## build the image on a base of its own and use it: clients old and new, health, drain; needs root
	BUILD=$(BUILD) exec tests/delivery/image $(IMAGE)

deb: ## the Debian package, below $(BUILD)/deb
	BUILD=$(BUILD) docker/build-deb

deb-test: ## install, start, upgrade and purge the package in bare Debian 12 and 13 roots; needs root
	BUILD=$(BUILD) exec tests/delivery/deb $(SUITES)

compose-test: ## every profile of docker/compose.yaml with a real engine, the demo too; needs root
	BUILD=$(BUILD) exec tests/delivery/compose

k8s-test: all ## check docker/k8s: the API's schemas, what belongs together, the gateway in its pod (needs root)
	@tests/install-deps.sh k8s
	BUILD=$(BUILD) exec tests/delivery/k8s

fresh-test: ## the README's two commands in bare Debian 12 and 13 roots; needs root (SUITES="bookworm trixie")
	BUILD=$(BUILD) exec tests/delivery/fresh $(SUITES)

clean: ## remove everything that was built
	rm -rf $(BUILD)

help: ## this list
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/\1\t\2/p' Makefile | while IFS='	' read -r name text; do \
	    printf '  make %-12s %s\n' "$$name" "$$text"; done

# Which of these flags the compiler takes depends on its age and on the processor.
$(BUILD)/config.mk: Makefile tests/install-deps.sh
	@tests/install-deps.sh build
	@mkdir -p $(@D)
	@tests/configure $(CC) > $@

test-tools: $(BUILD)/test-tools.ok
$(BUILD)/test-tools.ok: tests/install-deps.sh
	@BUILD=$(BUILD) tests/install-deps.sh test
	@mkdir -p $(@D) && touch $@

lint-tools: $(BUILD)/lint-tools.ok
$(BUILD)/lint-tools.ok: tests/install-deps.sh
	@tests/install-deps.sh lint
	@mkdir -p $(@D) && touch $@

$(BUILD)/tlsfloor: $(call objects,$(PROXY_C)) $(LIB) $(LLHTTP)
	@echo '  LD    $@'
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(ALL_LIBS)

# The archives are made anew each time, so that no object of a deleted source stays in them.
$(LIB): $(call objects,$(LIB_C))
$(PARTS): $(call objects,$(PARTS_C))
$(BUILD)/llhttp.a: $(LLHTTP_C:$(LLHTTP_DIR)/%.c=$(BUILD)/llhttp/%.o)
$(LIB) $(PARTS) $(BUILD)/llhttp.a:
	@echo '  AR    $@'
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/%.o: %.c $(BUILD)/config.mk
	@mkdir -p $(@D)
	@echo '  CC    $<'
	$(Q)$(CC) $(ALL_CFLAGS) $(WARNINGS) -DTLSFLOOR_VERSION='"$(VERSION)"' -c -o $@ $<

# The assembler reads these into it, of which the compiler's list of dependencies does not know.
$(BUILD)/proxy/endpoints_builtin.o: $(wildcard conf/m365/*.json)
$(BUILD)/proxy/pac.o: $(wildcard proxy/pac/*.js)
$(BUILD)/proxy/web.o: $(wildcard proxy/web/*)

# Debian 12 has llhttp as C sources only: not ours to warn about.
$(BUILD)/llhttp/%.o: $(LLHTTP_DIR)/%.c $(BUILD)/config.mk
	@mkdir -p $(@D)
	@echo '  CC    $<'
	$(Q)$(CC) $(ALL_CFLAGS) -w -c -o $@ $<

test-programs: $(UNIT) $(REPLAY)
$(call objects,$(UNIT_C)): | $(BUILD)/test-tools.ok
fuzz-programs: $(FUZZERS)

$(BUILD)/tests/lib/test_%: $(BUILD)/tests/lib/test_%.o $(LIB) $(LLHTTP)
	@echo '  LD    $@'
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(ALL_LIBS) -lcmocka

$(BUILD)/tests/proxy/test_%: $(BUILD)/tests/proxy/test_%.o $(PARTS) $(LIB) $(LLHTTP)
	@echo '  LD    $@'
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(ALL_LIBS) -lcmocka

$(BUILD)/tests/fuzz/replay_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay_main.o $(LIB) $(LLHTTP)
	@echo '  LD    $@'
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(ALL_LIBS)

$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(LIB) $(LLHTTP)
	@echo '  LD    $@'
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(ALL_LIBS)

# One stamp a file: only what changed is looked at again. clang-tidy reads what is ours to ship; for tests the
# compiler's own warnings are enough.
$(BUILD)/lint/%.ok: % $(HEADERS) .clang-format .clang-tidy $(BUILD)/lint-tools.ok
	@mkdir -p $(@D)
	@echo '  LINT  $<'
	$(Q)clang-format --dry-run -Werror $<
	$(Q)$(if $(filter lib/%.c proxy/%.c,$<),clang-tidy --quiet $< -- -std=c11 -D_GNU_SOURCE $(DEPS_CFLAGS) \
	    -DTLSFLOOR_VERSION='"$(VERSION)"')
	@touch $@

$(BUILD)/lint/cppcheck.ok: $(LIB_C) $(PROXY_C) $(HEADERS) $(BUILD)/lint-tools.ok
	@mkdir -p $(@D)
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
	    --suppress=missingIncludeSystem --include=/usr/include/$(shell $(CC) -print-multiarch)/sys/queue.h \
	    --error-exitcode=1 -D_GNU_SOURCE -j 2 $(LIB_C) $(PROXY_C)
	@touch $@

SCRIPTS := .ci/run docker/build-image docker/rootfs tests/install-deps.sh tests/configure tests/layers tests/cover tests/fuzz/run conf/completion/tlsfloor.bash tests/e2e/clients/offered.bash \
           tests/delivery/bare-root tests/delivery/compose tests/delivery/fresh docker/demo/client docker/build-deb tests/delivery/boot tests/delivery/deb tests/delivery/deb-story
PYTHON  := tests/run tests/demo docker/demo/office tests/delivery/image tests/delivery/k8s $(wildcard tests/delivery/*.py) $(wildcard tests/*.py tests/lib/*.py tests/e2e/*.py tests/e2e/clients/*.py tests/e2e/harness/[a-z]*.py)
$(BUILD)/lint/scripts.ok: $(SCRIPTS) $(PYTHON) $(BUILD)/lint-tools.ok
	@mkdir -p $(@D)
	shellcheck $(SCRIPTS)
	pyflakes3 $(PYTHON)
	@touch $@

.SECONDARY:
-include $(patsubst %.c,$(BUILD)/%.d,$(C_FILES))
