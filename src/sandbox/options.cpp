#include "sandbox/options.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace sandbox {

namespace {

using base::failure;
using base::Fault;

struct Flag {
  std::string_view name;
  bool Options::*member;
};
struct Number {
  std::string_view name;
  std::int64_t Options::*member;
  std::int64_t low;
  std::int64_t high;
};
struct Text {
  std::string_view name;
  std::string Options::*member;
};

constexpr std::array flags = {
    Flag{"--strict-rotation", &Options::strict_rotation},
    Flag{"--chunking", &Options::chunking},
    Flag{"--oauthbearer", &Options::oauthbearer},
    Flag{"--challenge", &Options::challenge},
    Flag{"--null-sender", &Options::null_sender},
    Flag{"--without-auth", &Options::without_auth},
    Flag{"--strict-auth-line", &Options::strict_auth_line},
    Flag{"--replace-message-id", &Options::replace_message_id},
    Flag{"--graph-drop-headers", &Options::graph_drop_headers},
    Flag{"--graph-drop-x-headers", &Options::graph_drop_x_headers},
    Flag{"--until-stdin-closes", &Options::until_stdin_closes},
    Flag{"--help", &Options::help},
    Flag{"--version", &Options::version},
};

constexpr std::int64_t any_size = 1LL << 40;
constexpr std::array numbers = {
    Number{"--http-port", &Options::http_port, 0, 65535},
    Number{"--smtp-port", &Options::smtp_port, 0, 65535},
    Number{"--smtps-port", &Options::smtps_port, 0, 65535},
    Number{"--expires-in", &Options::expires_in_s, 0, 1'000'000'000},
    Number{"--device-interval", &Options::device_interval_s, 0, 3600},
    Number{"--size-limit", &Options::size_limit, 0, any_size},
    Number{"--store-limit", &Options::store_limit, 0, any_size},
    Number{"--recipient-limit", &Options::recipient_limit, 1, 100'000},
    Number{"--line-limit", &Options::line_limit, 0, any_size},
    Number{"--limit-messages-per-minute", &Options::messages_per_minute, 0, 1'000'000},
    Number{"--limit-connections", &Options::connections_per_mailbox, 0, 10'000},
    Number{"--tarpit-ms", &Options::tarpit_ms, 0, 600'000},
    Number{"--timeout", &Options::timeout_s, 1, 86'400},
    Number{"--graph-request-limit", &Options::graph_request_limit, 1, 4 * 1024 * 1024},
    Number{"--graph-at-once", &Options::graph_at_once, 0, 10'000},
    Number{"--graph-session-minimum", &Options::graph_session_minimum, 0, any_size},
    Number{"--graph-session-life", &Options::graph_session_s, 0, 1'000'000},
    Number{"--graph-lose-over", &Options::graph_lose_over, 0, any_size},
    Number{"--parent-pid", &Options::parent_pid, 1, INT32_MAX},
};

constexpr std::array texts = {
    Text{"--directory", &Options::directory},
    Text{"--host", &Options::host},
    Text{"--seed", &Options::seed_file},
    Text{"--app-certificate", &Options::app_certificate},
    Text{"--auto-consent", &Options::auto_consent},
};

const std::vector<std::string> capabilities = {
    "SIZE",     "PIPELINING", "DSN", "ENHANCEDSTATUSCODES", "STARTTLS", "8BITMIME", "BINARYMIME",
    "CHUNKING", "SMTPUTF8",   "AUTH"};

template <typename Rows>
auto find_row(const Rows& rows, std::string_view name) {
  return std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.name == name; });
}

std::vector<std::string> all_names() {
  std::vector<std::string> names = {"--bind", "--without"};
  for (const Flag& row : flags) names.emplace_back(row.name);
  for (const Number& row : numbers) names.emplace_back(row.name);
  for (const Text& row : texts) names.emplace_back(row.name);
  return names;
}

base::Error unknown_option(const std::string& name) {
  const std::string near = base::nearest(name, all_names());
  return failure(Fault::usage, "unknown option " + base::clean(name, 60),
                 near.empty() ? "see mailbearer-sandbox --help" : "did you mean " + near + "?");
}

base::Done take_without(Options& options, std::string_view list) {
  for (const std::string_view piece : base::split(list, ',')) {
    const auto known = std::find_if(capabilities.begin(), capabilities.end(), [&](const auto& one) {
      return base::same_ignoring_case(one, piece);
    });
    if (known == capabilities.end()) {
      return failure(Fault::usage, "--without does not know " + base::clean(piece, 60),
                     "use SIZE, PIPELINING, DSN, ENHANCEDSTATUSCODES, STARTTLS, 8BITMIME, "
                     "BINARYMIME, CHUNKING, SMTPUTF8 or AUTH");
    }
    options.without.insert(*known);
  }
  return base::done();
}

base::Done take_value(Options& options, const std::string& name, const std::string& value) {
  if (const auto* row = find_row(texts, name); row != texts.end()) {
    options.*(row->member) = value;
    return base::done();
  }
  if (const auto* row = find_row(numbers, name); row != numbers.end()) {
    if (base::parse_number(value, row->low, row->high, options.*(row->member))) return base::done();
    return failure(Fault::usage, name + " takes a number from " + std::to_string(row->low) +
                                     " to " + std::to_string(row->high));
  }
  if (name == "--without") return take_without(options, value);
  if (name == "--bind") {
    if (!is_loopback(value)) {
      return failure(Fault::usage, base::clean(value, 60) + " is not a loopback address",
                     "the sandbox is never open to others; use 127.0.0.1 or ::1");
    }
    options.bind_addresses.push_back(value);
    return base::done();
  }
  return unknown_option(name);
}

base::Done check_whole(const Options& options) {
  if (options.help || options.version) return base::done();
  if (options.directory.empty()) {
    return failure(Fault::usage, "--directory is missing", "say where mail and journal shall lie");
  }
  if (base::has_control(options.directory) ||
      options.directory.find_first_of(";\"'") != std::string::npos) {
    return failure(Fault::usage, "--directory holds a control byte, a quote or a semicolon");
  }
  if (options.host != "localhost" && !is_loopback(options.host)) {
    return failure(Fault::usage, "--host takes localhost, 127.0.0.1 or ::1");
  }
  return base::done();
}

}  // namespace

bool is_loopback(const std::string& address) {
  in_addr four{};
  if (inet_pton(AF_INET, address.c_str(), &four) == 1) return ntohl(four.s_addr) >> 24 == 127;
  in6_addr six{};
  return inet_pton(AF_INET6, address.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

base::Result<Options> parse_options(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (const auto* row = find_row(flags, word); row != flags.end()) {
      options.*(row->member) = true;
      continue;
    }
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    if (const std::vector<std::string> names = all_names();
        std::find(names.begin(), names.end(), name) == names.end()) {
      return unknown_option(name);
    }
    if (find_row(flags, name) != flags.end()) {
      return failure(Fault::usage, name + " takes no value");
    }
    if (equals == std::string::npos && i + 1 == arguments.size()) {
      return failure(Fault::usage, name + " needs a value");
    }
    const std::string value =
        equals == std::string::npos ? arguments[++i] : word.substr(equals + 1);
    base::Done taken = take_value(options, name, value);
    if (!taken) return std::move(taken).error();
  }
  base::Done checked = check_whole(options);
  if (!checked) return std::move(checked).error();
  return options;
}

std::string_view usage_text() {
  return "usage: mailbearer-sandbox --directory DIR [options]\n"
         "A simulated Microsoft 365 on the loopback interface: sign-in, tokens, mail submission,\n"
         "Graph.\n"
         "  --bind ADDRESS  --host NAME  --http-port N  --smtp-port N  --smtps-port N\n"
         "  --seed FILE  --app-certificate FILE  --expires-in SECONDS  --strict-rotation\n"
         "  --auto-consent USER  --device-interval SECONDS  --without CAPABILITY[,...]\n"
         "  --chunking  --oauthbearer  --challenge  --null-sender  --without-auth\n"
         "  --strict-auth-line  --replace-message-id  --size-limit BYTES  --store-limit BYTES\n"
         "  --recipient-limit N  --line-limit OCTETS  --limit-messages-per-minute N\n"
         "  --limit-connections N  --tarpit-ms N  --timeout SECONDS  --parent-pid PID\n"
         "  --graph-request-limit BYTES  --graph-at-once N  --graph-session-minimum BYTES\n"
         "  --graph-session-life SECONDS  --graph-lose-over BYTES\n"
         "  --graph-drop-headers  --graph-drop-x-headers\n"
         "  --until-stdin-closes  --help  --version\n";
}

}  // namespace sandbox
