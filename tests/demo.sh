#!/bin/sh
# The demo: real programs send mail through the built sendmail to the simulated Microsoft 365 (mailbearer-sandbox).
#   make demo            or, after make:  sh tests/demo.sh build/bin
# Everything lies in one private temporary folder, which is gone at the end. Exits 1 when something did not arrive
# that should have, or arrived that should not.
set -u

bin=$(cd "${1:-build/bin}" && pwd) || exit 64
here=$(cd "$(dirname "$0")" && pwd) || exit 70
umask 077
LC_ALL=C.UTF-8
export LC_ALL
private=$(mktemp -d "${TMPDIR:-/tmp}/mailbearer-demo.XXXXXX") || exit 73
box=$private/sandbox
maildir=$box/Maildir/new
runtime=/run/user/$(id -u)/mailbearer
wrong=0
part=0
sandbox_pid=

tokens_of_the_host() { ls -A "$runtime" 2>/dev/null; }
before=$(tokens_of_the_host)
clean_up() {
  [ -z "$sandbox_pid" ] || kill "$sandbox_pid" 2>/dev/null
  # The runtime folder may hold the demo's access tokens: what is new there goes.
  for name in $(tokens_of_the_host); do
    case "
$before
" in *"
$name
"*) ;; *) rm -f "$runtime/$name" ;; esac
  done
  [ -n "$before" ] || rmdir "$runtime" 2>/dev/null
  rm -rf "$private"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

say() { printf '%s\n' "$*"; }
fail() {
  say "    WRONG: $*"
  wrong=$((wrong + 1))
}
heading() {
  part=$((part + 1))
  say ''
  say "--- $part. $*"
}

# --- The stage: a simulated Microsoft 365, a home, an account.

mkdir "$box" "$private/home" "$private/programs"
"$bin/mailbearer-sandbox" --directory "$box" --parent-pid $$ >"$private/sandbox.log" 2>&1 &
sandbox_pid=$!
tries=0
until [ -s "$box/sandbox.json" ]; do
  tries=$((tries + 1))
  if [ $tries -gt 200 ] || ! kill -0 "$sandbox_pid" 2>/dev/null; then
    say 'The sandbox does not start:'
    cat "$private/sandbox.log"
    exit 70
  fi
  sleep 0.1
done

# What the sandbox tells of itself, by PHP, which the demo needs anyway.
cat >"$private/fact.php" <<'PHP'
<?php // fact.php FILE NAME...: one member of a JSON file
$value = json_decode(file_get_contents($argv[1]), true);
foreach (array_slice($argv, 2) as $name) $value = $value[$name];
echo $value, "\n";
PHP
cat >"$private/control.php" <<'PHP'
<?php // control.php SANDBOX.JSON WHAT JSON [NAME]: asks the sandbox to do something wrong; prints member NAME of the answer
$facts = json_decode(file_get_contents($argv[1]), true);
$answer = file_get_contents($facts["control"] . "/" . $argv[2], false, stream_context_create([
  "ssl" => ["cafile" => $facts["ca_file"]],
  "http" => ["method" => "POST", "content" => $argv[3],
             "header" => "Authorization: Bearer " . $facts["control_token"] . "\r\nContent-Type: application/json"]]));
if ($answer === false) exit(1);
if (isset($argv[4])) echo json_decode($answer, true)[$argv[4]], "\n";
PHP
cat >"$private/replies.php" <<'PHP'
<?php // replies.php JOURNAL LINES: what the mail server was told and answered since the journal had so many lines
foreach (array_slice(file($argv[1]), (int)$argv[2]) as $line) {
  $event = json_decode($line, true);
  $word = strtoupper(substr($event["event"], 5));
  if (strpos($event["event"], "token.") === 0 && isset($event["outcome"]))
    printf("    %-10s %-44s %s\n", "token", "grant " . substr($event["event"], 6), $event["outcome"]);
  if ($event["event"] === "graph.kept")
    printf("    %-10s %-44s %s\n", "graph", "delivers to", str_replace(" ", ", ", $event["recipients"]));
  if ($event["event"] === "graph.send")
    printf("    %-10s %-44s %s\n", "graph", "POST sendMail, {$event["mailbox"]}", $event["outcome"]);
  if (strpos($event["event"], "smtp.") !== 0 || !isset($event["outcome"])) continue;
  if (!in_array($word, ["AUTH", "MAIL", "RCPT", "DATA", "END"])) continue;
  $said = $event["said"] ?? "";
  if ($word === "AUTH") $said = preg_replace('/ token .*/', ' (a token)', $said);
  $reply = $event["reply"] ?? $event["outcome"];
  printf("    %-10s %-44s %s\n", $word === "END" ? "(message)" : $word, $said, $reply);
}
PHP
fact() { php "$private/fact.php" "$box/sandbox.json" "$@"; }
control() { php "$private/control.php" "$box/sandbox.json" "$@"; }

user=me@sandbox.example
MAILBEARER_CONFIG=$private/home/.config/mailbearer/mailbearer.conf
export MAILBEARER_CONFIG
HOME=$private/home
export HOME
mkdir -p "${MAILBEARER_CONFIG%/*}"
cat >"$MAILBEARER_CONFIG" <<CONF
[mailbearer]
default = work
local_mail_to = $user
state_dir = $private/home/state

[account work]
provider = microsoft
user = $user
rewrite_from = auto
tenant = $(fact tenant domain)
client_id = $(fact users 0 client_id)
; These lead to the sandbox; a real account needs none of them.
token_endpoint = $(fact token_endpoint)
smtp_host = $(fact smtp host)
smtp_port = $(fact smtp starttls_port)
ca_file = $(fact ca_file)
scope = $(fact users 0 scope)
keyring = file
keyring_dir = $private/home/keyring
CONF
# The same mailbox by Microsoft Graph, for tenants that have switched SMTP AUTH off.
graph_config=${MAILBEARER_CONFIG%/*}/graph.conf
cat >"$graph_config" <<CONF
[mailbearer]
default = graph
local_mail_to = $user
state_dir = $private/home/state

[account graph]
provider = microsoft
transport = graph
user = $user
rewrite_from = auto
tenant = $(fact tenant domain)
client_id = $(fact users 0 client_id)
token_endpoint = $(fact token_endpoint)
graph_endpoint = $(fact graph_endpoint)
ca_file = $(fact ca_file)
scope = https://graph.microsoft.com/Mail.Send offline_access
keyring = file
keyring_dir = $private/home/keyring
CONF
fact users 0 refresh_token | "$bin/mailbearer" secret set work refresh-token || exit 70
fact users 0 refresh_token | MAILBEARER_CONFIG=$graph_config "$bin/mailbearer" secret set graph refresh-token || exit 70

# What the callers run: it notes how it was called and how that ended, and is transparent otherwise.
sendmail=$private/programs/sendmail
calls=$private/calls
cat >"$sendmail" <<WRAPPER
#!/bin/sh
{ printf 'sendmail'; printf ' %s' "\$@"; echo; } >>"$calls.argv"
"$bin/sendmail" "\$@" 2>"$calls.line"
code=\$?
cat "$calls.line" >&2
echo "\$code" >>"$calls.codes"
exit \$code
WRAPPER
chmod 700 "$sendmail"

# --- One caller at a time.

begin() {
  : >"$calls.argv"
  : >"$calls.codes"
  : >"$calls.line"
  : >"$private/caller.out"
  journal_lines=$(wc -l <"$box/journal.jsonl")
  ls "$maildir" >"$private/mails.before"
}
new_mails() { ls "$maildir" | comm -13 "$private/mails.before" -; }
new_mail() { # the path of the first one
  set -- $(new_mails)
  printf '%s\n' "${1:+$maildir/}${1:-/dev/null}"
}

# show WANTED-MAILS WANTED-CODE CALLER-STATUS: what happened, and whether it should have.
show() {
  say '  called:'
  sed 's/^\(.\{150\}\).*/\1.../; s/^/    /' "$calls.argv"
  say '  sign-in and provider (command, what was said, reply):'
  php "$private/replies.php" "$box/journal.jsonl" "$journal_lines" | cut -c 1-190
  if [ -s "$calls.line" ]; then
    say '  the line that the caller sees:'
    sed 's/^/    /' "$calls.line"
  fi
  say "  exit codes of sendmail: $(tr '\n' ' ' <"$calls.codes")(the caller ended with $3)"
  count=0
  for name in $(new_mails); do
    count=$((count + 1))
    say "  lies in $maildir/$name ($(wc -c <"$maildir/$name") bytes)"
    sed -n '/^\r$/q; s/\r$//; /^X-Envelope-From:/p; /^X-Envelope-To:/p; /^From:/p; /^Subject:/p' "$maildir/$name" | sed 's/^/    /'
  done
  [ "$count" -eq "$1" ] || fail "$count messages arrived, not $1"
  [ "$(sort -u "$calls.codes")" = "$2" ] || fail "sendmail's exit codes are not $2"
}
line_is() { # the line that the caller sees begins so
  case $(cat "$calls.line") in "sendmail: $1"*) ;; *) fail "the line should begin with: sendmail: $1" ;; esac
}

