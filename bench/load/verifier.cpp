#include "load/verifier.hpp"

#include <algorithm>
#include <optional>

namespace bench {
namespace {

// Bytes that must come exactly so.
class Expected {
 public:
  void begin(std::string bytes) {
    bytes_ = std::move(bytes);
    seen_ = 0;
  }
  bool take(std::string_view found) {
    const bool equal = std::string_view(bytes_).substr(seen_, found.size()) == found;
    seen_ += found.size();
    return equal;
  }
  bool complete() const { return seen_ == bytes_.size(); }

 private:
  std::string bytes_;
  std::size_t seen_ = 0;
};

class JsonVerifier : public Verifier {
 public:
  JsonVerifier(const Orders& orders, Report& report) : orders_(orders), report_(report) {}

  void begin(std::uint32_t id) override {
    fault_.clear();
    orders_.id = id;
    expected_.begin(answer_with(id, answer_text(orders_)));
  }
  void take(std::string_view body, std::int64_t) override {
    report_.body_bytes += body.size();
    if (!expected_.take(body)) fail("not the answer's bytes", body);
  }
  bool complete() const override { return expected_.complete(); }

 private:
  Orders orders_;
  Report& report_;
  Expected expected_;
};

class StreamVerifier : public Verifier {
 public:
  StreamVerifier(const Orders& orders, Report& report)
      : orders_(orders), report_(report), event_(0) {}

  void begin(std::uint32_t id) override {
    fault_.clear();
    event_ = EventTemplate(id);
    end_.begin(stream_end(id));
    part_.clear();
    next_ = 0;
  }

  void take(std::string_view body, std::int64_t now) override {
    report_.body_bytes += body.size();
    while (!body.empty() && next_ < orders_.events) {
      const std::string_view event = next_event(body);
      if (event.empty()) return;
      check(event, now);
      part_.clear();
    }
    if (!body.empty() && !end_.take(body)) fail("not the stream's end", body);
  }

  bool complete() const override { return next_ == orders_.events && end_.complete(); }

 private:
  // The next event's bytes, taken from `body` and what came before; empty if they are not all
  // there.
  std::string_view next_event(std::string_view& body) {
    const std::size_t size = event_.bytes.size();
    const std::string_view piece = body.substr(0, size - part_.size());
    body.remove_prefix(piece.size());
    if (part_.empty() && piece.size() == size) return piece;
    part_ += piece;
    return part_.size() == size ? std::string_view(part_) : std::string_view();
  }

  void check(std::string_view event, std::int64_t now) {
    const std::string_view time = event.substr(event_.time_place, kTimeDigits);
    const std::optional<std::uint64_t> sent = digits(time);
    event_.fill(next_++, sent.value_or(0));
    if (!sent || event != event_.bytes) return fail("not the event's bytes", event);
    ++report_.events;
    if (orders_.gap_us == 0) return;
    report_.event_delay_us.push_back(static_cast<float>(now - static_cast<std::int64_t>(*sent)) /
                                     1000);
  }

  Orders orders_;
  Report& report_;
  EventTemplate event_;
  Expected end_;
  std::string part_;
  std::uint32_t next_ = 0;
};

// For proxies that write the JSON anew: what stands in "content" must be the text that was ordered.
class TextVerifier : public Verifier {
 public:
  TextVerifier(const Orders& orders, Report& report) : orders_(orders), report_(report) {}

  void begin(std::uint32_t id) override {
    fault_.clear();
    orders_.id = id;
    expected_.begin(orders_.events == 0 ? answer_text(orders_) : "");
    matched_ = 0;
    inside_ = false;
    token_.clear();
    next_ = 0;
  }

  void take(std::string_view body, std::int64_t now) override {
    report_.body_bytes += body.size();
    for (const char byte : body) {
      if (inside_ && byte != '"')
        take_text(byte, now);
      else if (inside_)
        inside_ = false;
      else
        find_text(byte);
    }
  }

  bool complete() const override {
    return next_ == orders_.events && token_.empty() && expected_.complete();
  }

 private:
  // Looks for "content":" with or without a space before the text.
  void find_text(char byte) {
    static constexpr std::string_view kKey = "\"content\":";
    if (matched_ == kKey.size()) {
      if (byte == ' ') return;
      inside_ = byte == '"';
      matched_ = 0;
    } else if (byte == kKey[matched_]) {
      ++matched_;
    } else {
      matched_ = byte == kKey[0] ? 1 : 0;
    }
  }

  void take_text(char byte, std::int64_t now) {
    if (orders_.events == 0) {
      if (!expected_.take({&byte, 1})) fail("not the answer's text", {&byte, 1});
      return;
    }
    token_ += byte;
    if (token_.size() == kTokenBytes) check_token(now);
  }

  void check_token(std::int64_t now) {
    EventTemplate event(orders_.id);
    const std::optional<std::uint64_t> sent =
        digits(std::string_view(token_).substr(kTokenBytes - kTimeDigits));
    event.fill(next_++, sent.value_or(0));
    if (event.bytes.find(token_) == std::string::npos) fail("not the event's text", token_);
    ++report_.events;
    if (orders_.gap_us != 0 && sent) {
      report_.event_delay_us.push_back(static_cast<float>(now - static_cast<std::int64_t>(*sent)) /
                                       1000);
    }
    token_.clear();
  }

  Orders orders_;
  Report& report_;
  Expected expected_;
  std::size_t matched_ = 0;
  bool inside_ = false;
  std::string token_;
  std::uint32_t next_ = 0;
};

}  // namespace

std::unique_ptr<Verifier> make_verifier(const Options& options, Report& report) {
  if (options.text_only) return std::make_unique<TextVerifier>(options.orders, report);
  if (options.orders.events != 0) return std::make_unique<StreamVerifier>(options.orders, report);
  return std::make_unique<JsonVerifier>(options.orders, report);
}

}  // namespace bench
