"""Cases made by hand, one idea each. Names say the idea; R and case numbers are those of the interface facts."""

import base64
import quopri

from corpus import Case

FROM = b"From: Ann <ann@example.org>\n"
HEAD = FROM + b"To: bob@example.org\nSubject: s\nDate: Fri, 20 Nov 2026 20:20:33 +0000\nMessage-ID: <m1@example.org>\n"
MIME = b"MIME-Version: 1.0\n"
PLAIN = MIME + b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n"
TO = ["-i", "bob@example.org"]
BOB = ["bob@example.org"]

PNG = bytes(range(256)) * 12
BASE64 = base64.encodebytes(PNG)
SIGNATURE = (
    b"-----BEGIN PGP SIGNATURE-----\n\niQEzBAEBCAAdFiEEexampleexampleexampleexample\n=AbCd\n-----END PGP SIGNATURE-----\n"
)
PATCH = (
    b"---\n a.txt | 2 +-\n 1 file changed, 1 insertion(+), 1 deletion(-)\n\ndiff --git a/a.txt b/a.txt\n"
    b"index 0123456..789abcd 100644\n--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n-old\n+new\n .\n-- \n2.47.3\n\n"
)


def part(kind, content, *more):
    return b"Content-Type: " + kind + b"\n" + b"".join(line + b"\n" for line in more) + b"\n" + content + b"\n"


def multipart(subtype, *parts, boundary=b"=_b1", parameters=b"", preamble=b"", epilogue=b""):
    text = b"Content-Type: multipart/" + subtype + b'; boundary="' + boundary + b'"' + parameters + b"\n\n" + preamble
    for one in parts:
        text += b"--" + boundary + b"\n" + one
    return text + b"--" + boundary + b"--\n" + epilogue


def cases():
    yield from bytes_and_lines()
    yield from headers()
    yield from eight_bit()
    yield from mime()
    yield from sealed()
    yield from long_lines()
    yield from recipients()
    yield from senders()
    yield from traces()
    yield from people()


def bytes_and_lines():
    """R30 to R32, R38, facts 3.7 and 3.8, A02 to C20."""
    yield Case("bytes/empty R38", TO, b"")
    yield Case("bytes/only a line end R38", TO, b"\n")
    yield Case("bytes/only CRLF", TO, b"\r\n")
    yield Case("bytes/no header R38", TO, b"just text\nmore text\n")
    yield Case("bytes/no header, one line without its end", TO, b"just text")
    yield Case("bytes/header only R38", TO, HEAD)
    yield Case("bytes/header only without its end R31", TO, FROM + b"To: bob@example.org\nSubject: last")
    yield Case("bytes/header and empty line", TO, HEAD + b"\n")
    yield Case("bytes/leading empty line C14", TO, b"\nSubject: body\n\ntext\n")
    yield Case("bytes/bad header line C15", TO, HEAD + b"this is no field\nX: y\n\ntext\n")
    yield Case("bytes/field name with a blank in it", TO, HEAD + b"X Y: z\n\ntext\n")
    yield Case("bytes/field without a name", TO, HEAD + b": value\n\ntext\n")
    yield Case("bytes/no final newline R31", TO, HEAD + b"\nl1\nl2")
    yield Case("bytes/CRLF throughout R30", TO, (HEAD + b"\nl1\n\nl2\n").replace(b"\n", b"\r\n"))
    yield Case("bytes/CRLF header, LF body R30", TO, HEAD.replace(b"\n", b"\r\n") + b"\r\nl1\nl2\n")
    yield Case("bytes/LF header, CRLF body", TO, HEAD + b"\nl1\r\nl2\r\n")
    yield Case("bytes/line ends alternate C08", TO, HEAD + b"\na\r\nb\nc\r\n\n\r\n\nd\r\n")
    yield Case("bytes/bare CR in body C09", TO, HEAD + b"\na\rb\r\rc\n\rd\ne\r\n")
    yield Case("bytes/CR CR LF", TO, HEAD + b"\na\r\r\nb\r\r\r\nc\n")
    yield Case("bytes/last byte is CR", TO, HEAD + b"\na\nb\r")
    yield Case("bytes/bare CR in a header A7", TO, HEAD + b"X-A: one\rtwo\n\nbody\n")
    yield Case("bytes/smuggling C22 A8", TO, HEAD + b"\na\n.\nMAIL FROM:<x@y>\nRCPT TO:<z@y>\nDATA\n.\r\n\r.\r\n\n.\r\nQUIT\n")
    yield Case("bytes/CR dot CR A8", TO, HEAD + b"\na\r.\rMAIL FROM:<x@y>\r\n.\r\nz\n")
    yield Case("bytes/From lines in the body C16", TO, HEAD + b"\nFrom me\n>From you\nFrom: x\n")
    yield Case("bytes/empty lines only", TO, HEAD + b"\n\n\n\n\n")
    yield Case("bytes/trailing blanks kept", TO, HEAD + b"\na   \nb\t\n \n\t\n")
    yield Case("bytes/control bytes in body", TO, HEAD + b"\na\x01\x07\x0b\x0c\x1b[31mred\x7f\n")
    yield Case("bytes/NUL in header refused", TO, HEAD + b"X-A: a\0b\n\nbody\n", codes=(65,))
    yield Case("bytes/body of 64 KiB and one", TO, HEAD + b"\n" + b"0123456789abcde\n" * 4096 + b"x")
    yield Case("bytes/body of 3 MB", TO, HEAD + b"\n" + b"0123456789abcdef0123456789abcdef0123456789abcde\n" * 65536)
    yield Case("bytes/many short lines", TO, HEAD + b"\n" + b"\n.\n" * 30000)
    for kind in ("file", "socket"):
        yield Case(f"bytes/standard input is a {kind} R2", TO, HEAD + b"\nl1\n.\n..x\n", stdin_kind=kind)


