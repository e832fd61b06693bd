#include <nlohmann/json.hpp>

#include "doctor/explain.h"
#include "doctor/explain_words.h"

namespace doctor {

namespace {

using nlohmann::ordered_json;

ordered_json one_meaning(const Meaning& meaning) {
  ordered_json out;
  out["stages"] = meaning.stages;
  out["refusal"] = meaning.row != nullptr;
  if (meaning.row == nullptr) return out;
  out["known"] = base::is_exact(*meaning.row);
  out["row"] = base::matcher_in_words(*meaning.row);
  out["class"] = class_words(meaning.error.kind);
  out["exit"] = meaning.exit;
  out["text"] = meaning.error.cause;
  out["cure"] = meaning.error.cure;
  out["meaning"] = meaning.row->meaning;
  out["wait_s"] = meaning.error.retry_after_s;
  return out;
}

}  // namespace

std::string explanation_json(const Explanation& explanation) {
  ordered_json out;
  out["reply"] = explanation.reply;
  out["kind"] = explanation.kind;
  out.update(one_meaning(explanation.meanings.front()));
  out["elsewhere"] = ordered_json::array();
  for (std::size_t i = 1; i < explanation.meanings.size(); ++i) {
    out["elsewhere"].push_back(one_meaning(explanation.meanings[i]));
  }
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace doctor
