// What outlives a request and is shared by all workers.
#pragma once

#include <memory>

#include "aifd/base/lifecycle.hpp"
#include "aifd/config/settings.hpp"
#include "aifd/middleware/benchmark.hpp"
#include "aifd/services/key_ring.hpp"
#include "aifd/services/line_writer.hpp"
#include "aifd/services/route_table.hpp"

namespace aifd::app {

struct Services {
  Lifecycle lifecycle;
  services::RouteTable routes;
  services::KeyRing keys;
  std::unique_ptr<services::LineWriter> access_log;  // null: off

  // `access_log` as opened by LineWriter::open.
  Services(const config::Settings& settings, std::unique_ptr<services::LineWriter> access_lines)
      : routes(settings.routes,
               settings.benchmark_mode ? middleware::Benchmark::kPrefix : std::string_view()),
        keys(settings.forward_keys, settings.api_keys),
        access_log(std::move(access_lines)) {}
};

}  // namespace aifd::app