def headers():
    """R37, R39, facts 3.8, 3.9; folding of every sort."""
    folds = (
        ("tab", b"Subject: one\n\ttwo\n"), ("blanks", b"Subject: one\n      two\n"),
        ("before the first word", b"Subject:\n one\n"), ("many", b"Subject: a\n b\n c\n d\n\te\n"),
        ("trailing blank before it", b"Subject: one \n two\n"), ("blank line C24", b"Subject: one\n \n two\n"),
        ("blank line with tabs", b"Subject: one\n\t \t\n two\n"), ("in an address list", b"Cc: a@example.org,\n b@example.org,\n\tc@example.org\n"),
        ("inside a quoted string", b'Cc: "A\n B" <a@example.org>\n'), ("inside a comment", b"Cc: a@example.org (x\n y)\n"),
    )
    for name, text in folds:
        yield Case(f"headers/folded: {name}", TO, HEAD.replace(b"Subject: s\n", b"") + text + b"\nbody\n")
    yield Case("headers/blank before the colon C19", TO, HEAD.replace(b"Subject: s", b"Subject : x") + b"\nbody\n")
    yield Case("headers/tab before the colon", TO, HEAD.replace(b"Subject: s", b"Subject\t: x") + b"\nbody\n")
    yield Case("headers/no blank behind the colon", TO, HEAD.replace(b"Subject: s", b"Subject:x") + b"\nbody\n")
    yield Case("headers/odd names", TO, HEAD + b"X-1!#$%&'*+^_`|~: y\nx: 1\n\nbody\n")
    yield Case("headers/names in any case", TO, b"FROM: a@example.org\ntO: bob@example.org\nsubject: s\nDATE: Fri, 20 Nov 2026 20:20:33 +0000\nMessage-Id: <x@y>\n\nb\n")
    yield Case("headers/repeated fields C23", TO, HEAD + b"Subject: two\nX: 1\nX: 2\nComments: a\nComments: b\n\nbody\n")
    yield Case("headers/empty From Date Message-ID To R34", TO, b"From:\nTo: \nDate:\nMessage-ID: \nSubject: s\n\nbody\n")
    yield Case("headers/nothing but Subject R34", TO, b"Subject: s\n\nbody\n")
    yield Case("headers/unparsable date is left alone", TO, HEAD.replace(b"Fri, 20 Nov 2026 20:20:33 +0000", b"yesterday") + b"\nb\n")
    yield Case("headers/odd Message-ID is left alone", TO, HEAD.replace(b"<m1@example.org>", b"no brackets") + b"\nb\n")
    yield Case("headers/mbox From line R37", TO, b"From ann@example.org Fri Nov 20 20:20:33 2026\n" + HEAD + b"\nbody\n")
    yield Case("headers/quoted mbox From line R37", TO, b">From ann@example.org Fri Nov 20 20:20:33 2026\n" + HEAD + b"\nbody\n")
    yield Case("headers/Return-Path and Content-Length R39", TO, b"Return-Path: <x@example.net>\n" + HEAD + b"Content-Length: 5\nreturn-path: <y@z>\n\nbody\n")
    yield Case("headers/huge References", TO, HEAD + b"References:" + b"".join(b"\n <%064d@example.org>" % n for n in range(400)) + b"\n\nb\n")
    yield Case("headers/1000 fields", TO, HEAD + b"".join(b"X-Field-%d: value %d\n" % (n, n) for n in range(1000)) + b"\nb\n")
    yield Case("headers/over 1 MiB refused", TO, HEAD + b"X: " + b"y\n " * 400000 + b"\n\nb\n", codes=(65,))
    yield Case("headers/line of 998 octets", TO, HEAD + b"X-Long: " + b"a" * 990 + b"\n\nb\n")
    yield Case("headers/line over 998 with blanks C18", TO, HEAD + b"X-Long: " + b"word " * 400 + b"\n\nb\n")
    yield Case("headers/line over 998 in To C18", TO, FROM + b"To: " + b", ".join(b"user%04d@example.org" % n for n in range(120)) + b"\nSubject: s\n\nb\n")
    yield Case("headers/line over 998 without blanks refused", TO, HEAD + b"X-Long: " + b"a" * 2000 + b"\n\nb\n", codes=(65,))
    yield Case("headers/received 30 times", TO, b"Received: from a by b; Fri, 20 Nov 2026 20:20:33 +0000\n" * 30 + HEAD + b"\nb\n")
    yield Case("headers/received 31 times is a loop", TO, b"Received: from a by b; Fri, 20 Nov 2026 20:20:33 +0000\n" * 31 + HEAD + b"\nb\n", codes=(65,))
    yield Case("headers/empty value", TO, HEAD + b"X-Empty:\nX-Blank: \n\nb\n")
    yield Case("headers/unknown fields in odd order", TO, b"X-First: 1\n" + HEAD + b"List-Id: <l.example.org>\nX-Last: 2\n\nb\n")
    yield Case("headers/Bcc without -t R33", TO, HEAD + b"Bcc: secret@example.org\nbcc: two@example.org\n\nb\n", recipients=BOB)
    yield Case("headers/folded Bcc R33", TO, HEAD + b"Bcc: secret@example.org,\n two@example.org\nX: y\n\nb\n", recipients=BOB)
    yield Case("headers/blank before the colon of Bcc", TO, HEAD + b"Bcc : secret@example.org\n\nb\n", recipients=BOB)
    yield Case("headers/obsolete date and zones", TO, HEAD.replace(b"Fri, 20 Nov 2026 20:20:33 +0000", b"Fri, 20 Nov 26 20:20 EST (evening)") + b"\nb\n")
    yield Case("headers/obsolete address forms", TO, HEAD + b"Cc: a . b @ example . org, <c@example.org> (c), , \"d\"@example.org\n\nb\n")
    yield Case("headers/group in To", TO, FROM + b"To: Friends: bob@example.org, Ann <ann@example.org>;\nSubject: s\n\nb\n")
    yield Case("headers/undisclosed-recipients", TO, FROM + b"To: undisclosed-recipients:;\nSubject: s\n\nb\n", recipients=BOB)
    yield Case("headers/Cc only", TO, FROM + b"Cc: bob@example.org\nSubject: s\n\nb\n")
    yield Case("headers/dots in the header without -i", ["bob@example.org"], FROM + b"Subject: s\n.\nX: y\n\nb\n")


