# Mailbearer. One file, no recursion; the rooms in the order a message walks them (src/ROOMS).
# all · demo · check · check-integration · check-package · bench · fuzz · lint · install · deb · clean
# Variants have their own folder:  make SAN=address,undefined unit-programs
MAKEFLAGS += --no-builtin-rules
# All processors, unless the caller says -j himself.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
endif
SHELL := /bin/sh

# make V=1 shows the whole commands.
Q := $(if $(V),,@)
say := @$(if $(V),:,echo ' ')

ROOMS := base net mail account cli submit queue token transport report walk agent doctor front verb sandbox
VERSION := 0.1.0

# --- Folders. The user may set these and CXXFLAGS, CPPFLAGS, LDFLAGS; what we need ourselves is kept apart.
prefix     ?= /usr/local
sysconfdir ?= /etc
libexecdir ?= $(prefix)/libexec/mailbearer
datadir    ?= $(prefix)/share
mandir     ?= $(datadir)/man
unitdir    ?= $(prefix)/lib/systemd/system
zshdir     ?= $(datadir)/zsh/site-functions
CXX        := $(if $(filter default,$(origin CXX)),g++,$(CXX))
CXXFLAGS   ?= $(if $(SAN),-O1 -g1,-O2 -g)
comma := ,
BUILD ?= build$(if $(SAN),/$(subst $(comma),-,$(SAN)))
# `make lint`, CI and the developers build with warnings as errors; a distribution may say WERROR=.
WERROR ?= -Werror

our_cppflags = -Isrc -D_GNU_SOURCE -DMAILBEARER_VERSION='"$(VERSION)"' \
  -DMAILBEARER_LIBEXEC='"$(libexecdir)"' -DMAILBEARER_DATA='"$(datadir)/mailbearer"' \
  -DMAILBEARER_BIN='"$(prefix)/bin"' -DMAILBEARER_ETC='"$(sysconfdir)/mailbearer"'
warnings = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wformat=2 $(WERROR)
our_cxxflags = -std=c++20 -fPIE -ffunction-sections -fdata-sections $(warnings)
our_ldflags = -pie -Wl,--gc-sections -Wl,--as-needed -Wl,-z,relro -Wl,-z,now
ifdef SAN
our_cxxflags += -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
our_ldflags += -fsanitize=$(SAN)
else
our_cppflags += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -D_GLIBCXX_ASSERTIONS
our_cxxflags += -fstack-protector-strong -fstack-clash-protection -fcf-protection
# sendmail and the agent are started for every message: loading libstdc++ would cost more than all
# of their own start-up (docs/decisions/0002).
static_runtime = -static-libstdc++ -static-libgcc
endif

# --- What each program links beyond our own rooms. The front end links nothing. mail/idn loads
# libidn2.so.0 when it needs it: a package names that dependency itself (docs/decisions/0011).
libs_sendmail           = $(static_runtime)
libs_mailbearer-agent   = $(static_runtime) -lcrypto -lssl -linih
libs_mailbearer-helper  = -lcurl $(shell pkg-config --libs gmime-3.0 libsecret-1 2>/dev/null) -lcrypto
libs_mailbearer         = -lssl -lcrypto -linih -lresolv
libs_mailbearer-sandbox = -lcpp-httplib -lssl -lcrypto
libs_unit = -lcurl $(shell pkg-config --libs gmime-3.0 libsecret-1 2>/dev/null) -lcpp-httplib -lssl -lcrypto -linih -lresolv
cppflags_src/mail/mime_reencode.cpp = $(shell pkg-config --cflags gmime-3.0 2>/dev/null | sed 's/-I/-isystem /g')
cppflags_src/mail/mime_split.cpp = $(cppflags_src/mail/mime_reencode.cpp)
cppflags_src/mail/mime_survey.cpp = $(cppflags_src/mail/mime_reencode.cpp)
cppflags_src/token/secret_service.cpp = $(shell pkg-config --cflags libsecret-1 2>/dev/null | sed 's/-I/-isystem /g')

