// What is logged while one of these lives, in the place of the usual log.
#pragma once

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <sstream>
#include <string_view>

namespace aifd::services {

class LoggedLines {
 public:
  LoggedLines() : before_(spdlog::default_logger()) {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(text_);
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("test", std::move(sink)));
  }
  ~LoggedLines() { spdlog::set_default_logger(before_); }

  bool have(std::string_view text) const { return text_.str().find(text) != std::string::npos; }
  std::ptrdiff_t count() const {
    const std::string text = text_.str();
    return std::count(text.begin(), text.end(), '\n');
  }

 private:
  std::shared_ptr<spdlog::logger> before_;
  std::ostringstream text_;
};

}  // namespace aifd::services
