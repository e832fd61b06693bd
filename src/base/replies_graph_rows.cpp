// The rows of Microsoft Graph. The first one that fits counts: known codes first, then the HTTP
// status. Source: facts/providers.md 3.5 to 3.8. The facts have the names of the 401, 409 and 5xx
// rows from general knowledge; there the status decides as it would without them.
#include "base/replies_row.h"

namespace base {

namespace {

constexpr Fault bad = Fault::bad_message;
constexpr Fault later = Fault::unavailable;
constexpr Fault sign_in = Fault::sign_in_needed;
constexpr Fault forbidden = Fault::not_permitted;
constexpr Fault setting = Fault::config;
constexpr FaultClass never = FaultClass::permanent;
constexpr FaultClass soon = FaultClass::temporary;
constexpr FaultClass person = FaultClass::hold;

constexpr const char* check_mime = "check its MIME structure";
constexpr const char* smaller = "send less, a link, or over SMTP";
constexpr const char* check_user = "check user and graph_endpoint of {account}";
constexpr const char* get_licence = "give it a licence, or set transport = smtp";
constexpr const char* send_as = "grant Send As, or set rewrite_from = always";
constexpr const char* grant_send = "grant the app Mail.Send, and {user} within its scope";
constexpr const char* check_endpoint = "check graph_endpoint of {account}";

constexpr const char* cause_mime = "provider cannot read the message ({code})";
constexpr const char* cause_too_large = "message is too large for Graph ({code})";
constexpr const char* cause_token = "provider refuses the token for {user} ({code})";
constexpr const char* cause_no_mailbox = "{user} has no mailbox that Graph reaches ({code})";
constexpr const char* cause_no_user = "provider does not know {user} ({code})";
constexpr const char* cause_limit = "provider limit, too many requests ({code})";
constexpr const char* cause_permission = "app may not send for {user} ({code})";
constexpr const char* cause_changed = "draft was changed by somebody else ({code})";
constexpr const char* cause_busy = "provider is busy ({code})";

constexpr const char* why_size =
    "One call takes 4 MB, which is 3 MB of message in base64; graph_large = upload sends more.";
constexpr const char* why_token =
    "The token is not valid, for another service, or too old. One fresh token was tried first.";
constexpr const char* why_permission =
    "Mail.Send is not granted, nobody consented, or a policy (RBAC for Applications) leaves the "
    "mailbox out; a change there takes up to 2 hours to count.";
constexpr const char* why_no_mailbox =
    "The mailbox is on premises, without a licence, inactive, or gone.";
constexpr const char* why_wrong_user = "user names nobody, or the wrong one.";
constexpr const char* why_limit =
    "10,000 requests in 10 minutes, 150 MB in 5 minutes, 4 at once, for an app and a mailbox. "
    "Retry-After is obeyed.";
constexpr const char* why_changed =
    "The draft has another state than was thought; it is made anew.";
constexpr const char* why_busy = "A passing trouble of the service.";
constexpr const char* why_status = "No row knows this answer; the class of its HTTP status counts.";
constexpr const char* why_full = "Sent Items, for example, has filled the mailbox.";

constexpr ReplyRow rows[] = {
    // 3.8: only 202 is a success. An oversized message was once answered 200 and never sent.
    {200, "", "", at_graph, Fault::outcome_unknown, person, "provider answered {status}, not 202",
     "look for it in Sent Items before sending it again", 0,
     "Only 202 says that the message was taken."},
    {201, "", "", at_graph, Fault::outcome_unknown, person, "provider answered {status}, not 202",
     "look for it in Sent Items before sending it again", 0,
     "Only 202 says that the message was taken."},
    {204, "", "", at_graph, Fault::outcome_unknown, person, "provider answered {status}, not 202",
     "look for it in Sent Items before sending it again", 0,
     "Only 202 says that the message was taken."},
    {0, "ErrorMimeContentInvalidBase64String", "", at_graph, Fault::bug, never,
     "provider cannot read our base64", "run: mailbearer doctor {account}", 0,
     "The body of the request is our own work: a fault of ours, or of something in between."},
    {0, "ErrorMimeContentConversionFailed", "", at_graph, bad, never, cause_mime, check_mime, 0,
     "The MIME structure is broken, or beyond what Exchange converts."},
    {0, "ErrorInvalidRecipients", "no recipients", at_graph, bad, never,
     "message names no recipient ({code})", "add a recipient", 0,
     "Graph delivers to To, Cc and Bcc of the message; all of them are empty."},
    {0, "ErrorInvalidRecipients", "", at_graph, Fault::bad_recipient, never,
     "provider refuses a recipient ({code})", "check the addresses", 0,
     "An address in To, Cc or Bcc is malformed."},
    {0, "InvalidInternetMessageHeader", "", at_graph, bad, never,
     "provider takes no header field of that name ({code})", "drop it, or begin its name with X-",
     0, "A message sent in parts may carry five fields of its own, each beginning with X-."},
    {0, "ErrorMessageSizeExceeded", "", at_graph, bad, never, cause_too_large, smaller, 0,
     why_size},
    {0, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize", "", at_graph, Fault::bug, never,
     "attachment is too small for an upload session", "run: mailbearer doctor {account}", 0,
     "Attachments below 3 MB go in one call; choosing is our own work."},
    {413, "", "", at_graph, bad, never, "message is too large for Graph (413)", smaller, 0,
     why_size},
    {401, "", "insufficient_claims", at_graph, sign_in, person,
     "provider wants {user} to sign in anew", cure_login, 0,
     "Conditional Access changed, or asks for more: a sign-in with the claims it names."},
    {401, "InvalidAuthenticationToken", "lifetime validation failed", at_graph, sign_in, person,
     "token for {user} is too old ({code})", cure_login, 0, why_token},
    {401, "InvalidAuthenticationToken", "", at_graph, sign_in, person, cause_token, cure_login, 0,
     why_token},
    {401, "CompactTokenParsingFailed", "", at_graph, sign_in, person, cause_token, cure_login, 0,
     why_token},
    {0, "ErrorSendAsDenied", "", at_graph, forbidden, person, "{user} may not send as {sender}",
     send_as, 0,
     "Another From needs Mail.Send.Shared and Send As or Send on Behalf, and FullAccess where the "
     "call is made for the other mailbox."},
    {0, "ErrorAccessDenied", "", at_graph, sign_in, person, cause_permission, grant_send, 0,
     why_permission},
    {0, "Authorization_RequestDenied", "", at_graph, sign_in, person, cause_permission, grant_send,
     0, why_permission},
    {0, "MailboxNotEnabledForRESTAPI", "", at_graph, setting, person, cause_no_mailbox, get_licence,
     0, why_no_mailbox},
    {0, "MailboxNotSupportedForRESTAPI", "", at_graph, setting, person, cause_no_mailbox,
     get_licence, 0, why_no_mailbox},
    {0, "ErrorInvalidUser", "", at_graph, setting, person, cause_no_user, check_user, 0,
     why_wrong_user},
    {0, "ResourceNotFound", "", at_graph, setting, person, cause_no_user, check_user, 0,
     why_wrong_user},
    {0, "ErrorItemNotFound", "", at_graph, setting, person, cause_no_user, check_user, 0,
     why_wrong_user},
    {0, "ApplicationThrottled", "mailboxconcurrency", at_graph, later, soon,
     "provider limit, 4 requests at once ({code})", cure_again, 0, why_limit},
    {0, "ApplicationThrottled", "", at_graph, later, soon, cause_limit, cure_again, 0, why_limit},
    {0, "TooManyRequests", "", at_graph, later, soon, cause_limit, cure_again, 0, why_limit},
    {0, "ErrorExceededMessageLimit", "", at_graph, later, soon,
     "provider limit, number of messages a day ({code})", "try again after 24 h", 86400,
     "The daily limit. A personal account may have to be verified at its account page."},
    // A quota is a matter for a person here, whatever the status: 507 would be temporary.
    {0, "ErrorQuotaExceeded", "", at_graph, sign_in, person, "mailbox of {user} is full ({code})",
     "empty it, or set a retention policy", 0, why_full},
    {0, "ErrorMailboxStoreUnavailable", "", at_graph, later, soon, cause_busy, cure_again, 0,
     why_busy},
    {0, "ErrorIrresolvableConflict", "", at_graph, later, soon, cause_changed, cure_again, 0,
     why_changed},
    {0, "ErrorInternalServerTransientError", "", at_graph, later, soon, cause_busy, cure_again, 0,
     why_busy},
    {0, "ErrorServerBusy", "", at_graph, later, soon, cause_busy, cure_again, 0, why_busy},
    {0, "ErrorTimeoutExpired", "", at_graph, later, soon, cause_busy, cure_again, 0, why_busy},

    // The status alone.
    {401, "", "", at_graph, sign_in, person, "provider refuses the token for {user} (401)",
     cure_login, 0, why_token},
    {403, "", "", at_graph, sign_in, person, "app may not send for {user} (403)", grant_send, 0,
     why_permission},
    {404, "", "", at_graph, setting, person, "provider does not know {user} (404)", check_user, 0,
     why_wrong_user},
    {408, "", "", at_graph, later, soon, "provider waited too long for us (408)", cure_again, 0,
     why_busy},
    {409, "", "", at_graph, later, soon, "draft was changed by somebody else (409)", cure_again, 0,
     why_changed},
    {412, "", "", at_graph, later, soon, "draft was changed by somebody else (412)", cure_again, 0,
     why_changed},
    {429, "", "", at_graph, later, soon, "provider asks for fewer requests (429)", cure_again, 0,
     why_limit},
    {507, "", "", at_graph, sign_in, person, "mailbox of {user} is full (507)",
     "empty it, or set a retention policy", 0, why_full},
    {509, "", "", at_graph, later, soon, "provider asks for fewer requests (509)", cure_again, 0,
     why_limit},
    {5, "", "", at_graph, later, soon, "provider is busy ({status})", cure_again, 0, why_busy},
    {4, "", "", at_graph, bad, never, "provider refuses the message ({status})",
     "correct it, then send again", 0, why_status},
    {0, "", "", at_graph, setting, person, "Graph endpoint answered {status}", check_endpoint, 0,
     "No answer that Graph gives: perhaps something else answered."},
};

}  // namespace

std::span<const ReplyRow> graph_reply_rows() {
  return rows;
}

}  // namespace base
