// Measures single operations: their time, by Google Benchmark, with its options; or, with --count
// NAME, does one of them so often inside counted_runs() that a profiler can count it, and says how
// often. --list names them.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "operation.hpp"

namespace aifd::bench {
namespace {

constexpr int kWarmUps = 20;  // symbols are bound, buffers have grown
constexpr int kRuns = 100;

Operations all_operations() {
  Operations operations;
  add_head_operations(operations);
  add_body_operations(operations);
  add_caller_operations(operations);
  add_log_operations(operations);
  return operations;
}

}  // namespace

[[gnu::noinline]] void counted_runs(const std::function<void()>& run) {
  for (int i = 0; i < kRuns; ++i) run();
}

namespace {

int list(const Operations& operations) {
  for (const Operation& operation : operations) std::puts(operation.name.c_str());
  return 0;
}

int count(const Operations& operations, std::string_view name) {
  const auto found = std::ranges::find(operations, name, &Operation::name);
  if (found == operations.end()) {
    std::fputs("no such operation: see --list\n", stderr);
    return 64;
  }
  const std::function<void()> run = found->prepare();
  for (int i = 0; i < kWarmUps; ++i) run();
  counted_runs(run);
  std::printf("%zu\n", kRuns * found->parts);
  return 0;
}

int measure(const Operations& operations, int argc, char** argv) {
  for (const Operation& operation : operations) {
    benchmark::RegisterBenchmark(operation.name.c_str(), [&operation](benchmark::State& state) {
      const std::function<void()> run = operation.prepare();
      for ([[maybe_unused]] const auto round : state) run();
      state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(operation.parts));
    });
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 64;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace
}  // namespace aifd::bench

int main(int argc, char** argv) {
  const aifd::bench::Operations operations = aifd::bench::all_operations();
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (first == "--list") return aifd::bench::list(operations);
  if (first == "--count" && argc == 3) return aifd::bench::count(operations, argv[2]);
  return aifd::bench::measure(operations, argc, argv);
}
