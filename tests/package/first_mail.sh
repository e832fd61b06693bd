#!/bin/sh
# In a fresh Debian with our packages and no account: cron's first mail is held by the agent, and one command of the
# administrator delivers it. The agent is started as its unit starts it: by socket activation, as its own user.
set -eu
box=/var/tmp/first-mail
run=/run/mailbearer
cleanup() {
  for pid in ${agent:-} ${cron:-} ${sandbox:-}; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$box" $run/submit.sock $run/control.sock /etc/cron.d/first-mail /etc/mailbearer/mailbearer.conf \
    /etc/mailbearer/providers.conf /var/lib/mailbearer/queue /var/lib/mailbearer/.local /root/.local/share/mailbearer
}
trap cleanup EXIT
within() { # seconds, what, command
  seconds=$1 what=$2
  shift 2
  for _ in $(seq $((seconds * 10))); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    sleep 0.1
  done
  echo "never: $what" >&2
  exit 1
}

systemd-socket-activate -l $run/submit.sock -l $run/control.sock -E PATH=/usr/bin:/bin \
  setpriv --reuid mailbearer --regid mailbearer --clear-groups \
  /usr/libexec/mailbearer/mailbearer-agent --system --foreground &
agent=$!
within 10 "the sockets" test -S $run/control.sock
chmod 666 $run/submit.sock $run/control.sock

printf 'MAILTO=ops@example.org\n@reboot daemon echo it ran\n' >/etc/cron.d/first-mail
chmod 644 /etc/cron.d/first-mail
rm -f /run/crond.reboot /var/run/crond.reboot
/usr/sbin/cron -f &
cron=$!
within 20 "cron's mail in the queue" sh -c 'mailbearer queue list | grep -q "ops@example.org"'
mailbearer status | grep -q 'accounts: none' || { mailbearer status; exit 1; }
echo held

mkdir -m 755 $box
mailbearer-sandbox --directory $box --bind 127.0.0.1 &
sandbox=$!
within 20 "the sandbox" test -s $box/sandbox.json
python3 - $box >/etc/mailbearer/providers.conf <<'PYTHON'
import json, sys
facts = json.load(open(sys.argv[1] + "/sandbox.json"))
app = next(app for app in facts["apps"] if not app["public"])
print(f"""[sandbox]
based_on = microsoft
domains = sandbox.example
client_id = {app["client_id"]}
tenant = {facts["tenant"]["domain"]}
token_endpoint = {facts["token_endpoint"]}
smtp_host = 127.0.0.1
smtp_port = {facts["smtp"]["starttls_port"]}
ca_file = {facts["ca_file"]}""")
open(sys.argv[1] + "/secret", "w").write(app["secret"])
PYTHON
chmod 644 /etc/mailbearer/providers.conf
mailbearer login --system noreply@sandbox.example --app --name site --default --secret-stdin <$box/secret
within 20 "cron's mail at the provider" grep -rqs "it ran" $box/Maildir/new
grep -rlqs "X-Envelope-To: .*ops@example.org" $box/Maildir/new
[ "$(mailq)" = "Mail queue is empty" ]
echo delivered