programs := sendmail mailbearer-agent mailbearer-helper mailbearer mailbearer-sandbox
main_sendmail = sendmail
main_mailbearer-agent = agent
main_mailbearer-helper = helper
main_mailbearer = mailbearer
main_mailbearer-sandbox = sandbox

# A main that is not written yet is not built.
built := $(foreach p,$(programs),$(if $(wildcard src/$(main_$(p)).cpp),$(p)))
sources := $(foreach r,$(ROOMS),$(wildcard src/$(r)/*.cpp)) $(wildcard src/*.cpp)
object = $(patsubst src/%.cpp,$(BUILD)/obj/%.o,$(1))
room_libs = $(foreach r,$(ROOMS),$(if $(wildcard src/$(r)/*.cpp),$(BUILD)/lib/$(r).a))

# The agent lives for one message: its pages cost more than its cycles. Small code, but for the files
# that every byte of a message passes (docs/decisions/0013). A debug build (no -O2) is left alone.
small_rooms := mail token cli report submit transport net
fast_files := $(addprefix src/,mail/read.cpp mail/message.cpp net/stream.cpp net/tls_stream.cpp \
  transport/smtp_data.cpp transport/smtp_content.cpp)
small = $(if $(filter -O2,$(CXXFLAGS)),$(if $(filter $(fast_files),$(1)),,$(if $(filter \
  $(small_rooms),$(word 2,$(subst /, ,$(1)))),-Os)))

# Compiled anew when the flags change, not when this file does.
flags_now = $(CXX) $(our_cppflags) $(CPPFLAGS) $(our_cxxflags) $(CXXFLAGS) small: $(small_rooms)
$(BUILD)/flags: always
	@mkdir -p $(@D)
	@echo '$(flags_now)' | cmp -s - $@ || echo '$(flags_now)' >$@
always: ;
.PHONY: always

all: $(addprefix $(BUILD)/bin/,$(built))

$(BUILD)/obj/%.o: src/%.cpp $(BUILD)/flags
	@mkdir -p $(@D)
	$(say) CXX $<
	$(Q)$(CXX) $(our_cppflags) $(cppflags_$<) $(CPPFLAGS) $(our_cxxflags) $(CXXFLAGS) $(call small,$<) -MMD -MP -c -o $@ $<

define room_rule
$(BUILD)/lib/$(1).a: $$(call object,$$(wildcard src/$(1)/*.cpp))
	@mkdir -p $$(@D)
	@rm -f $$@
	$(Q)$(AR) rcs $$@ $$^
endef
AR ?= ar
$(foreach r,$(ROOMS),$(eval $(call room_rule,$(r))))

# The sandbox is no part of the product: only its own program waits for its room.
program_libs = $(if $(filter mailbearer-sandbox,$(1)),$(room_libs),$(filter-out %/sandbox.a,$(room_libs)))
define program_rule
$(BUILD)/bin/$(1): $(BUILD)/obj/$(main_$(1)).o $$(call program_libs,$(1))
	@mkdir -p $$(@D)
	$$(say) LD $$@
	$$(Q)$$(CXX) $$(our_ldflags) $$(CXXFLAGS) $$(LDFLAGS) -o $$@ $$< -Wl,--start-group $$(call program_libs,$(1)) -Wl,--end-group $$(libs_$(1))
endef
$(foreach p,$(built),$(eval $(call program_rule,$(p))))

# --- Unit tests: one program a room, so that `make unit-mail` builds no more than it needs.
# Catch2 is large: it is read once, and not by each of them.
test_flags = $(our_cppflags) $(CPPFLAGS) -std=c++20 -fPIE -Wall -Wextra $(WERROR) \
  $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -Wno-maybe-uninitialized) -O0 -g1
$(BUILD)/pch/catch.h.gch: tests/unit/catch.h $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CXX) $(test_flags) -w -x c++-header -o $@ $<
$(BUILD)/obj/tests/%.o: tests/unit/%.cpp $(BUILD)/flags $(BUILD)/pch/catch.h.gch
	@mkdir -p $(@D)
	$(say) CXX $<
	$(Q)$(CXX) $(test_flags) $(if $(filter %/main.cpp,$<),,-I$(BUILD)/pch -include catch.h) -Itests/unit -MMD -MP -c -o $@ $<

# A room's tests link it and the rooms it may include (src/ROOMS): an upward call fails to link.
room_needs = $(1) $(shell awk '$$1 == "room" && $$2 == "$(1)" { sub(/^[^:]*:/, ""); sub(/:.*/, ""); print }' src/ROOMS)
unit_libs = $(filter $(foreach r,$(call room_needs,$(1)),$(BUILD)/lib/$(r).a),$(room_libs))
define unit_rule
$(BUILD)/test/$(1): $(BUILD)/obj/tests/main.o $$(patsubst tests/unit/%.cpp,$(BUILD)/obj/tests/%.o,$$(wildcard tests/unit/$(1)_*_test.cpp)) $$(call unit_libs,$(1))
	@mkdir -p $$(@D)
	$$(say) LD $$@
	$$(Q)$$(CXX) $$(our_ldflags) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(libs_unit)