def eight_bit():
    """R40, R41: raw 8-bit in headers and bodies."""
    texts = (
        ("utf-8", "Grüße, Zoë ✓ 日本".encode()), ("latin-1", "Grüße aus Köln".encode("latin-1")),
        ("long utf-8", ("Ärger mit Überlänge " * 20).encode()), ("mixed with ASCII", b"plain and " + "fö".encode() + b" again"),
        ("emoji", "🚀 launch 🚀".encode()), ("broken utf-8", b"a\xc3(\xe2\x82 b"),
    )
    for name, text in texts:
        yield Case(f"8bit/Subject {name} R40", TO, HEAD.replace(b"Subject: s", b"Subject: " + text) + b"\nascii\n")
    name = "Zoë Dévereux".encode()
    for field in (b"From", b"To", b"Cc", b"Reply-To"):
        for label, value in (("phrase", name + b" <z@example.org>"), ("quoted phrase", b'"' + name + b', Dr." <z@example.org>'), ("comment", b"z@example.org (" + name + b")")):
            rest = b"".join(line + b"\n" for line in HEAD.splitlines() if not line.lower().startswith(field.lower() + b":"))
            yield Case(f"8bit/{field.decode()} {label} R40", TO, field + b": " + value + b"\n" + rest + b"\nascii\n")
    yield Case("8bit/X- field", TO, HEAD + b"X-Note: " + name + b"\nComments: " + name + b"\n\nascii\n")
    yield Case("8bit/folded Subject", TO, HEAD.replace(b"Subject: s", "Subject: eins zwei drüi\n vier fünf".encode()) + b"\nb\n")
    yield Case("8bit/encoded words stay as they are", TO, HEAD.replace(b"Subject: s", b"Subject: =?UTF-8?Q?S=C3=BCb?= =?iso-8859-1?b?5A==?=") + b"\nb\n")
    yield Case("8bit/encoded word beside raw", TO, HEAD.replace(b"Subject: s", b"Subject: =?UTF-8?Q?S=C3=BCb?= " + name) + b"\nb\n")
    yield Case("8bit/group name", TO, FROM + b"To: " + name + b": bob@example.org;\n\nb\n")
    yield Case("8bit/body utf-8 without MIME R41", TO, HEAD + "\nGrüße\n".encode())
    yield Case("8bit/body latin-1 without MIME R41", TO, HEAD + b"\nGr\xfc\xdfe\n")
    yield Case("8bit/body utf-8, only a first line", TO, "Grüße\n".encode())
    yield Case("8bit/body with MIME 8bit", TO, HEAD + PLAIN + "\nGrüße\n".encode())
    yield Case("8bit/body latin-1 with MIME", TO, HEAD + MIME + b"Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\nGr\xfc\xdfe\n")
    yield Case("8bit/body, Content-Type alone as anacron writes it", TO, HEAD + b"Content-Type: text/plain; charset=utf-8\n" + "\nGrüße\n".encode())
    yield Case("8bit/all bytes but CR, LF and NUL", TO, HEAD + PLAIN + b"\n" + bytes(n for n in range(1, 256) if n not in (10, 13)) + b"\n")
    yield Case("8bit/server takes 7 bits: text", TO, HEAD + PLAIN + "\nGrüße ✓\n".encode(), server="7bit")
    yield Case("8bit/server takes 7 bits: unlabelled text", TO, HEAD + "\nGrüße ✓\n".encode(), server="7bit")
    yield Case("8bit/server takes 7 bits: ascii stays", TO, HEAD + b"\nplain = text\n", server="7bit")
    yield Case("8bit/server takes 7 bits: latin-1", TO, HEAD + MIME + b"Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\nGr\xfc\xdfe\n", server="7bit")
    yield Case("8bit/server takes 7 bits: one part of three", TO, HEAD + MIME + multipart(
        b"mixed", part(b"text/plain; charset=utf-8", "Grüße\n".encode(), b"Content-Transfer-Encoding: 8bit"),
        part(b"text/html; charset=us-ascii", b"<p>plain = plain</p>\n"),
        part(b"image/png", BASE64, b"Content-Transfer-Encoding: base64")), server="7bit")
    yield Case("8bit/server takes 7 bits: binary part", TO, HEAD + MIME + multipart(
        b"mixed", part(b"text/plain", b"see below\n"),
        part(b"application/octet-stream", bytes(n for n in range(1, 256) if n not in (10, 13)), b"Content-Transfer-Encoding: 8bit")), server="7bit")
    yield Case("8bit/server takes 7 bits: signed refused", TO, HEAD + MIME + signed("Grüße\n".encode()), server="7bit", codes=(65,))
    yield Case("8bit/server takes 7 bits: signed 7-bit goes", TO, HEAD + MIME + signed(b"plain\n"), server="7bit")


def signed(content, kind=b"pgp"):
    second = part(b'application/pgp-signature; name="signature.asc"', SIGNATURE) if kind == b"pgp" else part(
        b'application/pkcs7-signature; name="smime.p7s"', BASE64, b"Content-Transfer-Encoding: base64")
    protocol = b"application/pgp-signature" if kind == b"pgp" else b"application/pkcs7-signature"
    return multipart(
        b"signed", part(b"text/plain; charset=utf-8", content, b"Content-Transfer-Encoding: 8bit"), second,
        parameters=b'; micalg=pgp-sha512;\n protocol="' + protocol + b'"')


