# SPDX-License-Identifier: BSD-2-Clause
# lockscale. `make` builds build/lockscale; `make help` lists what else there is.
# A kernel is one file in kernels/, a lock one header in kernels/locks/: both are found here.

CC = gcc
CXX = g++
BUILD = build
# Lines and functions for debuggers and profilers; all of -g would cost a quarter of the build.
OPTIMISE = -O2 -g1
WARN = -Wall -Wextra -Werror
# More locks and kernels for a special build (see twins below).
EXTRA_LOCKS =
EXTRA_KERNELS =
# -fsanitize=... for a checking build.
SANITIZE =

CPPFLAGS = -D_GNU_SOURCE -Ibench -Ikernels -I. -I$(BUILD)/gen $(addprefix -I,$(EXTRA_LOCKS))
# Where a loop happens to lie must not decide its speed: the smallest, the plain increment, runs at
# half its rate where it straddles two 64-byte blocks.
ALIGN = -falign-functions=64 -falign-loops=64
CFLAGS = -std=gnu17 $(OPTIMISE) $(ALIGN) $(WARN) $(SANITIZE) -pthread
CXXFLAGS = -std=c++17 $(OPTIMISE) $(WARN) $(SANITIZE) -pthread
LDFLAGS = $(SANITIZE) -pthread -Wl,-rpath,'$$ORIGIN/lib' -Wl,--disable-new-dtags
LDLIBS = -lhwloc -lbenchmark -ljansson -lgsl -lgslcblas -lm -ldl \
	$(if $(URCU),-lurcu-cds -lurcu-memb -lurcu-qsbr -lurcu-common) \
	$(if $(CK),-lck)
PREFIX = /usr/local
CLANG_FORMAT = clang-format
MAKEFLAGS += --no-print-directory

# Concurrency Kit's locks want its headers, made for the machine we compile for: those of an x86
# leave out barriers that others need. ThreadSanitizer does not see into their inline assembly.
CK := $(if $(findstring thread,$(SANITIZE)),,$(shell $(CC) $(CPPFLAGS) -E -dM \
	-include ck_spinlock.h -x c /dev/null 2>/dev/null | awk '/ CK_F_SPINLOCK_FAS/ { found = 1 } \
	/ CK_MD_TSO/ { strong = 1 } / __(x86_64|i386)__ / { x86 = 1 } \
	END { if (found && (x86 || !strong)) print "yes" }'))
ifeq ($(CK)$(SANITIZE)$(MAKELEVEL),0)
$(info No ck-* locks: $(CC) finds no <ck_spinlock.h> (libck-dev, ck-devel) for its target.)
endif


# Other people's structures, each where its header is: they are not looked into by ThreadSanitizer.
HAVE = $(if $(findstring thread,$(SANITIZE)),,$(shell echo '\#include <$(1)>' | \
	$(CC) $(CPPFLAGS) -E -x $(or $(2),c) - >/dev/null 2>&1 && echo yes))
URCU := $(call HAVE,urcu/rculfhash.h)
CONCURRENTQUEUE := $(call HAVE,concurrentqueue/concurrentqueue.h,c++)

