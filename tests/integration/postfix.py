"""A private Postfix: own configuration, queue and data folders, several submission doors on random
loopback ports, everything delivered to the rig's LMTP sink. Nothing about a message is changed on the
way but for Postfix's own Received field. Needs root and the user postfix. Owns: one folder, the master.
"""

import itertools
import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import time

# Doors that differ in what EHLO offers. Each worker of the corpus has doors of its own besides.
DISCARD = {
    "no-8bitmime": "8bitmime",
    "no-pipelining": "pipelining",
    "no-chunking": "chunking",
    "no-smtputf8": "smtputf8",
    "no-dsn": "dsn",
    "bare": "8bitmime,pipelining,chunking,smtputf8,dsn,size,enhancedstatuscodes,etrn,vrfy",
}

# What a door of the corpus may lack; its name ends in the letters of what it does.
LACKS = {"8": "8bitmime", "c": "chunking", "p": "pipelining", "u": "smtputf8"}
EVERY_LACK = ["".join(letters) for count in range(len(LACKS) + 1) for letters in itertools.combinations(LACKS, count)]


def corpus_door(worker, lacks):
    return f"w{worker}" + (f"-without-{lacks}" if lacks else "")

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
maillog_file = {folder}/log/mail.log
maillog_file_prefixes = {folder}/log
mail_owner = postfix
setgid_group = postdrop
myhostname = rig.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
default_process_limit = 160
disable_dns_lookups = yes
smtp_host_lookup = native
sink_destination_recipient_limit = 2000
sink_destination_concurrency_limit = 40
sink_initial_destination_concurrency = 40
alias_maps =
alias_database =
local_recipient_maps =
append_dot_mydomain = no
swap_bangpath = no
allow_percent_hack = no
allow_min_user = yes
allow_untrusted_routing = yes
# Bytes are kept.
local_header_rewrite_clients =
remote_header_rewrite_domain =
always_add_missing_headers = no
message_drop_headers =
header_size_limit = 4194304
header_address_token_limit = 1000000
disable_mime_input_processing = yes
disable_mime_output_conversion = yes
lmtp_line_length_limit = 0
smtputf8_enable = yes
message_size_limit = 209715200
mailbox_size_limit = 0
smtpd_recipient_limit = 2000
hopcount_limit = 500
smtpd_forbid_bare_newline_exclusions =
{bare_newline}
# Who may send: whoever signs in.
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_sasl_auth_enable = yes
smtpd_sasl_security_options = noanonymous
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_tls_chain_files = {good}
smtpd_tls_session_cache_database =
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_client_restrictions =
smtpd_sender_restrictions = check_sender_access texthash:{folder}/senders
smtpd_recipient_restrictions = check_recipient_access texthash:{folder}/recipients, permit_sasl_authenticated, reject
smtpd_delay_reject = yes
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 2000
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_timeout = 60
tls_random_source = dev:/dev/urandom
"""

RECIPIENTS = """
nobody-here@example.org  550 5.1.1 no such mailbox here
not-now@example.org      450 4.2.0 mailbox busy, try again later
content@example.org      554 5.7.1 refused by policy
"""

SENDERS = """
not-mine@example.org     550 5.7.60 client does not have permissions to send as this sender
"""

MASTER = """
pickup     unix  n - n 60   1 pickup
cleanup    unix  n - n -    0 cleanup
qmgr       unix  n - n 300  1 qmgr
tlsmgr     unix  - - n 1000? 1 tlsmgr
rewrite    unix  - - n -    - trivial-rewrite
bounce     unix  - - n -    0 bounce
defer      unix  - - n -    0 bounce
trace      unix  - - n -    0 bounce
verify     unix  - - n -    1 verify
flush      unix  n - n 1000? 0 flush
proxymap   unix  - - n -    - proxymap
proxywrite unix  - - n -    1 proxymap
showq      unix  n - n -    - showq
error      unix  - - n -    - error
retry      unix  - - n -    - error
discard    unix  - - n -    - discard
anvil      unix  - - n -    1 anvil
scache     unix  - - n -    1 scache
postlog    unix-dgram n - n - 1 postlogd
"""


def random_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Postfix:
    def __init__(self, folder, certificates, sink_port, workers):
        self.folder = pathlib.Path(folder)
        self.configuration = self.folder / "etc"
        self.doors = {}  # name -> port
        for name in ("", "etc", "spool", "data", "log"):
            (self.folder / name).mkdir(mode=0o755)
        owner = pwd.getpwnam("postfix")
        os.chown(self.folder / "data", owner.pw_uid, owner.pw_gid)
        # Made ahead of Postfix's own start, so that Dovecot can put its socket there.
        (self.folder / "spool/private").mkdir(mode=0o700)
        os.chown(self.folder / "spool/private", owner.pw_uid, owner.pw_gid)
        facts = {"folder": self.folder, "good": certificates.good, "bare_newline": self._bare_newline()}
        (self.configuration / "main.cf").write_text(MAIN.format(**facts))
        (self.folder / "recipients").write_text(RECIPIENTS)
        (self.folder / "senders").write_text(SENDERS)
        self.master_lines = [MASTER]
        self.master_lines.append(
            "sink unix - - n - 40 lmtp\n"
            f"  -o lmtp_tcp_port={sink_port} -o relayhost= -o lmtp_send_xforward_command=no"
        )
        self._doors(certificates, workers)
        # The nexthop belongs to the transport, so that all recipients go in one transaction.
        with open(self.configuration / "main.cf", "a", encoding="ascii") as main:
            for key in ("default_transport", "relay_transport", "local_transport"):
                main.write(f"{key} = sink:inet:127.0.0.1:{sink_port}\n")
        (self.configuration / "master.cf").write_text("\n".join(self.master_lines) + "\n")

    @staticmethod
    def _bare_newline():
        known = subprocess.run(["postconf", "-d"], check=True, capture_output=True, text=True).stdout
        if "smtpd_forbid_bare_newline_reject_code" in known:
            return "smtpd_forbid_bare_newline = reject"
        return "smtpd_forbid_bare_newline = yes" if "smtpd_forbid_bare_newline " in known else ""

    def _door(self, name, *options):
        port = random_port()
        while port in self.doors.values():
            port = random_port()
        self.doors[name] = port
        line = f"127.0.0.1:{port} inet n - n - - smtpd\n  -o myhostname={name}.rig"
        self.master_lines.append(line + "".join(f"\n  -o {option}" for option in options))

    def _doors(self, certificates, workers):
        self._door("starttls")
        self._door("implicit", "smtpd_tls_wrappermode=yes")
        self._door("expired", f"smtpd_tls_chain_files={certificates.expired}")
        self._door("wrong-name", f"smtpd_tls_chain_files={certificates.wrong_name}")
        self._door("small", "message_size_limit=20000")
        self._door("no-starttls", "smtpd_tls_security_level=none", "smtpd_tls_auth_only=no")
        for name, keywords in DISCARD.items():
            self._door(name, f"smtpd_discard_ehlo_keywords={keywords}")
        for worker in range(workers):
            for lacks in EVERY_LACK:
                options = [f"smtpd_discard_ehlo_keywords={','.join(LACKS[letter] for letter in lacks)}"] if lacks else []
                if "p" in lacks:
                    # Who sends ahead all the same is told so (503 5.5.0).
                    options.append("smtpd_data_restrictions=reject_unauth_pipelining")
                self._door(corpus_door(worker, lacks), *options)

    def start(self):
        done = subprocess.run(
            ["postfix", "-c", str(self.configuration), "start"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, env=self._environment(),
        )
        deadline = time.monotonic() + 20
        while done.returncode == 0 and time.monotonic() < deadline:
            if self._master_pid() and self._answers():
                return
            time.sleep(0.05)
        raise RuntimeError("Postfix does not start:\n" + done.stdout + done.stderr + self.log())

    def _master_pid(self):
        try:
            return int((self.folder / "spool/pid/master.pid").read_text())
        except (OSError, ValueError):
            return None

    @staticmethod
    def _environment():
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C"}

    def _answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.doors["starttls"]), 5) as connection:
                return connection.recv(4) == b"220 "
        except OSError:
            return False

    def stop(self):
        pid = self._master_pid()
        if pid is None:
            return
        subprocess.run(
            ["postfix", "-c", str(self.configuration), "stop"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self._environment(),
        )
        deadline = time.monotonic() + 15
        while os.path.exists(f"/proc/{pid}") and time.monotonic() < deadline:
            time.sleep(0.05)

    def queued(self):
        """Messages that are not delivered yet."""
        return sum(
            len(files)
            for name in ("incoming", "active", "deferred", "hold", "maildrop")
            for _, _, files in os.walk(self.folder / "spool" / name)
        )

    def wait_until_empty(self, timeout_s=20):
        deadline = time.monotonic() + timeout_s
        while self.queued() and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.queued() == 0

    def log(self):
        path = self.folder / "log/mail.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def log_of(self, queue_id):
        return "\n".join(line for line in self.log().splitlines() if re.search(rf"\b{queue_id}\b", line))


def is_installed():
    return all(shutil.which(name) for name in ("postfix", "dovecot", "openssl"))
