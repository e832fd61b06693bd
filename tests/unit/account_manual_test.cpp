#include <fstream>
#include <set>
#include <sstream>

#include "account/keys.h"
#include "catch.h"

TEST_CASE("manual: man/mailbearer.conf.5 and the key table name the same keys", "[account]") {
  std::ifstream page("man/mailbearer.conf.5");
  REQUIRE(page.good());
  std::set<std::string> described;
  std::string line;
  bool tag = false;
  while (std::getline(page, line)) {
    if (tag && line.rfind(".B ", 0) == 0) {
      std::istringstream words(line.substr(3));
      std::string name;
      words >> name;
      CHECK(described.insert(name).second);
    }
    tag = line == ".TP";
  }
  std::set<std::string> known;
  for (const account::Key& key : account::all_keys()) {
    CHECK(known.insert(std::string(key.name)).second);
  }
  for (const std::string& name : known) {
    INFO("key without a paragraph: " << name);
    CHECK(described.count(name) == 1);
  }
  for (const std::string& name : described) {
    INFO("paragraph without a key: " << name);
    CHECK(known.count(name) == 1);
  }
}

TEST_CASE("manual: places and defaults are those of the table", "[account]") {
  std::ifstream page("man/mailbearer.conf.5");
  std::string line;
  const account::Key* key = nullptr;
  std::size_t checked = 0;
  while (std::getline(page, line)) {
    for (std::size_t at = 0; (at = line.find("\\-", at)) != std::string::npos;) line.erase(at, 1);
    if (line.rfind(".B ", 0) == 0) key = account::find_key(line.substr(3));
    if (line.rfind("Place: ", 0) != 0) continue;
    REQUIRE(key != nullptr);
    INFO(key->name << ": " << line);
    const std::string places = line.substr(7, line.find(". Default: ") - 7);
    CHECK((places.find("[mailbearer]") != std::string::npos) ==
          ((key->places & account::in_main) != 0));
    CHECK((places.find("account") != std::string::npos) ==
          ((key->places & account::in_account) != 0));
    CHECK((places.find("provider") != std::string::npos) ==
          ((key->places & account::in_provider) != 0));
    if (!key->preset.empty()) {
      CHECK(line.find("Default: " + std::string(key->preset) + ".") != std::string::npos);
    }
    ++checked;
  }
  CHECK(checked == account::all_keys().size());
}

TEST_CASE("keys: every default is a value its own key takes", "[account]") {
  for (const account::Key& key : account::all_keys()) {
    INFO(key.name);
    CHECK(key.places != 0);
    CHECK((key.kind == account::Kind::choice) == !key.choices.empty());
    if (!key.preset.empty()) CHECK(account::complaint(key, std::string(key.preset)).empty());
  }
}
