// What a thread says of itself to the system.
#pragma once

#include <pthread.h>
#include <sched.h>

namespace aifd {

// As top -H and profilers show it; at most 15 characters.
inline void name_this_thread(const char* name) noexcept {
  ::pthread_setname_np(::pthread_self(), name);
}

// Nobody waits for what this thread does: when it wakes, whoever runs goes on, and it comes next.
// Its share of the processor stays the same (SCHED_BATCH, sched(7)).
inline void let_others_go_first() noexcept {
  const sched_param none{};
  ::pthread_setschedparam(::pthread_self(), SCHED_BATCH, &none);
}

}  // namespace aifd
