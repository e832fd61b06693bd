"""One message by Python's smtplib, with XOAUTH2: HOST PORT USER TOKEN_FILE SENDER RECIPIENT <message."""

import smtplib
import ssl
import sys

host, port, user, token_file, sender, recipient = sys.argv[1:]
with open(token_file, encoding="ascii") as file:
    token = file.read().strip()
with smtplib.SMTP(host, int(port)) as server:
    server.starttls(context=ssl.create_default_context())
    server.ehlo()
    server.auth("XOAUTH2", lambda challenge=None: f"user={user}\1auth=Bearer {token}\1\1")
    server.sendmail(sender, [recipient], sys.stdin.buffer.read())
