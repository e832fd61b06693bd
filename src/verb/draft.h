// draft: an account as it will stand in the configuration, before a byte of it is written. Settings
// are put into the text of the file in memory, and the whole is read as it would be from disk; so
// what is signed in is what will be found later. write() is the one moment at which the file
// changes. Errors: those of account/edit and account/configuration.
#pragma once

#include <string>
#include <vector>

#include "account/configuration.h"
#include "account/edit.h"
#include "verb/place.h"

namespace verb {

class Draft {
 public:
  // A missing file is an empty one.
  static base::Result<Draft> begin(const Place& place);

  // The account that this is about from now on.
  void choose(const std::string& name);
  const std::string& name() const { return name_; }
  bool exists() const;
  // Those in force before anything is written.
  const account::Configuration& before() const { return before_; }

  void set(const std::string& key, const std::string& value);
  void unset(const std::string& key);
  bool says(const std::string& key) const;  // set() here
  void make_default();

  // With what has been set so far. Faulty is no error here: `broken` tells.
  base::Result<account::Account> account() const;
  base::Result<account::Configuration> configuration() const;
  base::Done may_write() const;  // as things stand by now; nothing is changed
  base::Result<bool> write();    // whether anything changed
  const std::string& file() const { return file_; }

 private:
  explicit Draft(const Place& place) : place_(&place) {}
  std::vector<account::SectionEdit> edits() const;
  account::Change& change_of(const std::string& key);

  const Place* place_;
  std::string file_{};  // the one that holds the account, or will
  std::string text_{};  // of the main file
  account::Configuration before_{};
  std::string name_{};
  std::vector<account::Change> changes_{};
  bool default_ = false;
  bool written_ = false;
};

}  // namespace verb
