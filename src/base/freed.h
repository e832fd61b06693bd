// freed: what a C library gives out, owned by type: std::unique_ptr<BIO, Freed<BIO_free_all>>.
#pragma once

namespace base {

template <auto free_it>
struct Freed {
  template <typename T>
  void operator()(T* thing) const {
    free_it(thing);
  }
};

}  // namespace base
