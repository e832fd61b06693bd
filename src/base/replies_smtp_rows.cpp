// The rows of SMTP. The first one that fits counts, so the special ones stand above the general
// ones. Each comment names the section of facts/providers.md that a block comes from.
#include "base/replies_row.h"

namespace base {

namespace {

// refused: this recipient; bad: this message; forbidden: this sender; withheld: not permitted, too,
// but a person can permit it, so the message waits; setting: a key of the configuration.
constexpr Fault refused = Fault::bad_recipient;
constexpr Fault bad = Fault::bad_message;
constexpr Fault later = Fault::unavailable;
constexpr Fault sign_in = Fault::sign_in_needed;
constexpr Fault forbidden = Fault::not_permitted;
constexpr Fault setting = Fault::config;
constexpr Fault nonsense = Fault::protocol;
constexpr FaultClass never = FaultClass::permanent;
constexpr FaultClass soon = FaultClass::temporary;
constexpr FaultClass person = FaultClass::hold;

constexpr const char* over_graph = "run: mailbearer login {account} --transport graph";
constexpr const char* by_token = "set auth = xoauth2, then run: mailbearer login {account}";
constexpr const char* set_password = "run: mailbearer secret set {account} password";
constexpr const char* send_as = "grant Send As, or set rewrite_from = always";
constexpr const char* check_address = "check the address";
constexpr const char* smaller = "send less, or a link";
constexpr const char* ask_provider = "ask the provider's support, then send again";
constexpr const char* ask_admin = "ask its administrator";
constexpr const char* check_host = "check smtp_host and smtp_port";
constexpr const char* check_connector = "check the connector's address or certificate";
constexpr const char* fewer = "try again with fewer recipients";
constexpr const char* after_40_s = "try again after 40 s";
constexpr const char* after_1_h = "try again after 1 h";
constexpr const char* after_24_h = "try again after 24 h";
constexpr const char* at_account_page = "sign in at its account page by browser";
constexpr const char* ask_owner = "ask its owner";
constexpr const char* check_sender = "check -f";
constexpr std::int64_t hour_s = 3600;
constexpr std::int64_t day_s = 86400;

constexpr const char* cause_recipients_a_day = "provider limit, 10000 recipients a day";
constexpr const char* cause_hourly = "hourly limit of {recipient} reached";
constexpr const char* cause_tenant_limit = "daily limit of the organization reached";
constexpr const char* cause_messages_a_day = "provider limit, number of messages a day";
constexpr const char* cause_minute = "provider limit, 30 messages a minute";
constexpr const char* cause_send_as = "{user} may not send as {sender}";
constexpr const char* cause_blocked = "provider has blocked this organization";
constexpr const char* cause_suspicious = "provider is suspicious of this organization";
constexpr const char* cause_connector = "no relay connector fits this host";
constexpr const char* cause_too_large = "message is too large for the server";
constexpr const char* cause_large_mailbox = "message is too large for the mailbox";
constexpr const char* cause_loop = "message goes in a circle";
constexpr const char* cause_full = "mailbox of {recipient} is full";
constexpr const char* cause_unknown = "server does not know {recipient}";
constexpr const char* cause_closed = "{recipient} takes no mail from this sender";
constexpr const char* cause_no_password = "server takes no passwords from {user}";
constexpr const char* cause_sign_in = "server refuses the sign-in of {user}";
constexpr const char* cause_browser = "server wants a sign-in by browser for {user}";
constexpr const char* cause_suspended = "provider has suspended {user}";
constexpr const char* cause_adfs = "the organization's own sign-in server (ADFS) failed for {user}";
constexpr const char* cause_check = "server cannot check the sign-in now";
constexpr const char* cause_closes = "server {host} closes for now";

constexpr const char* why_switch =
    "The switch SmtpClientAuthenticationDisabled is on. It closes SMTP to OAuth, too. An "
    "administrator opens it with Set-CASMailbox -SmtpClientAuthenticationDisabled $false, or the "
    "message goes over Graph.";
constexpr const char* why_tenant_switch =
    "SMTP sign-in is off for the whole tenant, OAuth included. An administrator opens it with "
    "Set-TransportConfig, or for one mailbox with Set-CASMailbox "
    "-SmtpClientAuthenticationDisabled $false, or the message goes over Graph.";
constexpr const char* why_basic = "The provider has retired passwords; OAuth is needed.";
constexpr const char* why_token =
    "Exchange does not say why. Wrong user (an alias, another account), a token for another "
    "resource or cloud, a missing SMTP.Send or SMTP.SendAsApp, a service principal that is not "
    "registered or has the wrong ObjectId, no right on the mailbox, no licence, or SMTP sign-in "
    "off. One fresh token was tried first.";
constexpr const char* why_recipients_a_day =
    "Exchange Online lets a mailbox write to 10,000 recipients in 24 rolling hours. A 5xx that "
    "passes by itself.";
constexpr const char* why_minute =
    "Exchange Online takes 30 messages a minute and 3 connections at once from a mailbox, and says "
    "so only behind the message.";
constexpr const char* why_hourly =
    "Somebody floods that recipient. A 5xx that says `try again later`.";
constexpr const char* why_tenant_limit =
    "The tenant's limit of external recipients in 24 rolling hours (TERRL).";
constexpr const char* why_send_as =
    "The From address is not the mailbox that signs in, and it has no Send As right: "
    "Add-RecipientPermission SENDER -Trustee USER -AccessRights SendAs.";
constexpr const char* why_blocked =
    "The provider has banned the tenant for what it sent. Only its support can lift that.";
constexpr const char* why_suspicious =
    "The provider watches this tenant or address and takes less from it for a while.";
constexpr const char* why_connector =
    "The relay connector is found by this host's address or by its certificate (the full chain is "
    "needed); neither fits.";
constexpr const char* why_size =
    "The limit of the mailbox, which SIZE does not tell: Set-Mailbox -MaxSendSize raises it to "
    "150 MB at most. Attachments grow by a third on the way.";
constexpr const char* why_loop = "Forwarding rules lead the message back to where it was.";
constexpr const char* why_unknown = "There is no such recipient.";
constexpr const char* why_closed =
    "The recipient or the group takes mail from chosen senders only.";
constexpr const char* why_full = "The recipient's mailbox is full.";
constexpr const char* why_browser =
    "Google wants to see a person sign in, or takes no password from this account.";
constexpr const char* why_suspended =
    "A personal account that the provider finds suspicious: it must be verified at its account "
    "page.";
constexpr const char* why_adfs =
    "The tenant's users sign in at a server of its own, which Exchange could not reach or does not "
    "trust.";
constexpr const char* why_service = "A passing trouble of the service.";
constexpr const char* why_connection = "The server ends the connection, for a reason of its own.";
constexpr const char* why_policy = "A policy at the receiver or in the own tenant.";
constexpr const char* why_too_many =
    "More recipients than the server takes in one transaction, or of one domain.";
constexpr const char* why_commands = "The server does not take a command that every server takes.";
constexpr const char* why_code = "No row knows this reply; the class of its code counts.";

constexpr ReplyRow rows[] = {
    // 2.5, 4.1: sign-in.
    {535, "5.7.139", "smtpclientauthentication is disabled for the tenant", at_smtp, sign_in,
     person, "SMTP sign-in is off for {user}", over_graph, 0, why_tenant_switch},
    {535, "5.7.139", "smtpclientauthentication is disabled", at_smtp, sign_in, person,
     "SMTP sign-in is off for {user}", over_graph, 0, why_switch},
    {535, "5.7.139", "basic authentication is disabled", at_smtp, sign_in, person,
     cause_no_password, by_token, 0, why_basic},
    {535, "5.7.139", "user credentials were incorrect", at_smtp, sign_in, person,
     "server refuses the password of {user}", set_password, 0, "The password is wrong."},
    {535, "5.7.139", "did not meet the criteria", at_smtp, sign_in, person,
     "a sign-in policy of the organization blocks {user}",
     "ask its administrator about Conditional Access", 0,
     "Conditional Access or another security policy of the tenant."},
    {535, "5.7.139", "security defaults", at_smtp, sign_in, person,
     "security defaults of the organization block SMTP for {user}", over_graph, 0,
     "Security defaults of the tenant block SMTP sign-in."},
    // The facts call it passing, and yet a matter for a person: held, since it lasts for days when
    // it happens and the message is sound.
    {535, "5.7.139", "sts service was unreachable", at_smtp, sign_in, person, cause_adfs, ask_admin,
     0, why_adfs},
    {535, "5.7.139", "sts url does not support https", at_smtp, sign_in, person, cause_adfs,
     ask_admin, 0, why_adfs},
    {535, "5.7.139", "", at_smtp, sign_in, person, "server does not let {user} sign in by SMTP",
     over_graph, 0, "A switch or a policy of the tenant; the words behind the number say which."},
    {535, "", "", at_password, sign_in, person, "server refuses the password of {user}",
     set_password, 0, "User name or password is wrong, or the provider takes app passwords only."},
    {535, "5.7.3", "", at_smtp, sign_in, person, "server refuses the token for {user}", cure_doctor,
     0, why_token},
    {5, "5.7.30", "", at_smtp, sign_in, person, cause_no_password, by_token, 0, why_basic},
    {5, "5.7.57", "", at_smtp, sign_in, person, "server wants a sign-in before it takes mail",
     "set auth = xoauth2 and user, then run: mailbearer login {account}", 0,
     "The account sends without signing in, which this server does not allow."},
    {501, "5.5.127", "", at_smtp, later, soon, "server wants a token that lasts longer", cure_again,
     0, "The token would end too soon (HVE). A fresh one was tried first; the next one will last."},
    {501, "5.5.124", "", at_smtp, setting, person, "{user} is no account of this server",
     "set user to the account that signs in", 0, "The user of the token is no HVE account."},
    {534, "5.7.9", "", at_smtp, sign_in, person, cause_browser, cure_login, 0, why_browser},
    {534, "5.7.14", "", at_smtp, sign_in, person, cause_browser, cure_login, 0, why_browser},
    {534, "", "", at_auth, sign_in, person, "server wants a stronger sign-in than this", cure_login,
     0, "The mechanism is too weak for this user (RFC 4954)."},
    {535, "", "\"status\":\"400\"", at_auth, sign_in, person,
     "token for {user} was given for another purpose",
     "check scope, then run: mailbearer login {account}", 0,
     "Google takes one scope for SMTP, https://mail.google.com/; gmail.send is for its HTTP API."},
    {535, "5.7.8", "", at_smtp, sign_in, person, cause_sign_in, cure_doctor, 0,
     "Token or user is wrong, expired or revoked. One fresh token was tried first."},
    {535, "", "", at_smtp, sign_in, person, cause_sign_in, cure_doctor, 0,
     "Token or user is wrong, expired or revoked. One fresh token was tried first."},
    {538, "", "", at_auth, setting, person, "server takes this sign-in only inside TLS",
     "set smtp_tls = starttls", 0, "The connection is not encrypted (RFC 4954)."},
    {530, "", "starttls", at_smtp, setting, person, "server wants STARTTLS first",
     "set smtp_tls = starttls", 0, "The server takes nothing before the connection is encrypted."},
    {530, "", "", at_smtp, sign_in, person, "server wants a sign-in before it takes mail",
     "set auth and user, then run: mailbearer login {account}", 0,
     "The account sends without signing in, which this server does not allow."},
    {500, "5.5.6", "", at_smtp, setting, person, "access token is too long for the server",
     "have fewer groups or roles put into it", 0,
     "RFC 4954 has servers take 12,288 octets of base64; this one takes less."},
    {504, "", "", at_auth, setting, person, "server does not know this way of signing in",
     "set auth to one that it offers", 0, "The mechanism is offered and yet not there."},
    // A 4xx by its code, but waiting does not help: RFC 4954 section 6 wants the user to act.
    {432, "4.7.12", "", at_auth, sign_in, person, "{user} must sign in another way once",
     "ask the provider, then run: mailbearer login {account}", 0,
     "A password transition is needed before this mechanism can be used (RFC 4954)."},
    {454, "4.7.0", "too many", at_auth, later, soon, "server had too many sign-ins of {user}",
     "try again after 10 min", 600, "Too many sign-ins in a short time."},
    {454, "", "", at_auth, later, soon, cause_check, cure_again, 0, why_service},
    {421, "4.7.66", "", at_smtp, setting, person, "server wants a newer TLS", "update OpenSSL", 0,
     "The server takes TLS 1.2 or newer only."},

    // 2.6: the provider's limits. 5xx that pass by themselves.
    {432, "4.3.2", "recipient thread", at_smtp, later, soon,
     "provider limit: too much at once for {recipient}", after_40_s, 40,
     "That recipient gets too many messages at the same time."},
    {432, "4.3.2", "concurrent", at_smtp, later, soon,
     "provider limit, 30 messages a minute and 3 connections", after_40_s, 40, why_minute},
    {432, "4.3.2", "", at_smtp, later, soon, cause_minute, after_40_s, 40, why_minute},
    {5, "", "submissionquotaexceeded", at_smtp, later, soon, cause_recipients_a_day, after_1_h,
     hour_s, why_recipients_a_day},
    {5, "", "submission quota exceeded", at_smtp, later, soon, cause_recipients_a_day, after_1_h,
     hour_s, why_recipients_a_day},
    {5, "5.1.90", "", at_smtp, later, soon, cause_recipients_a_day, after_1_h, hour_s,
     why_recipients_a_day},
    {5, "5.2.121", "", at_smtp, later, soon, cause_hourly, after_1_h, hour_s, why_hourly},
    {5, "5.2.122", "", at_smtp, later, soon, cause_hourly, after_1_h, hour_s, why_hourly},
    {5, "5.7.232", "", at_smtp, later, soon, cause_tenant_limit, after_1_h, hour_s,
     why_tenant_limit},
    {5, "5.7.233", "", at_smtp, later, soon, cause_tenant_limit, after_1_h, hour_s,
     why_tenant_limit},
    {5, "5.4.5", "sending limit", at_smtp, later, soon, cause_messages_a_day, after_1_h, hour_s,
     "Gmail: 500 messages a day, Workspace 2,000. A 550 that passes within 1 to 24 hours."},
    {5, "5.4.5", "", at_smtp, later, soon, "mail system is congested", after_1_h, hour_s,
     "RFC 3463: X.4.5 is useful only as a passing condition, whatever the code."},
    {5, "", "refusequota", at_smtp, later, soon, cause_messages_a_day, after_24_h, day_s,
     "The daily quota of a personal account is used up."},
    {452, "4.5.3", "", at_smtp, later, soon, "too many recipients at once", fewer, 0, why_too_many},
    {4, "4.5.3", "", at_smtp, later, soon, "too many recipients at once", fewer, 0, why_too_many},
    {550, "5.5.3", "", at_smtp, bad, never, "too many recipients for one message",
     "send it to fewer recipients", 0, why_too_many},

    // 2.6: the sender.
    {5, "5.7.60", "", at_smtp, forbidden, person, cause_send_as, send_as, 0, why_send_as},
    {5, "5.2.252", "", at_smtp, forbidden, person, cause_send_as, send_as, 0, why_send_as},
    {5, "", "sendasdenied", at_smtp, forbidden, person, cause_send_as, send_as, 0, why_send_as},
    {5, "", "send as this sender", at_smtp, forbidden, person, cause_send_as, send_as, 0,
     why_send_as},
    {5, "5.1.8", "bad outbound sender", at_smtp, forbidden, person,
     "provider has restricted {user}", "unblock it in Microsoft Defender", 0,
     "The mailbox is a restricted user: too much of what it sent looked like spam."},
    {5, "", "quotaexceededexception", at_smtp, sign_in, person,
     "mailbox of {user} is full and cannot keep a sent copy", "empty it, or set a retention policy",
     0, "Each message leaves a copy in Sent Items, and that folder has filled the mailbox."},
    {5, "", "verdict is suspend", at_smtp, sign_in, person, cause_suspended, at_account_page, 0,
     why_suspended},
    {5, "", "verdict is hip", at_smtp, sign_in, person, "provider wants {user} verified",
     at_account_page, 0, why_suspended},
    {5, "", "outboundspamexception", at_smtp, sign_in, person, cause_suspended, at_account_page, 0,
     why_suspended},
    {5, "5.7.501", "", at_smtp, forbidden, person, cause_blocked, ask_provider, 0, why_blocked},
    {5, "5.7.502", "", at_smtp, forbidden, person, cause_blocked, ask_provider, 0, why_blocked},
    {5, "5.7.503", "", at_smtp, forbidden, person, cause_blocked, ask_provider, 0, why_blocked},
    {5, "5.7.705", "", at_smtp, forbidden, person, cause_blocked, ask_provider, 0,
     "The tenant has exceeded a threshold of what it may send."},
    {5, "5.7.708", "", at_smtp, forbidden, person, "provider takes no mail from this address",
     ask_provider, 0, "The address of this host has a bad name with the provider."},
    {5, "5.7.750", "", at_smtp, forbidden, person, "provider does not know the domain of {sender}",
     "register it, then send again", 0,
     "The tenant sends from domains that it has not registered."},
    {5, "5.7.800", "", at_smtp, forbidden, person, cause_blocked, ask_provider, 0, why_blocked},
    {4, "4.7.500-699", "", at_smtp, later, soon, cause_suspicious, cure_again, 0, why_suspicious},
    {4, "4.7.850-899", "", at_smtp, later, soon, cause_suspicious, cure_again, 0, why_suspicious},
    {5, "5.7.64", "", at_smtp, setting, person, cause_connector, check_connector, 0, why_connector},
    {4, "4.4.62", "", at_smtp, setting, person, cause_connector, check_connector, 0, why_connector},
    {5, "5.7.68", "", at_smtp, setting, person, "the organization refuses Direct Send",
     "use a connector, or sign in: mailbearer login {account}", 0,
     "RejectDirectSend is on: mail of the tenant's own domains needs a connector or a sign-in."},
    {5, "5.5.105", "", at_smtp, refused, never,
     "this account may write inside its organization only", "use another account", 0,
     "High Volume Email delivers inside the organization only."},
    {5, "5.7.506", "", at_smtp, setting, person, "server refuses the name of this host",
     "set helo to the full name of this host", 0, "The name in EHLO is the server's own."},

    // 2.2, 2.6, 4.1: the content.
    {5, "", "message size exceeds", at_smtp, bad, never, cause_large_mailbox, smaller, 0, why_size},
    {5, "5.3.4", "header size", at_mail | at_rcpt | at_content, bad, never,
     "header is too large for the server", "shorten it", 0,
     "Exchange takes 256 KB of header. It said the same when BDAT was used."},
    {5, "5.3.4", "", at_mail | at_rcpt | at_content, bad, never, cause_too_large, smaller, 0,
     why_size},
    {5, "5.2.3", "", at_smtp, bad, never, cause_too_large, smaller, 0,
     "Gmail takes 25 MB; attachments grow by a third on the way."},
    {552, "5.7.0", "", at_smtp, bad, never, "server refuses an attachment", "send it another way",
     0, "Gmail blocks attachments that can be run."},
    {5, "5.6.211", "", at_smtp, bad, never, "a header field is over 32 KB", "shorten it", 0,
     "Exchange takes 32 KB in one header field."},
    {5, "5.6.0", "imc53", at_content, bad, never, "a header field is too long for the server",
     "shorten References or the recipients", 0, "Exchange could not convert a very long field."},
    {5, "5.6.0", "", at_content, bad, never, "server cannot read the message",
     "check its MIME structure", 0, "The MIME structure is broken, or a field is very long."},
    {5, "5.6.11", "", at_content, bad, never, "server finds forbidden characters in the message",
     "check its line ends and control characters", 0, "A bare CR or LF, or another such octet."},
    {5, "5.6.7", "", at_smtp, bad, never, "server takes no UTF-8 addresses", "use an ASCII address",
     0, "An address needs SMTPUTF8, which the server or the next one lacks."},
    {5, "5.1.20", "", at_smtp, bad, never, "several From addresses and no Sender",
     "add a Sender field", 0, "RFC 5322 3.6.2 wants a Sender then."},
    {5, "5.7.512", "", at_smtp, bad, never, "From field is missing or malformed", "correct it", 0,
     "RFC 5322 3.6.2: one From field with a proper address."},
    {5, "5.7.509", "", at_smtp, bad, never, "DMARC of {sender} forbids this way",
     "set it up for {host}", 0, "The sender's domain tells receivers to refuse mail of this way."},
    {5, "5.7.23", "", at_smtp, bad, never, "SPF of {sender} forbids this way",
     "set it up for {host}", 0, "The SPF record of the sender's domain does not name this way."},
    {5, "5.7.515", "", at_smtp, bad, never, "domain of {sender} is not authenticated",
     "set up SPF, DKIM and DMARC", 0, "The receiver wants SPF, DKIM and DMARC to pass."},
    {5, "5.7.703", "", at_smtp, bad, never, "a policy of the organization blocks the message",
     ask_admin, 0, why_policy},
    {5, "5.4.6", "", at_smtp, bad, never, cause_loop, "check forwarding rules", 0, why_loop},
    {5, "5.4.14", "", at_smtp, bad, never, cause_loop, "check forwarding rules", 0, why_loop},

    // 2.6, 4.1: the recipient.
    {5, "5.2.2", "", at_rcpt | at_content, refused, never, cause_full,
     "reach its owner another way", 0, why_full},
    {4, "4.2.2", "", at_smtp, later, soon, cause_full, after_1_h, hour_s, why_full},
    {4, "4.2.1", "", at_rcpt | at_content, later, soon, "{recipient} gets too much mail now",
     cure_again, 0, "Gmail: too many messages for that recipient at once."},
    {5, "5.1.1", "", at_smtp, refused, never, cause_unknown, check_address, 0, why_unknown},
    {5, "5.1.10", "", at_smtp, refused, never, cause_unknown, check_address, 0, why_unknown},
    {5, "5.1.2", "", at_rcpt, refused, never, "domain of {recipient} does not exist", check_address,
     0, why_unknown},
    {5, "5.1.3", "", at_rcpt, refused, never, "server cannot read the address {recipient}",
     check_address, 0, "The address is malformed for this server."},
    {5, "5.1.6", "", at_rcpt, refused, never, "{recipient} has moved", check_address, 0,
     why_unknown},
    {5, "5.2.1", "", at_rcpt, refused, never, "mailbox of {recipient} is disabled", check_address,
     0, why_unknown},
    {5, "5.4.1", "", at_rcpt | at_content, refused, never, cause_unknown, check_address, 0,
     why_unknown},
    {5, "5.5.0", "", at_rcpt | at_content, refused, never, cause_unknown, check_address, 0,
     why_unknown},
    {5, "5.7.504", "", at_smtp, refused, never, cause_unknown, check_address, 0, why_unknown},
    {5, "5.7.505", "", at_smtp, refused, never, cause_unknown, check_address, 0, why_unknown},
    {5, "5.7.12", "", at_smtp, refused, never, cause_closed, ask_owner, 0, why_closed},
    {5, "5.7.124", "", at_smtp, refused, never, cause_closed, ask_owner, 0, why_closed},
    {5, "5.7.133-136", "", at_smtp, refused, never, cause_closed, ask_owner, 0, why_closed},
    {5, "5.7.1", "relay", at_rcpt, refused, never, "server does not relay to {recipient}",
     "check the address, or sign in: mailbearer login {account}", 0,
     "The server takes mail for strangers only from those who signed in."},
    {5, "5.7.1", "", at_rcpt, refused, never, "server refuses {recipient}", check_address, 0,
     why_closed},
    {5, "5.7.1", "", at_content, bad, never, "a policy of the server refuses the message",
     "correct it, then send again", 0, "Content, sender or recipient displeases a policy."},
    {5, "5.1.7", "", at_mail, bad, never, "server cannot read the sender {sender}", check_sender, 0,
     "The reverse-path is malformed for this server."},

    // 2.5, 2.6, 4.1: trouble that passes.
    {4, "4.4.1", "", at_smtp, later, soon, cause_closes, cure_again, 0,
     "The session was idle, or lasted, for too long."},
    {4, "4.4.2", "", at_smtp, later, soon, cause_closes, cure_again, 0,
     "The session was idle, or lasted, for too long."},
    {421, "4.4.5", "", at_smtp, later, soon, "server {host} is too busy", cure_again, 0,
     "Gmail: too many connections or too much mail at the moment."},
    {421, "4.7.0", "", at_smtp, later, soon, "server {host} takes no mail from this host now",
     cure_again, 0, "Gmail: this address sends unusually much, or the connection is not trusted."},
    {4, "4.3.2", "", at_smtp, later, soon, "server {host} takes no mail now", cure_again, 0,
     why_service},

    // The code alone (RFC 5321 4.2.3), with its stage.
    {552, "", "", at_mail | at_rcpt | at_content, bad, never, cause_too_large, smaller, 0,
     "More than the server stores; no row knows the words."},
    {421, "", "", at_smtp, later, soon, cause_closes, cure_again, 0, why_connection},
    {452, "", "", at_smtp, later, soon, "server is out of space", cure_again, 0, why_service},
    {500, "5.3.3", "", at_mail | at_rcpt | at_data, nonsense, never,
     "server {host} does not know a command of SMTP", check_host, 0, why_commands},
    {501, "", "", at_mail, bad, never, "server cannot read the sender {sender}", check_sender, 0,
     "The reverse-path is malformed for this server."},

    // The class of the code, with its stage. Before MAIL FROM it is not about the message: a 5xx
    // there is for a person to mend, or passes, and nothing goes back to the sender.
    {4, "", "", at_banner, later, soon, "server {host} takes no connections now", cure_again, 0,
     why_code},
    {4, "", "", at_ehlo, later, soon, "server {host} cannot go on now", cure_again, 0, why_code},
    {4, "", "", at_starttls, later, soon, "server {host} has no TLS now", cure_again, 0, why_code},
    {4, "", "", at_auth, later, soon, cause_check, cure_again, 0, why_code},
    {4, "", "", at_mail, later, soon, "server takes no mail from {sender} now", cure_again, 0,
     why_code},
    {4, "", "", at_rcpt, later, soon, "server takes no mail for {recipient} now", cure_again, 0,
     why_code},
    {4, "", "", at_content, later, soon, "server does not take the message now", cure_again, 0,
     why_code},
    {5, "", "", at_banner, setting, person, "server {host} refuses this host", check_host, 0,
     why_code},
    {5, "", "", at_ehlo, nonsense, soon, "server {host} does not speak ESMTP", check_host, 0,
     why_code},
    {5, "", "", at_starttls, later, soon, "server {host} refuses TLS",
     "check smtp_port, or set smtp_tls = implicit", 0, why_code},
    {5, "", "", at_auth, sign_in, person, cause_sign_in, cure_doctor, 0, why_code},
    {5, "", "", at_mail, forbidden, never, "server takes no mail from {sender}",
     "check the sender, or `from`", 0, why_code},
    {5, "", "", at_rcpt, refused, never, "server refuses {recipient}", check_address, 0, why_code},
    {5, "", "", at_content, bad, never, "server refuses the message", "correct it, then send again",
     0, why_code},
};

}  // namespace

std::span<const ReplyRow> smtp_reply_rows() {
  return rows;
}

}  // namespace base
