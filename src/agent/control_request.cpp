// The requests of the second socket, one function a verb.
#include <algorithm>
#include <array>
#include <utility>

#include "account/choose.h"
#include "agent/control.h"
#include "agent/control_json.h"
#include "base/text.h"
#include "report/exit_code.h"
#include "report/tell.h"
#include "token/keyring.h"

namespace agent {

namespace {

using base::Done;
using base::Error;
using base::failure;
using base::Fault;

constexpr std::int64_t secret_limit_bytes = std::int64_t{64} * 1024;

struct Request {
  const ControlDoors& doors;
  const Asked& asked;
  const std::function<bool(const std::string& line)>& put;
  std::vector<std::string> words{};

  queue::Whose whose() const {
    return asked.may_all ? queue::Whose{} : queue::Whose{asked.peer.uid};
  }
  std::string word(std::size_t i) const { return i < words.size() ? words[i] : std::string(); }
};

Done list(const Request& request) {
  request.doors.queue->list(request.whose(),
                            [&](const queue::Row& row) { return request.put(row_json(row)); });
  return base::done();
}

// Text of several lines: each is a line of the reply.
bool put_text(const Request& request, const std::string& text) {
  const std::vector<std::string_view> lines = base::split(text, '\n');
  return std::all_of(lines.begin(), lines.end(),
                     [&](std::string_view line) { return request.put(std::string(line)); });
}

Done mailq(const Request& request) {
  std::size_t messages = 0;
  std::uint64_t bytes = 0;
  request.doors.queue->list(request.whose(), [&](const queue::Row& row) {
    if (messages == 0 && !put_text(request, mailq_head())) return false;
    ++messages;
    bytes += row.bytes;
    return put_text(request, mailq_row(row));
  });
  put_text(request, mailq_foot(bytes, messages));
  return base::done();
}

Done show(const Request& request) {
  base::Result<queue::Row> row = request.doors.queue->show(request.word(2), request.whose());
  if (!row) return std::move(row).error();
  request.put(row_json(*row));
  return base::done();
}

Done retry(const Request& request) {
  if (request.word(2) != "*") return request.doors.queue->retry(request.word(2), request.whose());
  const std::uint64_t count = request.doors.queue->retry_all(request.whose(), request.word(3));
  request.put(released_json({count, 0}));
  return base::done();
}

Done queue_verb(const Request& request) {
  struct Row {
    std::string_view word;
    std::size_t words;  // the verb and its own included
    Done (*run)(const Request& request);
  };
  static constexpr std::array rows = {
      Row{"list", 2, list},
      Row{"mailq", 2, mailq},
      Row{"show", 3, show},
      Row{"retry", 3, retry},
      Row{"hold", 3, [](const Request& r) { return r.doors.queue->hold(r.word(2), r.whose()); }},
      Row{"release", 3,
          [](const Request& r) { return r.doors.queue->release(r.word(2), r.whose()); }},
      Row{"remove", 3,
          [](const Request& r) { return r.doors.queue->remove(r.word(2), r.whose()); }},
  };
  for (const Row& row : rows) {
    if (row.word == request.word(1) && request.words.size() >= row.words) return row.run(request);
  }
  return failure(Fault::usage, "unknown request of the queue",
                 "install agent and command of one version");
}

Done status(const Request& request) {
  request.put(status_json(request.doors.queue->status(), *request.doors.in_force));
  return base::done();
}

Done release(const Request& request) {
  if (request.doors.released) request.doors.released(request.word(1));
  request.put(released_json(request.doors.queue->release_account(request.word(1))));
  return base::done();
}

Done reload(const Request& request) {
  request.doors.reload();
  const std::optional<Error> fault = request.doors.in_force->fault();
  return fault ? Done(*fault) : base::done();
}

// --- Secrets of the agent's accounts: sealed by it, so that they are its own.

struct Slot {
  SharedConfiguration configuration;
  const account::Account* account;
  token::Kind kind;
  std::unique_ptr<token::Keyring> keyring;
};

base::Result<Slot> slot_of(const Request& request) {
  Slot slot{request.doors.in_force->get(), nullptr, token::Kind::refresh_token, nullptr};
  if (slot.configuration == nullptr) return failure(Fault::config, "no configuration is in force");
  base::Result<const account::Account*> found =
      account::find_account(*slot.configuration, request.word(2));
  if (!found) return std::move(found).error();
  if ((*found)->broken) return *(*found)->broken;
  slot.account = *found;
  const std::optional<token::Kind> kind = token::kind_of(request.word(3));
  if (!kind) return failure(Fault::usage, "unknown kind of secret");
  slot.kind = *kind;
  base::Result<std::unique_ptr<token::Keyring>> keyring =
      token::open_keyring(*slot.account, {request.doors.around->environment.credentials_directory});
  if (!keyring) return std::move(keyring).error();
  slot.keyring = std::move(*keyring);
  return slot;
}

Done secret_set(const Request& request) {
  std::int64_t bytes = 0;
  if (!base::parse_number(request.word(4), 1, secret_limit_bytes, bytes)) {
    return failure(Fault::bad_message, "secret is empty or longer than 64 KiB");
  }
  // The bytes are there whatever becomes of them: they must not be read as a request.
  base::Result<base::Secret> secret = request.asked.more(static_cast<std::size_t>(bytes));
  if (!secret) return std::move(secret).error();
  request.doors.reload();  // the account may just have been written
  base::Result<Slot> slot = slot_of(request);
  if (!slot) return std::move(slot).error();
  Done stored = slot->keyring->store(*slot->account, slot->kind, *secret);
  if (stored) request.doors.queue->release_account(slot->account->name);
  return stored;
}

Done secret_clear(const Request& request) {
  base::Result<Slot> slot = slot_of(request);
  if (!slot) return std::move(slot).error();
  base::Result<bool> erased = slot->keyring->erase(*slot->account, slot->kind);
  if (!erased) return std::move(erased).error();
  if (request.doors.released) request.doors.released(slot->account->name);
  request.put(flag_json("erased", *erased));
  return base::done();
}

Done secret_status(const Request& request) {
  base::Result<Slot> slot = slot_of(request);
  if (!slot) return std::move(slot).error();
  base::Result<std::optional<base::Secret>> held = slot->keyring->load(*slot->account, slot->kind);
  if (!held) return std::move(held).error();
  request.put(flag_json("stored", held->has_value()));
  return base::done();
}

Done secret_verb(const Request& request) {
  if (request.word(1) == "set" && request.words.size() == 5) return secret_set(request);
  if (request.word(1) == "clear" && request.words.size() == 4) return secret_clear(request);
  if (request.word(1) == "status" && request.words.size() == 4) return secret_status(request);
  return failure(Fault::usage, "unknown request of secrets",
                 "install agent and command of one version");
}

struct Verb {
  std::string_view word;
  bool for_all;  // only for those who may see everything
  Done (*run)(const Request& request);
};
constexpr std::array verbs = {
    Verb{"XQUEUE", false, queue_verb},  Verb{"XSTATUS", true, status},
    Verb{"XRELEASE", true, release},    Verb{"XRELOAD", true, reload},
    Verb{"XSECRET", true, secret_verb},
};

}  // namespace

std::string answer_request(const ControlDoors& doors, const Asked& asked,
                           const std::function<bool(const std::string& line)>& put) {
  const Request request{doors, asked, put, base::words(asked.line)};
  Done done = failure(Fault::usage, "unknown request", "install agent and command of one version");
  for (const Verb& verb : verbs) {
    if (verb.word != request.word(0)) continue;
    done = verb.for_all && !asked.may_all
               ? Done(failure(Fault::not_permitted, "only root and group mailbearer may ask this",
                              "use sudo"))
               : verb.run(request);
  }
  if (done) return "250 2.0.0 Ok x=0";
  const Error& error = done.error();
  std::string sentence = base::clean(error.cause, 400);
  if (!error.cure.empty()) sentence += "; " + base::clean(error.cure, 300);
  return "554 5.0.0 " + sentence + " x=" + std::to_string(report::exit_code(error.fault));
}

}  // namespace agent