.PHONY: unit-$(1)
unit-$(1): $(BUILD)/test/$(1)
	$(BUILD)/test/$(1) $$(UNIT_ARGS)
endef
tested := $(foreach r,$(ROOMS),$(if $(wildcard tests/unit/$(r)_*_test.cpp),$(r)))
$(foreach r,$(tested),$(eval $(call unit_rule,$(r))))

unit-programs: $(addprefix $(BUILD)/test/,$(tested))

# What is sent to people, and its tests: the sanitizer run of `make check` needs no more.
product: $(addprefix $(BUILD)/bin/,$(filter-out mailbearer-sandbox,$(built))) \
  $(addprefix $(BUILD)/test/,$(filter-out sandbox,$(tested)))

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

.PHONY: all unit-programs product check check-integration demo lint \
  lint-rooms lint-format lint-tidy install clean deps-build deps-check deps-integration deps-demo
.DEFAULT_GOAL := all

# --- What the targets below need from Debian: tests/setup/packages.*
setup = sh tests/setup/install.sh
deps-build: ; $(setup) build
deps-check: ; $(setup) build check
deps-demo: ; $(setup) build demo
deps-integration:
	$(setup) build check integration
	command -v npm >/dev/null || $(setup) bench-node

# The tests that need packages start themselves anew, so that compiler flags see what was just installed.
again = $(MAKE) --no-print-directory

demo: deps-demo
	+$(again) all
	sh tests/demo.sh $(BUILD)/bin

check: deps-check
	+$(again) all unit-programs $(BUILD)/faults/spool_driver
	sh tests/run_check.sh $(BUILD)

check-integration: deps-integration
	+$(again) all
	python3 tests/integration/run.py --bin $(BUILD)/bin

# The real programs against a server that does one thing wrong; FAULTS=--short for a choice of the cases.
# And the queue, killed at every system call and refused every one by the kernel.
check-faults: deps-check
	+$(again) all $(BUILD)/faults/spool_driver
	python3 tests/faults/run.py --bin $(BUILD)/bin $(FAULTS)
	python3 tests/faults/spool.py --driver $(BUILD)/faults/spool_driver $(FAULTS)
spool_rooms := $(foreach r,queue account mail net base,$(BUILD)/lib/$(r).a)
$(BUILD)/faults/spool_driver: tests/faults/spool_driver.cpp $(spool_rooms)
	@mkdir -p $(@D)
	$(say) CXX $@
	$(Q)$(CXX) $(our_cppflags) $(CPPFLAGS) $(our_cxxflags) $(our_ldflags) -O1 -o $@ $< \
	  -Wl,--start-group $(spool_rooms) -Wl,--end-group -lssl -lcrypto -linih
.PHONY: check-faults

# --- Mailbearer beside its peers; BENCH_ONLY="flights cost" for some parts. See tests/bench/run.py.
deps-bench:
	$(setup) build check integration bench
	command -v npm >/dev/null || $(setup) bench-node
$(BUILD)/bench/%: tests/bench/%.cpp
	@mkdir -p $(@D)
	$(say) CXX $@
	$(Q)$(CXX) -std=c++20 -D_GNU_SOURCE $(warnings) -O2 -static-libstdc++ -static-libgcc -o $@ $<
