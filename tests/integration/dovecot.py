"""A private Dovecot that does nothing but SASL for Postfix: XOAUTH2 and OAUTHBEARER, tokens judged by
introspection at the rig's identity provider. Configuration for 2.3 (Debian 12) and 2.4 (Debian 13).
Needs root: Dovecot's master drops to its own users. Owns: one folder, the process, the auth socket.
"""

import pathlib
import subprocess
import time

from processes import stop_tree

COMMON = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
auth_mechanisms = xoauth2 oauthbearer
auth_verbose = yes
ssl = no
service auth {{
  client_limit = 4096
  unix_listener {socket} {{
    mode = 0660
    user = postfix
    group = postfix
  }}
}}
service stats {{
  client_limit = 4096
}}
service anvil {{
  client_limit = 4096
  # No growing delay for an address whose sign-ins fail: the tests make them fail.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"""

VERSION_2_3 = """
protocols =
auth_failure_delay = 0
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}}
"""

OAUTH2_2_3 = """
introspection_mode = post
introspection_url = {url}
force_introspection = yes
username_attribute = username
active_attribute = active
active_value = true
max_parallel_connections = 8
"""

VERSION_2_4 = """
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols =
auth_failure_delay = 0
oauth2 {{
  introspection_mode = post
  introspection_url = {url}
  force_introspection = yes
  username_attribute = username
  active_attribute = active
  active_value = true
}}
passdb oauth2 {{
  mechanisms_filter = xoauth2 oauthbearer
}}
userdb static {{
  fields {{
    uid = nobody
    gid = nogroup
    home = /nonexistent
  }}
}}
"""


class Dovecot:
    def __init__(self, folder, socket, introspection_port):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(mode=0o755)
        self.socket = pathlib.Path(socket)
        self.process = None
        version = subprocess.run(["dovecot", "--version"], check=True, capture_output=True, text=True).stdout
        url = f"http://127.0.0.1:{introspection_port}/introspect"
        facts = {"folder": self.folder, "socket": self.socket, "url": url}
        if version.startswith("2.3."):
            text = COMMON + VERSION_2_3
            (self.folder / "oauth2.conf").write_text(OAUTH2_2_3.format(**facts))
        else:
            # 2.4 wants its version keys first.
            text = VERSION_2_4 + COMMON
        self.configuration = self.folder / "dovecot.conf"
        self.configuration.write_text(text.format(**facts))

    def start(self):
        self.process = subprocess.Popen(
            ["dovecot", "-F", "-c", str(self.configuration)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.folder / "stderr", "wb"),
            start_new_session=True,
        )
        deadline = time.monotonic() + 20
        while not self.socket.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("Dovecot does not start:\n" + self.log())
            time.sleep(0.05)

    def stop(self):
        if self.process:
            stop_tree(self.process)

    def log(self):
        return "".join(
            path.read_text(errors="replace") for path in (self.folder / "stderr", self.folder / "log") if path.exists()
        )
