#!/bin/sh
# The include law must bite: plants an upward include, a foreign header and a forbidden word in a copy, and sees
# each one refused with file and line; the untouched copy passes.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r "$top/src" "$copy/src"
law() { (cd "$copy" && find src -name '*.cpp' -o -name '*.h' | sort | xargs awk -v root=src -f "$top/tests/lint/rooms.awk" src/ROOMS); }

law >"$copy/out" || { echo "rooms_test: the tree itself is refused:"; cat "$copy/out"; exit 1; }

planted() { # what, file, line to plant, words the refusal must hold
  cp "$copy/$2" "$copy/kept"
  printf '%s\n' "$3" >>"$copy/$2"
  line=$(wc -l <"$copy/$2")
  if law >"$copy/out"; then
    echo "rooms_test: $1 was not noticed"; exit 1
  fi
  grep -qF "$2:$line: $4" "$copy/out" || { echo "rooms_test: $1: wrong words:"; cat "$copy/out"; exit 1; }
  mv "$copy/kept" "$copy/$2"
}
planted "an upward include" src/mail/address.h '#include "transport/deliver.h"' "room 'mail' may not include 'transport'"
planted "a sideways include" src/token/obtain.h '#include "report/tell.h"' "room 'token' may not include 'report'"
planted "a foreign header" src/mail/read.cpp '#include <openssl/evp.h>' "'<openssl/' belongs behind its door"
planted "JSON in the agent's rooms" src/submit/session.cpp '#include <nlohmann/json.hpp>' "'<nlohmann/' belongs behind its door"
planted "an environment variable" src/net/tls.cpp 'const char* x = getenv("X");' "'getenv(' belongs behind its door"
planted "an exception" src/base/text.cpp 'void f() { throw 1; }' "'throw' belongs behind its door"
planted "a shell" src/cli/argv.cpp 'int y = system("x");' "'system(' belongs behind its door"
echo "rooms_test: 7 plants refused"
