// smtp: -bs: SMTP on the front end's own standard input and output, each message handed in when it
// is whole. Source: interface facts 2.6, 3.12, R12, R26. Between two messages nothing is held: no
// agent, no connection, no token, no lock; a caller may say nothing for hours. Errors: none on
// standard error, ever; exit 0 at QUIT and at the end of standard input. Trusts: as submit/session.
#pragma once

namespace front {

// beside_mail: -t or recipients stood beside -bs. They are ignored (R26); but a message that came
// in place of SMTP is not answered with 0.
int speak_smtp(bool beside_mail);

}  // namespace front
