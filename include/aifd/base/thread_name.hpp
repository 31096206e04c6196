// Names for threads, as top -H and profilers show them.
#pragma once

#include <pthread.h>

namespace aifd {

// At most 15 characters.
inline void name_this_thread(const char* name) noexcept {
  ::pthread_setname_np(::pthread_self(), name);
}

}  // namespace aifd
