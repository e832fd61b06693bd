#include "token/generations.h"

#include <map>

#include "base/text.h"
#include "token/sealed_file.h"

namespace token {

namespace {

constexpr std::string_view words = "mailbearer generations 1";
// Accounts come and go; the file does not grow with those that went.
constexpr std::size_t names_limit = 1000;

using Table = std::map<std::string, std::uint64_t>;

Table read(const std::string& path, const base::Secret& key) {
  Table table;
  const base::Result<Unsealed> unsealed = read_sealed(path, key, words);
  if (!unsealed || unsealed->state != Unsealed::State::opened) return table;
  for (const std::string_view line : base::split(unsealed->secret.reveal(), '\n')) {
    const std::size_t blank = line.find(' ');
    std::int64_t number = 0;
    if (blank == std::string_view::npos ||
        !base::parse_number(line.substr(blank + 1), 1, INT64_MAX, number)) {
      continue;
    }
    table[std::string(line.substr(0, blank))] = static_cast<std::uint64_t>(number);
  }
  return table;
}

}  // namespace

std::uint64_t Generations::seen(const base::Secret& key, const std::string& name) const {
  const Table table = read(path_, key);
  const auto found = table.find(name);
  return found == table.end() ? 0 : found->second;
}

void Generations::note(const base::Secret& key, const std::string& name,
                       std::uint64_t generation) const {
  Table table = read(path_, key);
  if (table.size() >= names_limit) table.clear();
  table[name] = generation;
  base::Secret text;
  for (const auto& [each, number] : table) text.append(each + " " + std::to_string(number) + "\n");
  // Lost with the machine, it is no more than a note that is behind.
  const base::Done written = write_sealed(path_, key, words, text, 0, base::Durable::no);
  static_cast<void>(written);
}

}  // namespace token
