#include <fstream>
#include <sstream>

#include "catch.h"
#include "cli/argv_table.h"
#include "cli/command.h"

namespace {

std::string page(const char* path) {
  std::ifstream file(path);
  REQUIRE(file.good());
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// As in a page of man(7).
std::string escaped(const std::string& word) {
  std::string out;
  for (const char c : word) out += c == '-' ? "\\-" : std::string(1, c);
  return out;
}

bool is_small(const std::string& word) {
  return !word.empty() && word.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string::npos;
}

// "secret set" of "  secret set ACCOUNT KIND      keep the secret ...".
std::vector<std::string> verbs() {
  std::istringstream help(cli::command_help());
  std::vector<std::string> out;
  std::string line;
  while (std::getline(help, line)) {
    if (line.rfind("  ", 0) != 0) continue;
    std::istringstream words(line.substr(2, line.find("  ", 2) - 2));
    std::string verb;
    std::string word;
    while (words >> word && is_small(word)) verb += (verb.empty() ? "" : " ") + word;
    out.push_back(verb);
  }
  return out;
}

}  // namespace

TEST_CASE("manual: every letter and mode of sendmail's command line is in sendmail(8)", "[cli]") {
  const std::string text = page("man/sendmail.8");
  std::size_t letters = 0;
  for (const char* each = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"; *each != '\0';
       ++each) {
    const std::string mode = "Fl b" + std::string(1, *each);
    INFO(mode);
    if (cli::refused_mode(*each) != nullptr) CHECK(text.find(mode) != std::string::npos);
    const cli::OptionRow* row = cli::find_option(*each);
    if (row == nullptr || *each == 'b') continue;
    ++letters;
    const std::string option = "Fl " + std::string(1, *each);
    INFO(option);
    bool found = false;
    for (std::size_t at = text.find(option); at != std::string::npos;
         at = text.find(option, at + 1)) {
      const char next = text[at + option.size()];
      found = found || next == ' ' || next == '\n' || next == ',';
    }
    // -o and -e stand with their values: Fl oe, Fl em.
    if (*each == 'e') found = text.find("Fl em , Fl ep") != std::string::npos;
    CHECK(found);
  }
  CHECK(letters > 30);
}

TEST_CASE("manual: every verb and option is in mailbearer(1)", "[cli]") {
  const std::string text = page("man/mailbearer.1");
  const std::vector<std::string> all = verbs();
  CHECK(all.size() > 8);
  for (const std::string& verb : all) {
    INFO("verb: " << verb);
    if (verb == "version") continue;  // as --version
    const std::string start = "\n.TP\n.B";
    CHECK((text.find(start + " " + verb + "\n") != std::string::npos ||
           text.find(start + "R \"" + verb) != std::string::npos ||
           text.find(start + "I " + verb + " ") != std::string::npos ||
           text.find(start + "I \"" + verb) != std::string::npos));
    std::istringstream help(cli::command_help(verb.substr(0, verb.find(' '))));
    std::string line;
    while (std::getline(help, line)) {
      if (line.rfind("  --", 0) != 0) continue;
      const std::string option = line.substr(2, line.find(' ', 2) - 2);
      INFO("option: " << option);
      CHECK(text.find(escaped(option)) != std::string::npos);
    }
  }
}
