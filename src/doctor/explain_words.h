// explain_words: what the text and the JSON of an explanation both say. Internal to explain*.cpp.
#pragma once

#include <string_view>

#include "base/error.h"

namespace doctor {

// "permanent", "temporary", "waits for a person".
std::string_view class_words(base::FaultClass kind);
std::string_view stage_told(std::string_view stage);  // "after RCPT TO"

}  // namespace doctor
