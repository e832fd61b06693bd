#include "verb/keyring_shown.h"

#include <array>
#include <nlohmann/json.hpp>

namespace verb {

namespace {

using nlohmann::ordered_json;

struct Row {
  const char* text;
  const char* json;
  doctor::Threat doctor::Exposure::*threat;
};
constexpr std::array rows = {
    Row{"stolen disk, full backup", "stolen_disk", &doctor::Exposure::stolen},
    Row{"copy of the store alone", "store_copy", &doctor::Exposure::copy},
    Row{"another user", "other_user", &doctor::Exposure::other_user},
    Row{"your own programs", "same_user", &doctor::Exposure::same_user},
    Row{"root", "root", &doctor::Exposure::root},
};
constexpr std::size_t first_column = 28;
constexpr std::size_t second_column = 12;

std::string padded(std::string word, std::size_t width) {
  word.append(word.size() < width ? width - word.size() : 1, ' ');
  return word;
}

std::string in_words(const std::string& state) {
  if (state == "file") return "read from a file of its own";
  if (state == "unknown") return "cannot be read now";
  return state;
}

std::string text_of(const ShownCredential& credential) {
  std::string out = "  " + credential.kind + ": " + in_words(credential.state) + "; " +
                    credential.exposure.where + "\n";
  if (credential.state == "none") return out;
  for (const Row& row : rows) {
    const doctor::Threat& threat = credential.exposure.*row.threat;
    out += "    " + padded(row.text, first_column) +
           padded(doctor::safety_word(threat.safety), second_column) + threat.why + "\n";
  }
  return out;
}

const char* json_word(doctor::Safety safety) {
  switch (safety) {
    case doctor::Safety::safe:
      return "safe";
    case doctor::Safety::depends:
      return "depends";
    case doctor::Safety::open:
      break;
  }
  return "open";
}

ordered_json json_of(const base::Error& error) {
  ordered_json out;
  out["cause"] = error.cause;
  out["cure"] = error.cure;
  return out;
}

ordered_json json_of(const ShownCredential& credential) {
  ordered_json out;
  out["kind"] = credential.kind;
  out["state"] = credential.state;
  out["where"] = credential.exposure.where;
  for (const Row& row : rows) {
    const doctor::Threat& threat = credential.exposure.*row.threat;
    out["against"][row.json] = {{"safety", json_word(threat.safety)}, {"why", threat.why}};
  }
  if (credential.error) out["error"] = json_of(*credential.error);
  return out;
}

}  // namespace

std::string shown_text(const std::vector<ShownKeyring>& all) {
  std::string out;
  for (const ShownKeyring& one : all) {
    out += one.account + "\n";
    if (!one.note.empty()) out += "  " + one.note + "\n";
    for (const ShownCredential& credential : one.credentials) out += text_of(credential);
    for (const account::Ending& ending : one.endings) {
      out += "  " + ending.text + (ending.step != 0 ? "; " + ending.cure : "") + "\n";
    }
  }
  return out;
}

std::string shown_json(const std::vector<ShownKeyring>& all) {
  ordered_json out = ordered_json::array();
  for (const ShownKeyring& one : all) {
    ordered_json account;
    account["account"] = one.account;
    if (!one.note.empty()) account["note"] = one.note;
    account["credentials"] = ordered_json::array();
    for (const ShownCredential& credential : one.credentials) {
      account["credentials"].push_back(json_of(credential));
    }
    account["endings"] = ordered_json::array();
    for (const account::Ending& ending : one.endings) {
      account["endings"].push_back({{"what", ending.what},
                                    {"ends", ending.ends_s},
                                    {"days_left", ending.days_left},
                                    {"text", ending.text}});
    }
    if (one.error) account["error"] = json_of(*one.error);
    out.push_back(std::move(account));
  }
  // Names and paths may hold bytes that are no UTF-8.
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace verb