def mime():
    """Bodies of every build; nothing about them may change."""
    html = part(b"text/html; charset=utf-8", "<html><body>Grüße</body></html>\n".encode(), b"Content-Transfer-Encoding: 8bit")
    text = part(b"text/plain; charset=utf-8; format=flowed", "Grüße \nflowed \n> quoted\n".encode(), b"Content-Transfer-Encoding: 8bit")
    png = part(b'image/png; name="p.png"', BASE64, b"Content-Transfer-Encoding: base64", b'Content-Disposition: attachment;\n filename="p.png"')
    ics = part(b"text/calendar; charset=utf-8; method=REQUEST", b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1@example.org\r\nDTSTART:20261120T100000Z\r\nSUMMARY:Meeting\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
    binary = part(b"application/octet-stream", bytes(n for n in range(1, 256) if n not in (10, 13)) * 3, b"Content-Transfer-Encoding: 8bit")
    bodies = {
        "alternative": multipart(b"alternative", text, html),
        "mixed with attachment": multipart(b"mixed", text, png),
        "nested": multipart(b"mixed", multipart(b"related", multipart(b"alternative", text, html, boundary=b"=_b3"), png, boundary=b"=_b2"), png),
        "nested ten deep": deep(10),
        "preamble and epilogue": multipart(b"mixed", text, preamble=b"This is a multi-part message.\n", epilogue=b"the end\n.\n"),
        "8-bit attachment": multipart(b"mixed", text, binary),
        "calendar invite": multipart(b"alternative", text, ics),
        "message/rfc822": multipart(b"mixed", text, part(b"message/rfc822", FROM + b"To: x@example.org\nBcc: inner@example.org\nSubject: inner\n\n.\n..\nFrom x\n")),
        "digest": multipart(b"digest", b"\n" + FROM + b"Subject: 1\n\none\n", b"\n" + FROM + b"Subject: 2\n\ntwo\n"),
        "empty part": multipart(b"mixed", b"\n\n", text),
        "no closing boundary": multipart(b"mixed", text, text)[: -len(b"--=_b1--\n")],
        "boundary with specials": multipart(b"mixed", text, png, boundary=b"=_(a)+,-./:=? b"),
        "bounce": multipart(b"report", text, part(b"message/delivery-status", b"Reporting-MTA: dns; a.example\n\nFinal-Recipient: rfc822; x@example.org\nAction: failed\nStatus: 5.1.1\n"), part(b"text/rfc822-headers", HEAD), parameters=b"; report-type=delivery-status"),
        "read receipt": multipart(b"report", text, part(b"message/disposition-notification", b"Final-Recipient: rfc822;x@example.org\nDisposition: manual-action; displayed\n"), parameters=b"; report-type=disposition-notification"),
    }
    for name, body in bodies.items():
        yield Case(f"mime/{name}", TO, HEAD + MIME + body)
        yield Case(f"mime/{name}, CRLF", TO, (HEAD + MIME + body).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    yield Case("mime/quoted-printable", TO, HEAD + MIME + b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n" + quopri.encodestring("Grüße = äöü\n".encode() * 20))
    yield Case("mime/base64", TO, HEAD + MIME + b"Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n" + BASE64)
    yield Case("mime/message/partial", TO, HEAD + MIME + b'Content-Type: message/partial; id="a@b"; number=1; total=2\n\n' + HEAD + b"\nfirst half\n")
    yield Case("mime/format=flowed", TO, HEAD + MIME + b"Content-Type: text/plain; format=flowed; delsp=yes\n\nflowed \nline \n-- \nsig\n> > quoted \n")
    yield Case("mime/html only", TO, HEAD + MIME + b"Content-Type: text/html; charset=utf-8\n\n<p>hi</p>\n")
    yield Case("mime/parameter in RFC 2231 form", TO, HEAD + MIME + b"Content-Type: text/plain; charset=utf-8\nContent-Disposition: attachment;\n filename*0*=utf-8''na%C3%AFve;\n filename*1*=.txt\n\nx\n")
    yield Case("mime/type without version", TO, HEAD + b"Content-Type: text/html\n\n<p>\n")
    yield Case("mime/broken Content-Type", TO, HEAD + MIME + b"Content-Type: ;;;\n\nx\n")
    yield Case("mime/ISO-2022-JP", TO, HEAD + MIME + b"Content-Type: text/plain; charset=ISO-2022-JP\nContent-Transfer-Encoding: 7bit\n\n\x1b$B$3$s\x1b(B\n")
    yield Case("mime/newsletter", TO, HEAD + b"List-Unsubscribe: <mailto:u@example.org>,\n <https://example.org/u?id=1>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\nPrecedence: bulk\n" + MIME + multipart(b"alternative", text, part(b"text/html; charset=utf-8", quopri.encodestring(b"<td width=3D>" * 300), b"Content-Transfer-Encoding: quoted-printable")))


def deep(levels):
    body = multipart(b"mixed", part(b"text/plain", b"deep\n"), boundary=b"b0")
    for level in range(1, levels):
        body = multipart(b"mixed", body, boundary=b"b%d" % level)
    return body


def sealed():
    """Signed and encrypted mail: not a byte may change, not even trailing blanks."""
    yield Case("sealed/PGP MIME", TO, HEAD + MIME + signed("Grüße  \n\n-- \nZoë\n".encode()))
    yield Case("sealed/S/MIME detached", TO, HEAD + MIME + signed(b"text  \n", b"smime"))
    yield Case("sealed/S/MIME opaque", TO, HEAD + MIME + b"Content-Type: application/pkcs7-mime; smime-type=signed-data;\n name=smime.p7m\nContent-Transfer-Encoding: base64\n\n" + BASE64)
    yield Case("sealed/PGP MIME encrypted", TO, HEAD + MIME + multipart(b"encrypted", part(b"application/pgp-encrypted", b"Version: 1\n"), part(b"application/octet-stream", b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n=AbCd\n-----END PGP MESSAGE-----\n"), parameters=b'; protocol="application/pgp-encrypted"'))
    yield Case("sealed/PGP inline", TO, HEAD + b"\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n- -- \ntext\n" + SIGNATURE)
    yield Case("sealed/DKIM", TO, b"DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=example.org; s=k;\n\th=From:To:Subject; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\n\tb=AAAA\n BBBB\n" + HEAD + b"\nsigned \n\n")
    yield Case("sealed/ARC and Authentication-Results", TO, b"ARC-Seal: i=1; a=rsa-sha256; t=1; cv=none; d=example.org; s=k;\n b=AAAA\nAuthentication-Results: mx.example.org;\n dkim=pass\n" + HEAD + b"\nb\n")
    yield Case("sealed/long line refused", TO, HEAD + MIME + signed(b"x" * 1200 + b"\n"), codes=(65,))


def long_lines():
    """Facts 3.8, C17: 998 is the limit, behind it the part is re-encoded."""
    for length in (997, 998):
        yield Case(f"long/{length} octets stay", TO, HEAD + b"\n" + b"x" * length + b"\ny\n")
        yield Case(f"long/{length} octets behind a dot", TO, HEAD + b"\n." + b"x" * (length - 1) + b"\n")
    for length in (999, 1000, 3000, 100000):
        yield Case(f"long/{length} octets", TO, HEAD + b"\n" + b"x" * length + b"\ny\n")
    yield Case("long/last line, no end", TO, HEAD + b"\n" + b"x" * 3000)
    yield Case("long/utf-8 without MIME", TO, HEAD + b"\n" + "ä".encode() * 2000 + b"\n")
    yield Case("long/utf-8 with MIME", TO, HEAD + PLAIN + b"\n" + "ä".encode() * 2000 + b"\n=\n.\nFrom x\n")
    yield Case("long/html part of three", TO, HEAD + MIME + multipart(
        b"mixed", part(b"text/plain; charset=utf-8", b"short = stays\n"),
        part(b"text/html; charset=utf-8", b"<td>" * 1000 + b"\n", b"Content-Transfer-Encoding: 8bit"),
        part(b"image/png", BASE64, b"Content-Transfer-Encoding: base64")))
    yield Case("long/base64 on one line", TO, HEAD + MIME + b"Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n" + base64.b64encode(PNG) + b"\n")
    yield Case("long/NUL in a text body", TO, HEAD + b"\na\0b\nc\n")
    yield Case("long/NUL in an attachment", TO, HEAD + MIME + multipart(b"mixed", part(b"text/plain", b"x\n"), part(b"application/octet-stream", b"a\0\0b\xff", b"Content-Transfer-Encoding: 8bit")))
    yield Case("long/server takes 7 bits", TO, HEAD + PLAIN + b"\n" + "ä".encode() * 2000 + b"\n", server="7bit")


def recipients():
    """R23, R25, R36, facts 3.5 and 3.6."""
    body = b"Subject: s\n\nb\n"
    address_lists = (
        ("list in one argument R23", ["a@example.org,b@example.org"], ["a@example.org", "b@example.org"]),
        ("list with blanks", ["a@example.org, b@example.org"], ["a@example.org", "b@example.org"]),
        ("semicolon I04", ["a@example.org; b@example.org"], ["a@example.org", "b@example.org"]),
        ("brackets B11", ["<bob@example.org>"], BOB), ("name B12", ["Bob B <bob@example.org>"], BOB),
        ("comment", ["bob@example.org (Bob)"], BOB), ("quoted name", ['"B, Bob" <bob@example.org>'], BOB),
        ("twice, domain in other case B07", ["bob@example.org", "bob@EXAMPLE.org"], BOB),
        ("local part in other case B07", ["Bob@example.org", "bob@example.org"], ["Bob@example.org", "bob@example.org"]),
        ("quoted local part B39", ['"john doe"@example.org'], ['"john doe"@example.org']),
        ("needless quotes", ['"bob"@example.org'], BOB),
        ("backslash B25", ["\\bob@example.org"], BOB),
        ("plus, equals and more", ["bob+x=y@example.org", "o'neil@example.org", "a/b@example.org"], ["bob+x=y@example.org", "o'neil@example.org", "a/b@example.org"]),
        ("utf-8 domain B38", ["bob@exämple.org"], ["bob@xn--exmple-cua.org"]),
        ("utf-8 local part B38", ["böb@example.org"], ["böb@example.org"]),
        ("group", ["Team: a@example.org, b@example.org;"], ["a@example.org", "b@example.org"]),
        ("alias R36", ["root"], ["ops@example.org"]), ("alias with domain localhost", ["root@localhost"], ["ops@example.org"]),
        ("alias of an alias", ["postmaster"], ["ops@example.org"]),
        ("alias with three targets", ["team"], ["ann@example.org", "bob@example.org", "alice.example@example.net"]),
        ("alias and its target", ["root", "ops@example.org"], ["ops@example.org"]),
        ("local without alias goes to local_mail_to", ["nemo"], ["catchall@example.org"]),
        ("behind --", ["--", "-bob@example.org"], ["-bob@example.org"]),
    )
    for name, operands, want in address_lists:
        # Two recipients that differ in case reach Postfix as two; its own duplicate filter makes them one.
        why = "Postfix takes them for one recipient; tests/unit has it" if "in other case" in name and len(want) > 1 else ""
        yield Case(f"recipients/{name}", ["-i", *operands], FROM + b"To: x@example.org\n" + body, recipients=want, excluded=why)
    refused = (
        ("unbalanced quote I03", '"bob@example.org'), ("three words I06", "Bob Smith bob@example.org"), ("route B40", "@a,@b:bob@example.org"),
        ("program B28", "|prog"), ("file B29", "/file"), ("include B30", ":include:/etc/passwd"),
        ("CR LF A5", "bob@example.org\r\nRCPT TO:<x@example.org>"), ("LF A5", "bob@example.org\nx"), ("control byte", "bo\x01b@example.org"),
        ("no domain behind @", "bob@"), ("two @", "a@b@example.org"), ("open bracket", "<bob@example.org"), ("empty brackets", "<>"),
        ("DEL", "bob\x7f@example.org"),
    )
    for name, operand in refused:
        yield Case(f"recipients/refused: {name}", ["-i", operand], HEAD + b"\nb\n", codes=(65,))
    yield Case("recipients/refused: only a comma", ["-i", ","], HEAD + b"\nb\n", codes=(65, 64))
    yield Case("recipients/refused: local and nobody answers", ["-i", "nemo"], HEAD + b"\nb\n", setup="narrow", codes=(67,))
    usage = (
        ("option behind a recipient B21", ["bob@example.org", "-f", "y@example.org"]), ("-oi behind it B22", ["bob@example.org", "-oi"]),
        ("none B06", ["-i"]), ("lone dash B23", ["-i", "-"]), ("empty B24", ["-i", ""]), ("-X A1", ["-X/tmp/x", "bob@example.org"]),
        ("-C A2", ["-C", "/etc/passwd", "bob@example.org"]), ("-D", ["-D/tmp/x", "bob@example.org"]), ("-M", ["-Mrm", "bob@example.org"]),
        ("-be", ["-be", "bob@example.org"]), ("-bf", ["-bf", "/etc/passwd"]), ("-E", ["-E", "bob@example.org"]), ("unknown", ["-y", "bob@example.org"]),
        ("unknown long", ["--frobnicate", "bob@example.org"]), ("-f at the end D16", ["-f"]), ("-B bad", ["-B", "9BIT", "bob@example.org"]),
        ("-bd", ["-bd"]), ("-bt", ["-bt"]),
    )
    for name, argv in usage:
        yield Case(f"recipients/usage: {name}", argv, HEAD + b"\nb\n", codes=(64,))
    from_header = (
        ("To Cc Bcc B01", b"To: a@example.org\nCc: b@example.org\nBcc: c@example.org\n", [], ["a@example.org", "b@example.org", "c@example.org"]),
        ("with argument B02", b"To: a@example.org\n", ["b@example.org"], ["a@example.org", "b@example.org"]),
        ("with the same argument B03", b"To: a@example.org\n", ["a@example.org"], ["a@example.org"]),
        ("Bcc only B15", b"Bcc: c@example.org\n", [], ["c@example.org"]),
        ("empty group and Bcc B13", b"To: undisclosed-recipients:;\nBcc: c@example.org\n", [], ["c@example.org"]),
        ("group B14", b"To: Team: a@example.org, \"B\" <b@example.org>;, c@example.org\n", [], ["a@example.org", "b@example.org", "c@example.org"]),
        ("two To fields B34", b"To: a@example.org\nTo: b@example.org\n", [], ["a@example.org", "b@example.org"]),
        ("folded B18", b"To: a@example.org,\n\tAnn\n <ann@example.org>,\n b@example.org\n", [], ["a@example.org", "ann@example.org", "b@example.org"]),
        ("blank before the colon B32", b"To : a@example.org\n", [], ["a@example.org"]),
        ("Apparently-To is nothing B19", b"To: a@example.org\nApparently-To: x@example.org\n", [], ["a@example.org"]),
        ("comments everywhere", b"To: (x) a@example.org (y (z) \\) ), B (c) <b@example.org>\n", [], ["a@example.org", "b@example.org"]),
        ("comma in quotes", b'To: "Doe, Jane" <jane@example.org>, a@example.org\n', [], ["jane@example.org", "a@example.org"]),
        ("at sign in a phrase", b'To: "a@b" <jane@example.org>\n', [], ["jane@example.org"]),
        ("unqualified R35", b"To: root\nCc: alice, a@example.org\n", [], ["ops@example.org", "alice.example@example.net", "a@example.org"]),
        ("trailing comma and blank", b"To: a@example.org, \n", [], ["a@example.org"]),
        ("raw utf-8 domain I13", "To: Bö <b@exämple.org>\n".encode(), [], ["b@xn--exmple-cua.org"]),
        ("empty To, Bcc", b"To:\nBcc: a@example.org\n", [], ["a@example.org"]),
        ("CRLF", b"To: a@example.org\r\nBcc: b@example.org\r\n", [], ["a@example.org", "b@example.org"]),
        ("Resent block B16", b"Resent-To: r@example.org\nResent-Bcc: h@example.org\nResent-From: me@example.org\nTo: old@example.org\nBcc: oldh@example.org\n", [], ["r@example.org", "h@example.org"]),
    )
    for name, text, operands, want in from_header:
        yield Case(f"recipients/-t {name}", ["-t", "-i", *operands], FROM + text + body, recipients=want)
    yield Case("recipients/-t 300 of them", ["-t", "-i"], FROM + b"To: " + b",\n ".join(b"user%03d@example.org" % n for n in range(300)) + b"\n" + body)
    yield Case("recipients/-t none B05", ["-t", "-i"], FROM + body, codes=(65,))
    yield Case("recipients/-t only an empty group", ["-t", "-i"], FROM + b"To: undisclosed-recipients:;\n" + body, codes=(65,))
    yield Case("recipients/-t bare CR I10 A7", ["-t", "-i"], FROM + b"To: bob@example.org\rBcc: evil@example.org\n" + body, codes=(65,))
    yield Case("recipients/-t broken list", ["-t", "-i"], FROM + b"To: a@example.org, \"b\n" + body, codes=(65,))
    yield Case("recipients/-t Resent without recipients", ["-t", "-i"], b"Resent-From: me@example.org\n" + HEAD + b"\nb\n", codes=(65,))
    yield Case("recipients/-ti clustered", ["-ti"], FROM + b"To: a@example.org\nSubject: s\n\n.\nb\n", recipients=["a@example.org"])


def senders():
    """R21, R22, D01 to D24, and section 3 of the design: reverse-path and rewrite_from."""
    body = b"To: bob@example.org\nSubject: s\n\nb\n"
    given = (
        ("joined", ["-fx@example.org"], "x@example.org"), ("separate", ["-f", "x@example.org"], "x@example.org"), ("-r", ["-r", "x@example.org"], "x@example.org"),
        ("last wins R22", ["-fx@example.org", "-r", "y@example.org", "-fz@example.org"], "z@example.org"),
        ("empty R21", ["-f", ""], ""), ("brackets R21", ["-f", "<>"], ""), ("joined brackets R21", ["-f<>"], ""),
        ("unqualified", ["-f", "alice"], "alice@example.org"), ("bracketed", ["-f", "<x@example.org>"], "x@example.org"),
        ("with a name", ["-f", "X Y <x@example.org>"], "x@example.org"), ("utf-8 domain", ["-f", "x@exämple.org"], "x@xn--exmple-cua.org"),
        ("utf-8 local part", ["-f", "zoë@example.org"], "zoë@example.org"), ("VERP", ["-f", "list-bounces+bob=example.net@example.org"], "list-bounces+bob=example.net@example.org"),
    )
    for name, argv, want in given:
        yield Case(f"senders/-f {name}", ["-i", *argv, "bob@example.org"], FROM + body, sender=want)
        yield Case(f"senders/-f {name}, From missing", ["-i", *argv, "bob@example.org"], body, sender=want)
    for name, word in (("an option D13", "-i"), ("CR LF A5", "x@example.org\r\nRCPT TO:<y@example.org>"), ("two words", "x y@example.org"), ("half", "x@"), ("blank in it", "x @ y z")):
        yield Case(f"senders/-f is {name}", ["-i", "-f", word, "bob@example.org"], FROM + body, codes=(65,))
    yield Case("senders/-f is the login name, which is no choice", ["-i", "-f", "root", "bob@example.org"], FROM + body, sender="ann@example.org")
    names = (
        ("plain", "Full Name"), ("specials", 'Full, "Q" Name'), ("utf-8", "Zoë Müller"), ("newline A6", "a\nX-Inj: y"), ("empty", ""),
        ("an address", "x@y"), ("dots", "J. R. Smith"), ("long", "Word " * 60), ("backslash", "a\\b"), ("brackets", "a <b>"),
    )
    for name, full in names:
        if name not in ("newline A6",):
            yield Case(f"senders/-F {name}", ["-i", "-F", full, "bob@example.org"], body)
    yield Case("senders/-F newline A6", ["-i", "-F", "a\nX-Inj: y", "bob@example.org"], body)
    yield Case("senders/-F does not touch a From", ["-i", "-FOther", "bob@example.org"], FROM + body)
    yield Case("senders/-F with -f", ["-i", "-FOther", "-fx@example.org", "bob@example.org"], body)
    for name, text in (("unqualified", b"From: root\n"), ("comment", b"From: root (Cron Daemon)\n"), ("phrase", b"From: Anacron <root>\n"), ("quoted", b'From: "(Cron Daemon)" <root>\n'), ("Sender too", b"From: Ann <ann@example.org>\nSender: root\nReply-To: alice, x@example.org\n")):
        yield Case(f"senders/From {name} R35", TO, text + body)
    yield Case("senders/From twice in one field", TO, b"From: a@example.org, b@example.org\nSender: a@example.org\n" + body)

    apps = b"From: Shop <shop@apps.example.org>\n"
    stranger = b"From: A Customer <customer@example.net>\n"
    yield Case("policy/auto: From is allowed", TO, apps + body, setup="narrow", sender="shop@apps.example.org")
    yield Case("policy/auto: -f is allowed", ["-i", "-fx@apps.example.org", "bob@example.org"], apps + body, setup="narrow", sender="x@apps.example.org")
    yield Case("policy/auto: -f is not, From is", ["-i", "-fx@example.net", "bob@example.org"], apps + body, setup="narrow", sender="shop@apps.example.org")
    yield Case("policy/auto: From is not allowed", TO, stranger + body, setup="narrow", sender="mailer@example.org")
    yield Case("policy/auto: From is not allowed, Reply-To stays", TO, stranger + b"Reply-To: r@example.net\n" + body, setup="narrow", sender="mailer@example.org")
    yield Case("policy/auto: phrase looks like an address", TO, b'From: "ceo@example.net" <customer@example.net>\n' + body, setup="narrow")
    yield Case("policy/auto: no phrase", TO, b"From: customer@example.net\n" + body, setup="narrow")
    yield Case("policy/auto: utf-8 phrase", TO, "From: Zoë <customer@example.net>\n".encode() + body, setup="narrow")
    yield Case("policy/auto: local From", TO, b"From: root (Cron Daemon)\n" + body, setup="narrow")
    yield Case("policy/auto: no From", TO, body, setup="narrow", sender="mailer@example.org")
    yield Case("policy/auto: null sender", ["-i", "-f", "<>", "bob@example.org"], apps + body, setup="narrow", sender="")
    yield Case("policy/auto: signed is never rewritten", TO, stranger + b"To: bob@example.org\n" + MIME + signed(b"x\n"), setup="narrow")
    yield Case("policy/always: another address of ours", TO, b"From: Shop <shop@example.org>\n" + body, setup="always", sender="mailer@example.org")
    yield Case("policy/always: the user itself", TO, b"From: Mailer <mailer@example.org>\n" + body, setup="always", sender="mailer@example.org")
    yield Case("policy/never: allowed", TO, b"From: Me <me@example.org>\n" + body, setup="person", sender="me@example.org")
    yield Case("policy/never: second address", TO, b"From: Zoe <zoe@example.org>\n" + body, setup="person", sender="zoe@example.org")
    yield Case("policy/never: From refused", TO, stranger + body, setup="person", codes=(77,))
    yield Case("policy/never: -f refused", ["-i", "-fx@example.net", "bob@example.org"], b"From: me@example.org\n" + body, setup="person", codes=(77,))
    yield Case("policy/no null sender: <> becomes the user", ["-i", "-f", "<>", "bob@example.org"], b"From: MAILER-DAEMON <mailer@example.org>\n" + body, setup="no-null", sender="mailer@example.org")


def traces():
    """Resent blocks, DSN parameters, verbosity."""
    resent = b"Resent-To: r@example.org\nResent-From: me@example.org\nResent-Date: Fri, 20 Nov 2026 21:00:00 +0000\nResent-Message-ID: <r1@example.org>\n"
    yield Case("resent/complete", ["-i", "r@example.org"], resent + HEAD + b"\nb\n")
    yield Case("resent/without date and id 3.6", ["-i", "r@example.org"], b"Resent-To: r@example.org\nResent-From: me@example.org\n" + HEAD + b"\nb\n")
    yield Case("resent/Resent-Bcc without -t B17", ["-i", "r@example.org"], b"Resent-Bcc: h@example.org\n" + resent + HEAD + b"\nb\n", recipients=["r@example.org"])
    yield Case("resent/two blocks with -t", ["-i", "-t"], resent + resent.replace(b"r@", b"older@") + HEAD + b"\nb\n", recipients=["r@example.org"])
    yield Case("resent/Return-Path on top", ["-i", "r@example.org"], b"Return-Path: <x@example.net>\n" + resent + b"Return-Path: <y@example.net>\n" + HEAD + b"\nb\n")
    yield Case("resent/unqualified", ["-i", "-t"], b"Resent-To: root\nResent-From: alice\n" + HEAD + b"\nb\n", recipients=["ops@example.org"])
    for name, argv in (
        ("-N failure,delay", ["-N", "failure,delay"]), ("-Nsuccess joined", ["-Nsuccess,delay,failure"]), ("-N never", ["-N", "never"]),
        ("-N bad is ignored", ["-N", "sometimes"]), ("-R hdrs", ["-R", "hdrs"]), ("-R full", ["-R", "full"]), ("-R bad is ignored", ["-R", "some"]),
        ("-V envid", ["-V", "QQ314159"]), ("-V xtext", ["-V", "a+3Db"]), ("-V bad is ignored", ["-V", "a=b"]), ("all", ["-N", "success", "-R", "hdrs", "-V", "id1"]),
    ):
        yield Case(f"dsn/{name}", ["-i", *argv, "bob@example.org", "ann@example.org"], HEAD + b"\nb\n")
    for number, argv in enumerate((
        ["-B8BITMIME"], ["-B", "8bitmime"], ["-B", "7bit"], ["-oem", "-oi"], ["-oep", "-odb"], ["-em"], ["-bm"], ["-b", "m"], ["-G"], ["-m"], ["-n"], ["-U"],
        ["-h", "5"], ["-Lcron"], ["-p", "SMTP:host"], ["-O", "DeliveryMode=b"], ["-OErrorMode=m"], ["-oQ/tmp/nowhere"], ["-o", "i"], ["-oitrue"], ["-x"],
        ["-d0.1"], ["-c"], ["-Am"], ["-A", "c"], ["--read-envelope-from"], ["-oMr", "-om"],
    )):
        yield Case(f"options/{number:02} {' '.join(argv)}", ["-i", *argv, "bob@example.org"], HEAD + b"\n.\n..x\n")


def people():
    """Mail as people and lists write it."""
    yield Case("people/patch", TO, FROM + b"To: list@example.org\nCc: c@example.org\nSubject: [PATCH 1/2] a: b\nDate: Fri, 20 Nov 2026 20:20:33 +0000\nMessage-Id: <20261120-1@example.org>\nX-Mailer: git-send-email 2.47.3\n" + PLAIN + b"\nWhy.\n" + PATCH)
    yield Case("people/patch in reply", TO, FROM + b"To: list@example.org\nSubject: [PATCH 2/2] c\nDate: Fri, 20 Nov 2026 20:20:34 +0000\nMessage-Id: <20261120-2@example.org>\nIn-Reply-To: <20261120-1@example.org>\nReferences: <20261120-1@example.org>\n" + PLAIN + b"\n" + PATCH)
    yield Case("people/patch with CR in quoted-printable", TO, HEAD + MIME + b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n-old=0D\n+new=0D\n=2E\n")
    yield Case("people/patch with raw CR at line ends", TO, HEAD + b"\n-old\r\n+new\r\n context\n")
    yield Case("people/patch with a scissors line and dots", TO, HEAD + b"\n-- >8 --\n" + PATCH + b".\n..\n...\n")
    yield Case("people/list mail", TO, b"Received: from a.example (a.example [192.0.2.1])\n\tby b.example (Postfix) with ESMTPS id ABC\n\tfor <x@example.org>; Fri, 20 Nov 2026 20:20:33 +0000 (UTC)\nList-Id: A list <a.example.org>\nList-Post: <mailto:a@example.org>\nPrecedence: list\nSender: a-bounces@example.org\nErrors-To: a-bounces@example.org\n" + HEAD + b"\nb\n_______\nA mailing list\n")
    yield Case("people/auto-reply", ["-i", "-f", "<>", "bob@example.org"], b"From: ann@example.org\nTo: bob@example.org\nSubject: Re: s\nAuto-Submitted: auto-replied\nIn-Reply-To: <x@y>\n\naway\n", sender="")
    yield Case("people/thread with long References", TO, HEAD + b"In-Reply-To: <%d@example.org>\nReferences: " % 40 + b"\n\t".join(b"<%d@example.org>" % n for n in range(40)) + b"\n\nb\n")
    yield Case("people/cron UTF-8", ["-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root"], "From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@vm> echo ä\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\nä\n".encode(), recipients=["ops@example.org"])
    yield Case("people/shell pipe", ["bob@example.org"], b"Subject: disk full\n\n/dev/sda1 100%\n")
    yield Case("people/CUPS ends with a dot S9", ["-t"], b"From: root\nTo: bob@example.org\nSubject: Print job\n\nready\n.\n", recipients=BOB)
    yield Case("people/Symfony doubles dots P12", ["-fann@example.org", "--", "bob@example.org"], FROM + b"To: bob@example.org\nSubject: s\n\nl1\n..\n...x\nl2\n")
    yield Case("people/anacron is cut at a lone dot S3", ["-FAnacron", "-odi", "bob@example.org"], b"From: Anacron <root>\nTo: bob@example.org\nSubject: s\n\na\n.\ncut\n")
