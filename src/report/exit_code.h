// exit_code: the one table from fault to sysexits(3). Source: design section 2, "Results".
#pragma once

#include <vector>

#include "base/error.h"
#include "base/fate.h"

namespace report {

int exit_code(base::Fault fault);
// The worst of the fates: 0 only when all are delivered.
int exit_code(const std::vector<base::Fate>& fates);
// The error that decides the exit code, or nullptr when all are delivered.
const base::Error* deciding_error(const std::vector<base::Fate>& fates);
// temporary_exit = 75 turns 69 into 75, and nothing else.
int with_temporary_exit(int code, std::int64_t temporary_exit);

}  // namespace report
