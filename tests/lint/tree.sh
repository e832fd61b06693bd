#!/bin/sh
# Facts about the tree that no tool knows: no path of a developer's machine, no registry's host, nothing left open.
set -eu
cd "$(dirname "$0")/../.."
bad=0
complain() { echo "tree: $1:"; echo "$2"; bad=1; }
found=$(git grep -nIE '(^|[^A-Za-z.])/(work|farm)/' -- . ':!tests/lint/tree.sh' || true)
[ -z "$found" ] || complain "a path of one machine" "$found"
found=$(git grep -nIE '(deb|security|snapshot)\.debian\.org|registry\.npmjs\.org|pypi\.org' -- . ':!tests/lint/tree.sh' || true)
[ -z "$found" ] || complain "the host of a package registry" "$found"
found=$(git grep -nE '\b(TODO|FIXME|XXX|HACK)\b' -- src tests Makefile ':!tests/lint/tree.sh' ':!tests/corpus' || true)
[ -z "$found" ] || complain "left open" "$found"
found=$(git grep -nE '(class|struct) [A-Za-z]*(Manager|Helper|Util|Handler)\b' -- src || true)
[ -z "$found" ] || complain "a name that says nothing" "$found"
for page in man/*.[158]; do
  if command -v mandoc >/dev/null; then
    mandoc -T lint -W warning "$page" >/dev/null 2>"/tmp/mandoc.$$" || { complain "$page" "$(mandoc -T lint -W warning "$page" 2>&1)"; }
    rm -f "/tmp/mandoc.$$"
  fi
done
awk -f man/providers.awk etc/providers.conf | cmp -s - man/mailbearer-providers.5 ||
  complain man/mailbearer-providers.5 "is behind etc/providers.conf; run: make manual"
for script in tests/setup/*.sh tests/*.sh tests/lint/*.sh tests/package/*.sh debian/*.p* debian/tests/smoke .ci/run; do
  [ -f "$script" ] || continue
  case $(head -n 1 "$script") in
    *bash*) bash -n "$script" || bad=1 ;;
    *) sh -n "$script" || bad=1 ;;
  esac
done
exit $bad
