// start_files: what lies in DIR when the sandbox is ready. sandbox.json comes last and whole, so
// that who waits for it finds everything. Files with secrets are 0600. Errors: as base/file.
#pragma once

#include <string>

#include "base/result.h"
#include "sandbox/options.h"
#include "sandbox/tenant.h"

namespace sandbox {

struct Places;

base::Done write_start_files(const Places& places, const Options& options, Tenant& tenant,
                             const std::string& ca_pem);

}  // namespace sandbox
