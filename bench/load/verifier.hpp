#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "load/options.hpp"
#include "load/report.hpp"

namespace bench {

// Compares each answer's body with what was ordered, as it comes.
class Verifier {
 public:
  virtual ~Verifier() = default;
  virtual void begin(std::uint32_t id) = 0;
  virtual void take(std::string_view body, std::int64_t now) = 0;
  virtual bool complete() const = 0;

  const std::string& fault() const { return fault_; }  // empty while all is as it should be

 protected:
  void fail(const std::string& what, std::string_view found) {
    if (fault_.empty()) fault_ = what + ": " + std::string(found.substr(0, 200));
  }
  std::string fault_;
};

std::unique_ptr<Verifier> make_verifier(const Options& options, Report& report);

}  // namespace bench
