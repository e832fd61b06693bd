#!/bin/sh
# What `make check` runs once everything is built: unit tests, end-to-end tests, and both again with the
# product under ASan and UBSan. Counts all and ends with "N passed, N failed".
set -u
build=$1
passed=0
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

count() { # name, command...
  name=$1
  shift
  echo "== $name"
  "$@" >"$log" 2>&1
  status=$?
  tail -n 40 "$log" | grep -vE '^(=+|)$' | tail -n 12
  # Catch2: "All tests passed (12 assertions in 3 test cases)" or "test cases: 3 | 2 passed | 1 failed".
  good=$(sed -nE 's/.*assertions? in ([0-9]+) test cases?\).*/\1/p; s/^test cases: .* ([0-9]+) passed.*/\1/p; s/^([0-9]+) passed, ([0-9]+) failed$/\1/p' "$log" | tail -n 1)
  wrong=$(sed -nE 's/^test cases: .* ([0-9]+) failed.*/\1/p; s/^([0-9]+) passed, ([0-9]+) failed$/\2/p' "$log" | tail -n 1)
  good=${good:-0}
  wrong=${wrong:-0}
  if [ "$status" -ne 0 ] && [ "$wrong" -eq 0 ]; then wrong=1; fi
  # A test program that ran nothing is no success.
  if [ "$status" -eq 0 ] && [ "$good" -eq 0 ]; then echo "$name: no test was run"; wrong=1; fi
  if [ "$wrong" -ne 0 ]; then cat "$log"; fi
  passed=$((passed + good))
  failed=$((failed + wrong))
}

for program in "$build"/test/*; do
  case $program in *.d | *.o) continue ;; esac
  count "unit ${program##*/}" "$program"
done
count "end to end" python3 tests/e2e/run.py --bin "$build/bin" -j 2
count "the queue, killed" python3 tests/faults/spool.py --driver "$build/faults/spool_driver" --short

sanitized=$build/address-undefined
if make --no-print-directory SAN=address,undefined BUILD="$sanitized" -j"$(nproc)" product >"$log" 2>&1; then
  cp "$build/bin/mailbearer-sandbox" "$sanitized/bin/"  # the stage, not what is tested
  for program in "$sanitized"/test/*; do
    case $program in *.d | *.o) continue ;; esac
    count "unit ${program##*/} (ASan, UBSan)" "$program"
  done
  count "end to end (ASan, UBSan)" python3 tests/e2e/run.py --bin "$sanitized/bin" -j 2 --sanitized
else
  cat "$log"
  failed=$((failed + 1))
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
