// What is measured here: things that aifd does for each request or each event.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace aifd::bench {

struct Operation {
  std::string name;
  // Makes ready what is needed, and gives what is then done again and again.
  std::function<std::function<void()>()> prepare;
  std::size_t parts = 1;  // how many it deals with at once, where figures are of one: events
};

using Operations = std::vector<Operation>;

void add_head_operations(Operations& operations);
void add_body_operations(Operations& operations);
void add_caller_operations(Operations& operations);
void add_log_operations(Operations& operations);

}  // namespace aifd::bench