attachment_of() { # FILE: the bytes of its attachment
  tr -d '\r' <"$1" |
    awk '/^Content-Disposition: attachment/ { found = 1 } found && content && /^--/ { exit } content { print } found && /^$/ { content = 1 }' |
    base64 -d
}

say 'Mailbearer: programs that know nothing of OAuth send mail through it.'
say "Provider: the simulated Microsoft 365 of this build, on 127.0.0.1 port $(fact smtp starttls_port)."
say "Account:  work ($user), signed in with a refresh token, in $MAILBEARER_CONFIG"
say "          and graph, the same mailbox by Microsoft Graph (transport = graph), in $graph_config"
say "Packages that the demo uses: $(sed 's/#.*//' "$here/setup/packages.demo" | tr -s ' \n' ' ')"

# --- The callers: each once by SMTP, and again by Microsoft Graph (transport = graph, and nothing else changes for them).

way= # begins the headings of the second round
nobody_but() { # ADDRESS...: the new mails are for these and for nobody else
  for name in $(new_mails); do sed -n '/^\r$/q; s/\r$//; s/^X-Envelope-To: <\(.*\)>/\1/p' "$maildir/$name"; done |
    sort -u >"$private/got"
  printf '%s\n' "$@" | sort -u | cmp -s - "$private/got" || fail "recipients: $(tr '\n' ' ' <"$private/got")"
  [ -n "$way" ] || return 0
  if [ -n "$(tail -n "+$((journal_lines + 1))" "$box/journal.jsonl" | grep '"event":"smtp')" ]; then fail 'SMTP was used'; fi
}
shall_be_fine() { # CALLER: it ended well
  [ $status -eq 0 ] || { fail "$1 failed:"; cat "$private/caller.out"; }
}

php_with_bcc() {
  heading "${way}PHP mail() with Bcc"
  begin
  php -d sendmail_path="$sendmail -t -i" -r '
    $sent = mail("ann@example.org", "Grüße from PHP", "A body with LF line ends\nand a Bcc.\n",
                 "From: Shop <me@sandbox.example>\r\nBcc: audit@example.org");
    exit($sent ? 0 : 1);'
  status=$?
  show 1 0 "$status"
  shall_be_fine 'mail()'
  nobody_but ann@example.org audit@example.org
  if grep -q '^Bcc' "$(new_mail)"; then fail 'Bcc left with the message'; fi
}

# Nothing of the caller's own git settings has a say.
GIT_CONFIG_NOSYSTEM=1
GIT_CONFIG_GLOBAL=$private/home/.gitconfig
export GIT_CONFIG_NOSYSTEM GIT_CONFIG_GLOBAL
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
git config --file "$GIT_CONFIG_GLOBAL" user.name 'Zoë Dev'
git config --file "$GIT_CONFIG_GLOBAL" user.email "$user"
(
  git init -q -b main "$private/repository" && cd "$private/repository" || exit 1
  printf 'int main() {}\n' >hello.c && git add hello.c && git commit -q -m 'Start' || exit 1
  printf '#include <stdio.h>\n\nint main() { puts("hello"); }\n' >hello.c && git commit -q -a -m 'Say hello' || exit 1
  printf 'all: hello\n' >Makefile && git add Makefile && git commit -q -m 'Build it with make' || exit 1
  git format-patch -q -2 -o patches || exit 1
) || exit 70
git -C "$private/repository" format-patch -q -2 --stdout | grep '^[+-][^+-]' >"$private/patches.sent"
git_series() {
  heading "${way}git send-email, a series of two patches"
  begin
  (
    cd "$private/repository" &&
      git send-email --quiet --confirm=never --suppress-cc=all --from="Zoë Dev <$user>" --envelope-sender="$user" \
        --to=list@example.org --smtp-server="$sendmail" patches/*.patch
  ) >"$private/caller.out" 2>&1
  status=$?
  show 2 0 "$status"
  shall_be_fine 'git send-email'
  nobody_but list@example.org
  for name in $(new_mails); do tr -d '\r' <"$maildir/$name"; done | grep '^[+-][^+-]' >"$private/patches.arrived"
  cmp -s "$private/patches.sent" "$private/patches.arrived" || fail 'the patches changed on their way'
}

cron_job() {
  heading "${way}cron: the output of a job, for two people"
  begin
  printf '%s\n' 'From: root (Cron Daemon)' 'To: ops@example.org,two@example.org' \
    'Subject: Cron <root@vm> /usr/local/bin/backup' 'MIME-Version: 1.0' 'Content-Type: text/plain; charset=UTF-8' \
    'Content-Transfer-Encoding: 8bit' 'X-Cron-Env: <LOGNAME=root>' '' '37 Ordner gesichert, 0 übersprungen' |
    (cd / && env -i PATH=/usr/bin:/bin MAILBEARER_CONFIG="$MAILBEARER_CONFIG" \
      "$sendmail" -FCronDaemon -i -B8BITMIME -oem ops@example.org,two@example.org) >"$private/caller.out" 2>&1
  status=$?
  show 1 0 "$status"
  nobody_but ops@example.org two@example.org
}

cat >"$private/muttrc" <<MUTT
set sendmail="$sendmail -oem -oi"
set from="$user"
set realname="Me Myself"
set use_from=yes
set use_envelope_from=yes
set copy=no
set folder="$private/home"
set header_cache=""
MUTT
mutt_attachment() { # MEGABYTES
  heading "${way}an attachment of $1 MB, by mutt"
  head -c "${1}000000" /dev/urandom >"$private/photos.zip"
  begin
  printf 'Here they are.\n' |
    mutt -n -F "$private/muttrc" -s 'Photos' -a "$private/photos.zip" -- ann@example.org >"$private/caller.out" 2>&1
  status=$?
  show 1 0 "$status"
  shall_be_fine mutt
  nobody_but ann@example.org
  attachment_of "$(new_mail)" >"$private/photos.arrived"
  if cmp -s "$private/photos.zip" "$private/photos.arrived"; then
    say '  the attachment arrived byte for byte'
  else
    fail 'the attachment changed on its way'
  fi
}

php_with_bcc
git_series
cron_job

heading 'mutt in batch mode'
begin
printf 'A line with a lone dot follows.\n.\nAnd this one is still part of the message.\n' |
  mutt -n -F "$private/muttrc" -s 'Lunch?' -c bob@example.org -- ann@example.org >"$private/caller.out" 2>&1
status=$?
show 1 0 "$status"
shall_be_fine mutt
nobody_but ann@example.org bob@example.org
grep -q 'still part of the message' "$(new_mail)" || fail 'the message ended at its dot'

mutt_attachment 20

smtp_config=$MAILBEARER_CONFIG
MAILBEARER_CONFIG=$graph_config
way='by Graph: '
php_with_bcc
git_series
cron_job
mutt_attachment 2
way=
MAILBEARER_CONFIG=$smtp_config

# --- What goes wrong, and what the caller sees then.

heading 'failure: the sign-in is dead (90 days unused); PHP mail() again'
control expire '{"user": "me@sandbox.example", "what": "refresh"}' && control revoke '{"user": "me@sandbox.example", "what": "access"}' ||
  fail 'the sandbox did not obey'
begin
php -d sendmail_path="$sendmail -t -i" -r 'exit(mail("ann@example.org", "Hello", "Hello\n") ? 0 : 1);' 2>"$private/caller.out"
status=$?
show 0 78 "$status"
line_is 'not sent (work): sign-in expired (AADSTS700082, unused for 90 days); run: mailbearer login work'
[ $status -ne 0 ] || fail 'mail() answered true'
say '  cured by a new refresh token: mailbearer secret set work refresh-token'
control issue "{\"user\": \"$user\", \"client_id\": \"$(fact users 0 client_id)\"}" refresh_token |
  "$bin/mailbearer" secret set work refresh-token || fail 'the new token was not taken'

heading 'failure: one of two recipients is refused, so nobody gets it; git send-email again'
begin
(
  cd "$private/repository" &&
    git send-email --quiet --confirm=never --suppress-cc=all --from="$user" --to=list@example.org \
      --to=fault+550-5.1.1@example.org --smtp-server="$sendmail" patches/0001-*.patch
) >"$private/caller.out" 2>&1
status=$?
show 0 67 "$status"
line_is 'not sent (work): server does not know fault+550-5.1.1@example.org; check the address'
[ $status -ne 0 ] || fail 'git send-email took it for a success'

heading "failure: the provider's limit; mutt again"
control limits '{"messages_per_minute": 1}' || fail 'the sandbox did not obey'
begin
printf 'one\n' | mutt -n -F "$private/muttrc" -s 'One' -- ann@example.org >"$private/caller.out" 2>&1 || fail 'the first one should leave'
begin
printf 'two\n' | mutt -n -F "$private/muttrc" -s 'Two' -- ann@example.org >"$private/caller.out" 2>&1
status=$?
show 0 69 "$status"
line_is 'not sent (work): provider limit, 30 messages a minute; try again after 40 s'
[ $status -ne 0 ] || fail 'mutt took it for a success'

heading 'with a real account'
cat <<'REAL'
  1. One command sets the account up, signs you in and sends a test message:

         mailbearer login you@contoso.com                                        (a person)
         sudo mailbearer login --system noreply@contoso.com --app                (a server)

     It needs an application that you or your organisation have registered, and shows how where there is none;
     the steps at each provider: mailbearer help setup microsoft

  2. Point programs at it: mailbearer setup git (mutt, php, symfony, django, cron), or take over
     /usr/sbin/sendmail: make deb, and apt install build/deb/mailbearer-mta_*.deb; or make install-mta

  3. When something is wrong: mailbearer doctor, and mailbearer explain "what the server said"
REAL
say ''
if [ "$wrong" -ne 0 ]; then
  say "The demo FAILED: $wrong things were not as they should be."
  exit 1
fi
say 'All of it was as it should be. Nothing of the demo is left but the packages named above.'