bench: deps-bench
	+$(again) all $(BUILD)/bench/delay_link $(BUILD)/bench/measure
	python3 tests/bench/run.py --bin $(BUILD)/bin --tools $(BUILD)/bench \
	  $(if $(BENCH_ONLY),$(addprefix --only ,$(BENCH_ONLY)),--write docs/benchmarks.md)
.PHONY: bench deps-bench

# --- Lint: the include law, the format, clang-tidy, the scripts, the manual pages.
own_files = $(shell git ls-files 'src/*.cpp' 'src/*.h' 'tests/*.cpp' 'tests/*.h' 2>/dev/null)
own_sources = $(filter src/%.cpp,$(own_files))
lint: deps-check
	+$(again) lint-rooms lint-format lint-own lint-tidy

lint-rooms:
	$(say) ROOMS src
	$(Q)awk -v root=src -f tests/lint/rooms.awk src/ROOMS $(filter src/%,$(own_files))

lint-format:
	$(say) FORMAT src tests
	$(Q)clang-format --dry-run --Werror $(own_files)

lint-own:
	sh tests/lint/rooms_test.sh
	sh tests/lint/tree.sh

# Each source is judged again only when it or a header changed.
tidy = $(patsubst src/%.cpp,$(BUILD)/tidy/%.ok,$(own_sources))
lint-tidy: $(tidy)
$(BUILD)/tidy/%.ok: src/%.cpp .clang-tidy $(wildcard src/*/*.h)
	@mkdir -p $(@D)
	$(say) TIDY $<
	$(Q)clang-tidy --quiet $< -- $(our_cppflags) $(cppflags_$<) -std=c++20 2>$@.log || { cat $@.log; exit 1; }
	@touch $@

# --- Fuzzing with clang's libFuzzer: each target for FUZZ_SECONDS; a finding is left in build/fuzz.
FUZZ_SECONDS ?= 60
fuzzers := $(patsubst tests/fuzz/%_fuzz.cpp,%,$(wildcard tests/fuzz/*_fuzz.cpp))
fuzz: $(addprefix fuzz-,$(fuzzers))
fuzzed_queue = $(if $(filter spool,$(1)),$(addprefix src/queue/,format.cpp frame.cpp notes.cpp notes_read.cpp pack.cpp progress.cpp retry.cpp))
$(BUILD)/fuzz/%: tests/fuzz/%_fuzz.cpp $(wildcard src/base/*.cpp src/mail/*.cpp src/queue/*.cpp)
	@mkdir -p $(@D)
	$(say) FUZZ $@
	$(Q)clang++ -std=c++20 $(our_cppflags) -O1 -g -fsanitize=fuzzer,address,undefined -o $@ $< \
	  $(filter-out src/base/seal.cpp src/base/crypto_library.cpp,$(wildcard src/base/*.cpp)) \
	  $(addprefix src/mail/,address.cpp address_list.cpp address_spec.cpp address_tokens.cpp \
	  envelope.cpp header.cpp message.cpp read.cpp) $(call fuzzed_queue,$*)
fuzz-%: $(BUILD)/fuzz/%
	cd $(BUILD)/fuzz && ./$* -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$*-

# --- Installation. DESTDIR as usual; the links that take mail over are made only by `make install-mta`.
put = install -D -m 644
# Units and the AppArmor profile name the programs where a package puts them.
put_with_paths = install -d $(dir $(2)) && sed -e 's|/usr/libexec/mailbearer|$(libexecdir)|g' -e 's|/usr/bin/|$(prefix)/bin/|g' \
  -e 's|/usr/share/mailbearer|$(datadir)/mailbearer|g' -e 's|/etc/mailbearer/|$(sysconfdir)/mailbearer/|g' $(1) >$(2) && chmod 644 $(2)
units := mailbearer.socket mailbearer.service mailbearer-refresh.timer mailbearer-refresh.service
install: all
	install -d $(DESTDIR)$(prefix)/bin $(DESTDIR)$(libexecdir) $(DESTDIR)$(sysconfdir)/mailbearer/conf.d
	install $(BUILD)/bin/sendmail $(DESTDIR)$(prefix)/bin/mailbearer-sendmail
	install $(BUILD)/bin/mailbearer $(BUILD)/bin/mailbearer-sandbox $(DESTDIR)$(prefix)/bin
	install $(BUILD)/bin/mailbearer-agent $(BUILD)/bin/mailbearer-helper $(DESTDIR)$(libexecdir)
	$(put) etc/providers.conf $(DESTDIR)$(datadir)/mailbearer/providers.conf
	for page in docs/setup-*.md; do $(put) $$page $(DESTDIR)$(datadir)/mailbearer/$$page || exit 1; done
	$(put) etc/mailbearer.conf $(DESTDIR)$(datadir)/doc/mailbearer/examples/mailbearer.conf
	for section in 1 5 8; do for page in man/*.$$section; do name=$${page#man/}; \
	  case $$name in sendmail.8) name=mailbearer-sendmail.8 ;; esac; \
	  $(put) $$page $(DESTDIR)$(mandir)/man$$section/$$name || exit 1; done; done
	$(foreach unit,$(units),$(call put_with_paths,etc/systemd/$(unit),$(DESTDIR)$(unitdir)/$(unit)) &&) true
	$(foreach unit,$(notdir $(wildcard etc/systemd/user/*)),$(call put_with_paths,etc/systemd/user/$(unit),$(DESTDIR)$(prefix)/lib/systemd/user/$(unit)) &&) true
	$(put) etc/systemd/sysusers.conf $(DESTDIR)$(prefix)/lib/sysusers.d/mailbearer.conf
	$(put) etc/systemd/tmpfiles.conf $(DESTDIR)$(prefix)/lib/tmpfiles.d/mailbearer.conf
	$(call put_with_paths,etc/apparmor/mailbearer-agent,$(DESTDIR)$(sysconfdir)/apparmor.d/mailbearer-agent)
	$(put) etc/completions/mailbearer.bash $(DESTDIR)$(datadir)/bash-completion/completions/mailbearer
	$(put) etc/completions/_mailbearer $(DESTDIR)$(zshdir)/_mailbearer
	$(put) etc/completions/mailbearer.fish $(DESTDIR)$(datadir)/fish/vendor_completions.d/mailbearer.fish

# Relative links: they hold in an image that is mounted elsewhere, too.
mta_links:
	install -d $(DESTDIR)$(prefix)/sbin $(DESTDIR)$(prefix)/bin $(DESTDIR)$(prefix)/lib $(DESTDIR)$(mandir)/man1 $(DESTDIR)$(mandir)/man8
	ln -sf ../bin/mailbearer-sendmail $(DESTDIR)$(prefix)/sbin/sendmail
	ln -sf ../bin/mailbearer-sendmail $(DESTDIR)$(prefix)/lib/sendmail
	for name in mailq newaliases; do \
	  ln -sf mailbearer-sendmail $(DESTDIR)$(prefix)/bin/$$name; \
	  ln -sf ../man8/mailbearer-sendmail.8 $(DESTDIR)$(mandir)/man1/$$name.1; done
	ln -sf mailbearer-sendmail.8 $(DESTDIR)$(mandir)/man8/sendmail.8
install-mta: install
	+$(again) mta_links

# The page that is made of data.
manual:
	awk -f man/providers.awk etc/providers.conf >man/mailbearer-providers.5

# --- Debian packages, in build/deb, of the files that git knows. The tests are `make check`; DEB_BUILD_OPTIONS=
# has the unit tests run while the packages are made, as a Debian builder does.
DEB ?= $(BUILD)/deb
deb: deps-package
	rm -rf $(DEB)
	sh tests/package/build.sh $(DEB)
# Packages made, made again, judged, and installed, upgraded, removed and purged in a fresh Debian.
check-package: deps-package
	python3 tests/package/run.py
deps-package: ; $(setup) build package

clean:
	rm -rf $(BUILD)

.PHONY: install-mta mta_links lint-own fuzz manual deb check-package deps-package
