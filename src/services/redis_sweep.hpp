// Walks through all answers in a Redis server.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "aifd/base/clock.hpp"
#include "aifd/chain/task.hpp"

namespace aifd::services {

class RedisConnection;

struct RedisSweep {
  std::uint64_t entries = 0;  // that were met
  std::string trouble;        // why it did not get to the end, for a person; empty: it did
};

// Both await on the connection's loop, each command for up to `time`. What comes or goes meanwhile
// may be met or not.
Task<RedisSweep> remove_answers(RedisConnection& connection, std::chrono::milliseconds time);
Task<RedisSweep> count_answers(RedisConnection& connection, std::chrono::milliseconds time,
                               Clock::time_point until);

}  // namespace aifd::services