LOCKS = $(sort $(wildcard kernels/locks/*.h $(addsuffix /*.h,$(EXTRA_LOCKS))))
ifeq ($(CK),)
LOCKS := $(filter-out kernels/locks/ck-%,$(LOCKS))
endif
# Checking builds are for what kernels and structures do: those with many strategies are built with
# few locks there, which are checked with the other kernels.
FEW_LOCKS = mutex ttas mcs combining
CHECKING = $(SANITIZE)
CPPFLAGS += $(if $(CHECKING),-DCHECKING) $(if $(CK),-DHAVE_CK) $(if $(URCU),-DHAVE_URCU) \
	$(if $(CONCURRENTQUEUE),-DHAVE_CONCURRENTQUEUE)
KERNELS = $(sort $(wildcard kernels/*.c $(addsuffix /*.c,$(EXTRA_KERNELS))))
SOURCES = $(sort $(wildcard bench/*.c)) $(KERNELS) $(sort $(wildcard kernels/interpreter/*.c))
# The room for C++: each part where its header is.
SHIMS = $(filter-out $(if $(CONCURRENTQUEUE),,%/moodycamel.cc),$(sort $(wildcard bench/shim/*.cc)))
OBJECTS = $(SOURCES:%.c=$(BUILD)/obj/%.o) $(SHIMS:%.cc=$(BUILD)/obj/%.o)
UNIT = $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
# Those that start threads: what ThreadSanitizer is for.
THREADED = $(shell grep -lE 'team_create|pthread_create|trial_run|interpreter_enter|->operate' tests/unit/test_*.c)
STRESS = $(patsubst tests/stress/%.c,$(BUILD)/tests/stress/%,$(wildcard tests/stress/test_*.c))
HISTORY = $(patsubst tests/history/%.c,$(BUILD)/tests/history/%,$(wildcard tests/history/test_*.c))
EXPLORE = $(addprefix $(BUILD)/tests/explore/,explore explore-structures explore-objects)
GENERATED = $(BUILD)/gen/locks.h $(BUILD)/gen/version.h

.PHONY: all help run quick test bench-peers bench-python check check-format cppcheck shellcheck format bundle install clean \
	tests twins asan tsan clang clang-unit explore test-mutants test-arm64 FORCE

all: $(BUILD)/lockscale $(BUILD)/libnative.so

help:
	@echo "make              build/lockscale"
	@echo "make run          measure this machine with defaults, verdict and charts (< 4 min)"
	@echo "make quick        the same in half a minute, less precise"
	@echo "make test         all tests; the last line counts them"
	@echo "make explore      the programs that try interleavings of every lock and structure"
	@echo "make test-mutants every known way to break a lock is noticed (some minutes)"
	@echo "make test-arm64   the locks' stress test on an emulated ARM processor"
	@echo "make bench-peers  our figures against their targets (both cores, some minutes)"
	@echo "make bench-python the miniature interpreter beside real ones (both cores, some minutes)"
	@echo "make check        format, cppcheck, shellcheck, both compilers"
	@echo "make bundle       one archive that measures on any x86-64 Linux"
	@echo "make install      to PREFIX=$(PREFIX)"
	@echo "make clean"

$(BUILD)/lockscale: $(OBJECTS)
	$(CXX) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# Native work for interpreters that are no part of this program, so never sanitized.
$(BUILD)/libnative.so: kernels/interpreter/native.c kernels/interpreter/native.h
	@mkdir -p $(@D)
	$(CC) $(filter-out $(SANITIZE),$(CPPFLAGS) $(CFLAGS)) -shared -fPIC -o $@ $<

# What is generated is a prerequisite of those that include it alone: a commit changes the version.
$(BUILD)/obj/%.o: %.c | $(GENERATED)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/obj/%.o: %.cc
	@mkdir -p $(@D)
	$(CXX) -Ibench $(CXXFLAGS) -MMD -MP -c -o $@ $<

# The assembler reads it.
$(BUILD)/obj/kernels/wordcount.o: kernels/wordcount.txt
$(BUILD)/obj/kernels/python.o: $(wildcard kernels/interpreter/programs/*.py)

# The list of locks, from the names of their headers. Written anew only if it would differ.
$(BUILD)/gen/locks.h: FORCE
	@mkdir -p $(@D)
	@{ echo '// Generated from the headers in: $(sort $(dir $(LOCKS)))'; \
	for lock in $(LOCKS); do echo "#include \"$$lock\""; done; \
	list() { echo '#define FOR_EACH_LOCK(X, ...) \'; for lock; do \
		echo "	X($$(basename $$lock .h | tr - _), __VA_ARGS__) \\"; done; echo; }; \
	echo '#if defined CHECKING && defined FEW_LOCKS_WHERE_CHECKING'; \
	list $(FEW_LOCKS); echo '#else'; list $(LOCKS); echo '#endif'; } > $@.new; cmp -s $@.new $@ && rm $@.new || mv $@.new $@

$(BUILD)/gen/version.h: FORCE
	@mkdir -p $(@D)
	@{ echo '#define LOCKSCALE_COMMIT "$(shell git describe --always --dirty 2>/dev/null || echo unknown)"'; \
	echo '#define LOCKSCALE_FLAGS "$(strip $(OPTIMISE) $(ALIGN) $(SANITIZE))"'; \
	} > $@.new; cmp -s $@.new $@ && rm $@.new || mv $@.new $@

FORCE:

# Objects of tests are kept: make would end by naming those it removes, after the tests' last line.
.SECONDARY:

# Tests: each test_*.c in tests/unit, tests/history and tests/stress is a program; and the explorer,
# which switches stacks behind a sanitizer's back.
tests: $(UNIT) $(HISTORY) $(STRESS) $(if $(SANITIZE),,$(EXPLORE))

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(filter-out $(BUILD)/obj/bench/main.o,$(OBJECTS))
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

$(HISTORY): $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out tests/history/test_%,$(wildcard tests/history/*.c)))

# Needs nothing but the locks, so that it is cross-built too.
$(BUILD)/tests/stress/test_locks: tests/stress/test_locks.c $(BUILD)/gen/locks.h
	@mkdir -p $(@D) $(BUILD)/obj/tests/stress
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -MMD -MP -MF $(BUILD)/obj/tests/stress/test_locks.d \
		-o $@ $<

# The locks against the explorer's atomics, C library and kernel; their static data in a section
# that it can save and put back.
EXPLORED = $(addprefix $(BUILD)/obj/tests/explore/,scenarios.o structures.o objects.o)
# Structures with a call at each access that is not atomic, for a use after free: calls of
# ThreadSanitizer's names, which the explorer answers.
$(BUILD)/obj/tests/explore/structures.o $(BUILD)/obj/tests/explore/objects.o: \
	CFLAGS += -fsanitize=thread
$(EXPLORED): $(BUILD)/obj/%.o: %.c $(BUILD)/gen/locks.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -Itests/explore -include tests/explore/explore_posix.h \
		'-DLOCKSCALE_ATOMIC="explore_atomic.h"' '-DLOCKSCALE_FUTEX="explore_futex.h"' \
		-MMD -MP -MT $@ -c -o $@.whole $<
	objcopy --rename-section .data=explored --set-section-alignment .bss=4096 \
		--set-section-flags .bss=alloc,load,contents,data \
		--rename-section .bss=explored,alloc,load,contents,data $@.whole $@

$(BUILD)/obj/tests/explore/world.o: CFLAGS += -U_FORTIFY_SOURCE

$(BUILD)/tests/explore/explore: $(BUILD)/obj/tests/explore/scenarios.o
$(BUILD)/tests/explore/explore-structures: $(BUILD)/obj/tests/explore/structures.o
$(BUILD)/tests/explore/explore-objects: $(BUILD)/obj/tests/explore/objects.o
$(EXPLORE): $(addprefix $(BUILD)/obj/tests/explore/,main.o search.o world.o)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^

explore: $(EXPLORE)

# Locks and kernels broken on purpose: each check must catch its own.
twins:
	$(MAKE) BUILD=build/twins CHECKING=yes EXTRA_LOCKS=tests/twins/locks EXTRA_KERNELS=tests/twins/kernels \
		all explore

test-mutants:
	@CC=$(CC) scripts/test-mutants $(MUTANTS)

ARM64_CC = aarch64-linux-gnu-gcc
ARM64_RUN = qemu-aarch64
test-arm64:
	@if command -v $(ARM64_CC) >/dev/null && command -v $(ARM64_RUN) >/dev/null; then \
		$(MAKE) CC=$(ARM64_CC) BUILD=build/arm64 \
			LOCKS="$(filter-out kernels/locks/ck-%,$(LOCKS))" \
			LDFLAGS="-pthread -static" build/arm64/tests/stress/test_locks && \
		LOCKSCALE_STRESS_MS=100 $(ARM64_RUN) build/arm64/tests/stress/test_locks; \
	else \
		echo "make test-arm64 needs gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user"; \
	fi

# The program that compares our figures with their targets.
$(BUILD)/bench-peers: $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard bench/peers/*.c)) \
	$(filter-out $(BUILD)/obj/bench/main.o,$(OBJECTS))
	$(CXX) $(LDFLAGS) -o $@ $^ $(LDLIBS)

asan:
	$(MAKE) BUILD=build/asan OPTIMISE="-O1 -g1" \
		SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=all" all tests

tsan:
	$(MAKE) BUILD=build/tsan OPTIMISE="-O1 -g1" SANITIZE=-fsanitize=thread \
		EXTRA_LOCKS=tests/twins/locks EXTRA_KERNELS=tests/twins/kernels \
		UNIT='$(THREADED:tests/unit/%.c=build/tsan/tests/unit/%)' all tests

# Atomics as this compiler makes them, and its opinion of the other tests' sources.
clang:
	$(MAKE) BUILD=build/clang CC=clang CXX=clang++ UNIT= all tests clang-unit
clang-unit: | $(GENERATED)
	$(CC) $(CPPFLAGS) $(CFLAGS) -fsyntax-only $(wildcard tests/unit/test_*.c)

test: all tests twins asan tsan clang
	@scripts/run-tests build

# A folder whose name tells when it was made, in one place for both commands.
run quick: all
	@dir=results/$$(uname -n)-$$(date +%Y%m%d-%H%M%S); status=0; \
	$(BUILD)/lockscale run --standard $(if $(filter quick,$@),--quick) --output "$$dir" || status=$$?; \
	if [ $$status -le 1 ]; then $(BUILD)/lockscale report --quiet "$$dir" || status=1; fi; \
	exit $$status

bench-peers: all $(BUILD)/bench-peers
	@$(BUILD)/bench-peers $(BUILD)/lockscale build/bench-peers.tsv

bench-python: all $(BUILD)/bench-peers
	@$(BUILD)/bench-peers $(BUILD)/lockscale build/bench-python.tsv python

FORMATTED = $(wildcard bench/*.[ch] bench/*/*.[ch] bench/*/*.cc \
	kernels/*.[ch] kernels/locks/*.h kernels/structures/*.h kernels/interpreter/*.[ch] tests/unit/*.[ch] tests/stress/*.[ch] \
	tests/explore/*.[ch] tests/history/*.[ch] tests/twins/*/*.[ch])
SHELL_SCRIPTS = $(filter-out %.awk %.d,$(wildcard scripts/*)) .ci/run

check-format:
	$(CLANG_FORMAT) --dry-run -Werror $(FORMATTED)

format:
	$(CLANG_FORMAT) -i $(FORMATTED)

check: check-format cppcheck shellcheck clang

shellcheck:
	shellcheck $(SHELL_SCRIPTS)

cppcheck: $(GENERATED)
	cppcheck -q --std=c11 --error-exitcode=1 --inline-suppr \
		--enable=warning,performance,portability \
		-D__x86_64__ -D_GNU_SOURCE --include=tests/cppcheck.h \
		-Ibench -Ikernels -I$(BUILD)/gen bench kernels

bundle: all
	scripts/bundle $(BUILD) $(BUILD)/lockscale-bundle.tar.gz

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/lockscale/plots \
		$(DESTDIR)$(PREFIX)/share/lockscale/scripts
	install $(BUILD)/lockscale $(DESTDIR)$(PREFIX)/bin/
	install -m 644 plots/* $(DESTDIR)$(PREFIX)/share/lockscale/plots/
	install scripts/chart $(DESTDIR)$(PREFIX)/share/lockscale/scripts/

clean:
	rm -rf build

-include $(OBJECTS:.o=.d) $(UNIT:$(BUILD)/%=$(BUILD)/obj/%.d) $(STRESS:$(BUILD)/%=$(BUILD)/obj/%.d) \
	$(wildcard $(BUILD)/obj/tests/explore/*.d $(BUILD)/obj/tests/history/*.d)
