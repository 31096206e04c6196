// What aifd tells its operator while this lives.
#pragma once

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace aifd::test {

// What a `warn` was told instead; from any thread.
class Told {
 public:
  // This outlives it.
  std::function<void(const std::string&)> receiver() {
    return [this](const std::string& line) {
      const std::scoped_lock lock(mutex_);
      text_ += line + '\n';
    };
  }
  std::size_t count(std::string_view part) {
    const std::scoped_lock lock(mutex_);
    std::size_t found = 0;
    for (auto at = text_.find(part); at != text_.npos; at = text_.find(part, at + 1)) ++found;
    return found;
  }

 private:
  std::mutex mutex_;
  std::string text_;
};

// Other threads may log meanwhile.
class Log {
 public:
  Log() : before_(spdlog::default_logger()) {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("test", sink_));
  }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log() { spdlog::set_default_logger(before_); }
  std::string text() const { return sink_->text(); }
  std::size_t count(std::string_view part) const {
    std::size_t found = 0;
    const std::string all = text();
    for (auto at = all.find(part); at != all.npos; at = all.find(part, at + 1)) ++found;
    return found;
  }

 private:
  class Sink final : public spdlog::sinks::base_sink<std::mutex> {
   public:
    std::string text() {
      const std::scoped_lock lock(mutex_);
      return text_;
    }

   private:
    void sink_it_(const spdlog::details::log_msg& message) override {
      spdlog::memory_buf_t line;
      formatter_->format(message, line);
      text_.append(line.data(), line.size());
    }
    void flush_() override {}

    std::string text_;
  };

  std::shared_ptr<Sink> sink_ = std::make_shared<Sink>();
  std::shared_ptr<spdlog::logger> before_;
};

}  // namespace aifd::test
